"""The MCP servers of one recording: found, put behind the tee or the proxy, and let go at the end.

A server that cannot be had costs its facts, never the agent: what is missing is told.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import urlsplit

from traceproof.network import More, Network
from traceproof.proxy.hosts import is_loopback, parse_host
from traceproof.proxy.mcp import Address
from traceproof.proxy.routes import PORTS, Origin, parse_origin
from traceproof.recorder.mcp.agents import Found, Launch, Server
from traceproof.recorder.mcp.held import HeldFiles
from traceproof.recorder.mcp.install import Tee
from traceproof.recorder.mcp.peer import McpContext
from traceproof.recorder.mcp.rewrite import Rewritten, find, rewrite
from traceproof.recorder.runfolder import RunFolder
from traceproof.recorder.shell.listener import Listener
from traceproof.settings import Settings

_LAST = 5.0
"""Seconds at most in which what tees have to say at the end is taken in."""


class McpServers:
    """The servers, from before the agent starts to after it has ended."""

    def __init__(self, settings: Settings, context: McpContext) -> None:
        """Find the servers; the redactor knows already what they are configured with."""
        self._settings = settings
        self._context = context
        self._held = HeldFiles()
        self._folder: RunFolder | None = None
        self._listener: Listener | None = None
        self._tee: Tee | None = None
        self._told = Rewritten(settings.command)
        self._found: Found = find(
            settings.agent.name, settings.command, settings.environment, settings.cwd
        )
        self._notes = list(self._found.notes)

    @property
    def names(self) -> dict[Address, str]:
        """Return what the servers over HTTP are called, by where they are asked."""
        found = {}
        for server in self._found.servers:
            origin = _origin(server)
            if origin is not None:
                parts = urlsplit(server.url)
                path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
                found[Address(origin.host, origin.port, path)] = server.name
        return found

    @property
    def more(self) -> More:
        """Return what the proxy has to read for servers over HTTP.

        Agents ask servers on this machine without a proxy, and in reverse mode all servers.
        """
        hosts, stand_ins = [], []
        for server in self._found.servers:
            origin = _origin(server)
            if origin is None:
                continue
            if is_loopback(origin.host) or self._settings.mode == "reverse":
                stand_ins.append(origin)
            else:
                with suppress(ValueError):  # the agent will not reach it either
                    hosts.append(parse_host(origin.host))
        return More(tuple(dict.fromkeys(hosts)), tuple(dict.fromkeys(stand_ins)))

    @property
    def command(self) -> tuple[str, ...]:
        """Return the agent's command line."""
        return self._told.argv

    @property
    def variables(self) -> Mapping[str, str]:
        """Return what the agent's environment gains."""
        return self._told.env

    @property
    def originals(self) -> dict[str, str | None]:
        """Return what these variables were: None where there were none."""
        return {name: self._settings.environment.get(name) for name in self._told.env}

    @property
    def notes(self) -> list[str]:
        """Return what is not recorded, one line each."""
        return self._notes

    def open(self, network: Network) -> None:
        """Tell the agent of the tee and of the proxy, and listen for tees."""
        settings = self._settings
        self._told = Rewritten(network.command)
        if not self._found.servers:
            return
        try:
            tee = self._open_tee() if any(each.argv for each in self._found.servers) else None
            self._told = rewrite(
                settings.agent.name,
                Launch(network.command, settings.environment, settings.cwd),
                self._found,
                tee=tee,
                hold=self._held.hold,
                instead=lambda url: _instead(url, network.bases),
            )
        except OSError as error:
            self._notes.append(f"MCP servers are not recorded: {error}")
            self.close()
            return
        self._notes += self._told.notes
        self._tee = tee

    def ready(self, marker: int) -> None:
        """Put the tee on the disk; shells that see `marker` are not recorded apart."""
        if self._tee is not None:
            self._tee.write(self.originals, marker)

    def close(self) -> None:
        """End what listens; servers that still run are told as such."""
        if self._listener is not None:
            self._listener.close(_LAST)
            self._listener = None
        if self._folder is not None:
            self._folder.close()
            self._folder = None
        self._held.close()

    def _open_tee(self) -> Tee:
        self._folder = RunFolder()
        folder, token = self._folder.path, secrets.token_hex(16)
        self._listener = Listener(folder / "mcp", token, {"mcp": self._context.take})
        self._listener.start()
        return Tee(folder, folder / "mcp", token)


def _origin(server: Server) -> Origin | None:
    """Return where a server over HTTP is; None for what the agent has yet to fill in."""
    parts = urlsplit(server.url)
    try:
        return parse_origin(f"{parts.scheme}://{parts.netloc}") if server.url else None
    except ValueError:
        return None


def _instead(url: str, bases: Mapping[Origin, str]) -> str:
    """Return the address at which the agent reaches a server: ours, if we stand in for it."""
    parts = urlsplit(url)
    try:
        port = parts.port or PORTS.get(parts.scheme, 0)
    except ValueError:
        return url
    base = bases.get(Origin(parts.scheme, parts.hostname or "", port))
    return parts._replace(scheme="http", netloc=urlsplit(base).netloc).geturl() if base else url
