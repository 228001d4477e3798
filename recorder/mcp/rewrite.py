"""Tells an agent of the tee instead of its own servers, for one run, and touches no file of its.

Two steps: `find` reads what is configured, `rewrite` says how the agent is to be started. What the
servers' configuration holds is for the redactor to know.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from traceproof.recorder.mcp.agents import CONFIGURATIONS, Found, Launch, Server, Told
from traceproof.recorder.secret_arguments import from_arguments
from traceproof.recorder.secrets import Secret, from_variables

_VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}|\$(\w+)|\{env:(\w+)\}")


class Starter(Protocol):
    """The tee, as far as it is needed here."""

    def command(self, name: str, argv: Sequence[str], /) -> list[str]:
        """Return the command line that starts a server behind the tee."""


class Rewritten(NamedTuple):
    """How the agent is to be started: its command line, and what its environment gains."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = {}
    notes: tuple[str, ...] = ()


def find(agent: str, argv: Sequence[str], env: Mapping[str, str], cwd: Path) -> Found:
    """Find the servers that an agent will use.

    Args:
        agent: Its adapter's name.
        argv: The command line that starts it.
        env: Its environment, as the user gave it.
        cwd: Where it is started.
    """
    configuration = CONFIGURATIONS.get(agent)
    if configuration is None:
        return Found()
    found = configuration.find(Launch(argv, env, cwd))
    servers = (server._replace(url=expand(server.url, env)) for server in found.servers)
    return found._replace(servers=tuple(servers))


def expand(url: str, env: Mapping[str, str]) -> str:
    """Return an address with what the agents fill in: `${A}`, `${A:-else}`, `$A`, `{env:A}`.

    What is not set stays, as a text that is no address.
    """

    def value(found: re.Match[str]) -> str:
        return env.get(found[1] or found[3] or found[4], found[2] or found[0])

    return _VARIABLE.sub(value, url)


def rewrite(
    agent: str,
    launch: Launch,
    found: Found,
    *,
    tee: Starter | None,
    hold: Callable[[bytes], str],
    instead: Callable[[str], str] = str,
) -> Rewritten:
    """Return how to start an agent so that its servers are recorded.

    A server whose program is not there is left alone: how the agent says so would change.

    Args:
        agent: Its adapter's name.
        launch: How it would be started.
        found: What `find` found.
        tee: What is put before a server's program; None leaves those alone.
        hold: Keeps a file in memory and returns its path.
        instead: The address to be called for a server's; the same where nothing changes.
    """
    changed: list[Server] = []
    notes: list[str] = []
    for server in found.servers:
        if server.url and instead(server.url) != server.url:
            changed.append(server._replace(url=instead(server.url)))
        elif server.argv and tee is not None:
            if _is_there(server, launch):
                argv = tee.command(server.name, server.argv)
                changed.append(server._replace(argv=tuple(argv)))
            else:
                program = server.argv[0]
                notes.append(f"MCP server {server.name} is not recorded: no program {program}")
    if found.fixed:
        notes += [f"MCP server {server.name} is not recorded: {found.fixed}" for server in changed]
    if found.fixed or not changed:
        return Rewritten(tuple(launch.argv), notes=tuple(notes))
    told: Told = CONFIGURATIONS[agent].tell(launch, changed, hold)
    return Rewritten(told.argv, told.env, tuple(notes))


def secrets_of(servers: Sequence[Server]) -> Iterator[Secret]:
    """Yield the credentials that servers are configured with."""
    for server in servers:
        given = server.variables.items()
        # what is filled in is known from the environment; the name of it is no secret
        yield from from_variables((name, text) for name, text in given if not _filled_in(text))
        yield from from_arguments(server.argv)
        yield from from_variables([("url", server.url)])


def _filled_in(text: str) -> bool:
    return bool(_VARIABLE.search(text))


def _is_there(server: Server, launch: Launch) -> bool:
    """Tell whether a server's program will be found, as far as that can be told."""
    program = server.argv[0]
    if "$" in program or "{" in program:
        return True
    path = server.variables.get("PATH") or launch.env.get("PATH")
    folder = server.table.get("cwd")
    if "/" in program and isinstance(folder, str):
        program = str(launch.cwd / folder / program)
    elif "/" in program:
        program = str(launch.cwd / program)
    return shutil.which(program, path=path) is not None
