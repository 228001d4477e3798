"""Gemini CLI's servers: `mcpServers` of its settings, the machine's, the user's and the project's.

Seen with 0.61.0: the system's settings go before all others, a server replaces one of its name
whole, and `GEMINI_CLI_SYSTEM_SETTINGS_PATH` says where they are. It takes them from root alone.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from traceproof.recorder.mcp.agents.base import (
    Found,
    Hold,
    Launch,
    Server,
    Table,
    Told,
    read,
    strings,
    table,
)

_FOLDER = ".gemini"
_SYSTEM = "GEMINI_CLI_SYSTEM_SETTINGS_PATH"
_DEFAULTS = "GEMINI_CLI_SYSTEM_DEFAULTS_PATH"
_USUAL = "/etc/gemini-cli/settings.json"
_TABLES = "mcpServers"
_ROOT = "Gemini CLI takes settings of the machine from root alone"
_OTHERS_WRITE = 0o022


class GeminiConfiguration:
    """Gemini CLI."""

    def find(self, launch: Launch) -> Found:
        """Find the servers of all settings."""
        home = Path(launch.env.get("GEMINI_CLI_HOME") or launch.home)
        files = [
            _defaults(launch),
            home / _FOLDER / "settings.json",
            launch.cwd / _FOLDER / "settings.json",
        ]
        known: dict[str, Any] = {}
        for settings in (*map(read, files), _of_root(_system(launch))):
            known |= table(settings, _TABLES)
        extensions = home / _FOLDER / "extensions"
        there = any(extensions.glob("*/gemini-extension.json"))
        notes = ("MCP servers of extensions are not recorded",) if there else ()
        return Found(tuple(_servers(known)), notes, fixed=_ROOT if os.geteuid() else "")

    def tell(self, launch: Launch, servers: Sequence[Server], hold: Hold) -> Told:
        """Give settings of the system's, as they are but for the servers."""
        settings = _of_root(_system(launch))
        tables = {server.name: _table(server) for server in servers}
        settings[_TABLES] = {**table(settings, _TABLES), **tables}
        path = hold(json.dumps(settings).encode())
        # else it would look for the defaults beside what we give it
        return Told(tuple(launch.argv), {_SYSTEM: path, _DEFAULTS: str(_defaults(launch))})


def _system(launch: Launch) -> Path:
    return Path(launch.env.get(_SYSTEM) or _USUAL)


def _defaults(launch: Launch) -> Path:
    given = launch.env.get(_DEFAULTS)
    return Path(given) if given else _system(launch).with_name("system-defaults.json")


def _of_root(path: Path) -> dict[str, Any]:
    """Return the settings of the machine, if Gemini CLI would take them."""
    try:
        found = path.stat()
    except OSError:
        return {}
    return read(path) if found.st_uid == 0 and not found.st_mode & _OTHERS_WRITE else {}


def _servers(tables: Table) -> Iterator[Server]:
    for name, given in tables.items():
        if not isinstance(given, Mapping):
            continue
        url = given.get("httpUrl") or given.get("url")
        if isinstance(url, str):
            yield Server(name, url=url, table=given)
        elif isinstance(given.get("command"), str):
            yield Server(name, (given["command"], *strings(given.get("args"))), table=given)


def _table(server: Server) -> dict[str, Any]:
    if server.argv:
        return {**server.table, "command": server.argv[0], "args": list(server.argv[1:])}
    key = "httpUrl" if server.table.get("httpUrl") else "url"
    return {**server.table, key: server.url}
