"""The proxy of one recording, and the environment that leads the agent to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from traceproof.proxy import hosts as model_hosts
from traceproof.proxy.authority import open_authority
from traceproof.proxy.environment import child_environment, reverse_environment
from traceproof.proxy.exchange import Sink
from traceproof.proxy.routes import Origin, parse_origin, parse_routes
from traceproof.proxy.server import ProxyConfig, ProxyServer
from traceproof.proxy.trust import write_trust
from traceproof.proxy.upstream import proxies_from
from traceproof.recorder.agents import BaseUrl
from traceproof.settings import Settings


class Network(NamedTuple):
    """A proxy that listens, and the variables that lead a child to it."""

    server: ProxyServer
    variables: dict[str, str]
    notes: tuple[str, ...] = ()
    """What of the environment is not used, one line each."""
    command: tuple[str, ...] = ()
    """The agent's command line, with what leads it here where variables do not."""
    bases: Mapping[Origin, str] = {}
    """Our address for each server that we stand in for."""


class More(NamedTuple):
    """Servers beside the model's that are to be read."""

    hosts: tuple[str, ...] = ()
    """Hosts to decrypt."""
    stand_ins: tuple[Origin, ...] = ()
    """Servers that the agent is to reach at an address of ours."""


def open_network(settings: Settings, sink: Sink, more: More | None = None) -> Network:
    """Start the proxy for a recording.

    Raises:
        OSError: the store cannot be written, or the port is taken.
        ValueError: a host, a route, the port, the environment's proxy or the store's CA is not
            usable.
        ImportError: mitmproxy is not installed.
    """
    more = more or More()
    environment = settings.environment
    routes = parse_routes(settings.routes)
    configured = settings.agent.configured_hosts(environment)
    hosts = model_hosts.select([*settings.hosts, *configured, *more.hosts], routes)
    authority = open_authority(settings.store.path / "ca")
    trust = write_trust(settings.store.path / "ca", environment, authority.pem)
    origins = _origins(settings) if settings.mode == "reverse" else {}
    proxies = proxies_from(environment)
    config = ProxyConfig(
        authority=authority,
        roots=trust.roots,
        hosts=hosts,
        routes=routes,
        proxies=proxies,
        origins=tuple(dict.fromkeys(origins.values())),
        stand_ins=more.stand_ins,
        listen_port=settings.port,
    )
    server = ProxyServer(config, sink)
    listening = server.start()
    addresses = {base: listening.bases[origin] for base, origin in origins.items()}
    if settings.mode == "reverse":
        variables = _reverse_variables(settings, addresses)
    else:
        variables = child_environment(
            settings.environment, proxy=listening.url, trust=trust, hosts=hosts
        )
    command = settings.agent.arguments(settings.command, environment, addresses)
    return Network(server, variables, proxies.notes, tuple(command), listening.bases)


def _origins(settings: Settings) -> dict[BaseUrl, Origin]:
    """Return the server behind each of the agent's base URLs: the user's own, else the usual."""
    environment = settings.environment
    return {
        base: parse_origin(environment.get(base.variable) or _url(base.usual(environment)))
        for base in settings.agent.base_urls
    }


def _url(host: str) -> str:
    return host if "://" in host else f"https://{host}"


def _reverse_variables(settings: Settings, addresses: dict[BaseUrl, str]) -> dict[str, str]:
    """Return the base URLs; a path that the user's own has is added by the proxy."""
    variables = reverse_environment(settings.environment)
    for base, address in addresses.items():
        suffix = "" if settings.environment.get(base.variable) else base.suffix
        if base.variable:
            variables[base.variable] = address + suffix
    return variables
