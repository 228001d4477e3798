"""opencode's servers: `mcp` of its settings, the user's, the project's and those that are named.

Seen with 1.18.33: `OPENCODE_CONFIG_CONTENT` is laid over all of them, table by table, so that only
what changes need stand there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from traceproof.recorder.mcp.agents import jsonc
from traceproof.recorder.mcp.agents.base import (
    Found,
    Hold,
    Launch,
    Server,
    Table,
    Told,
    project,
    read,
    strings,
    table,
)
from traceproof.recorder.secret_files import from_credentials_json

_CONTENT = "OPENCODE_CONFIG_CONTENT"
_NAMES = ("opencode.json", "opencode.jsonc")
_SECRET = f"{_CONTENT} holds a credential"
_RELATIVE = "{file:"
"""A part of a setting that is read from a file beside it."""


class OpenCodeConfiguration:
    """opencode."""

    def find(self, launch: Launch) -> Found:
        """Find the servers that are switched on."""
        known: dict[str, Any] = {}
        for settings in (*map(read, _files(launch)), _content(launch)):
            known = _laid_over(known, table(settings, "mcp"))
        on = {
            name: given
            for name, given in known.items()
            if isinstance(given, Mapping) and given.get("enabled") is not False
        }
        servers = list(_servers(on))
        bound = [server for server in servers if _RELATIVE in " ".join((*server.argv, server.url))]
        return Found(
            tuple(server for server in servers if server not in bound),
            tuple(
                f"MCP server {server.name} is not recorded: it is read from a file"
                for server in bound
            ),
            # what it was would have to be kept for commands to get it back
            fixed=_SECRET if from_credentials_json(launch.env.get(_CONTENT, "")) else "",
        )

    def tell(self, launch: Launch, servers: Sequence[Server], _hold: Hold) -> Told:
        """Lay command lines and addresses over what the user lays over the settings."""
        tables = {server.name: _table(server) for server in servers}
        content = _laid_over(_content(launch), {"mcp": tables})
        return Told(tuple(launch.argv), {_CONTENT: json.dumps(content)})


def _files(launch: Launch) -> Iterator[Path]:
    """Yield its settings, those that go before others last."""
    env = launch.env
    user = Path(env.get("XDG_CONFIG_HOME") or launch.home / ".config") / "opencode"
    yield from (user / name for name in ("config.json", *_NAMES))
    if env.get("OPENCODE_CONFIG"):
        yield launch.cwd / env["OPENCODE_CONFIG"]
    folders = project(launch.cwd)
    yield from (folder / name for folder in folders for name in _NAMES)
    yield from (folder / ".opencode" / name for folder in folders for name in _NAMES)
    if env.get("OPENCODE_CONFIG_DIR"):
        yield from (launch.cwd / env["OPENCODE_CONFIG_DIR"] / name for name in _NAMES)


def _content(launch: Launch) -> dict[str, Any]:
    try:
        return table(jsonc.loads(launch.env.get(_CONTENT) or "{}"))
    except ValueError:
        return {}


def _laid_over(below: Table, above: Table) -> dict[str, Any]:
    """Merge tables; anything else is replaced."""
    merged = dict(below)
    for key, value in above.items():
        before = merged.get(key)
        both = isinstance(before, Mapping) and isinstance(value, Mapping)
        merged[key] = _laid_over(before, value) if both else value  # type: ignore[arg-type]
    return merged


def _servers(tables: Table) -> Iterator[Server]:
    for name, given in tables.items():
        if given.get("type") == "local" and strings(given.get("command")):
            yield Server(name, strings(given["command"]), table=given)
        elif given.get("type") == "remote" and isinstance(given.get("url"), str):
            yield Server(name, url=given["url"], table=given)


def _table(server: Server) -> dict[str, Any]:
    if server.argv:
        return {"type": "local", "command": list(server.argv)}
    return {"type": "remote", "url": server.url}
