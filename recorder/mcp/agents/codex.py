"""Codex's servers: `[mcp_servers.NAME]` of `config.toml`, the user's and a trusted project's.

Seen with 0.169.0: a setting given by `-c` goes before the same one of a file and leaves the others
of its table as they are; so environment, folder and time limits stay where they were.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from traceproof.recorder.agents import codex_settings, command
from traceproof.recorder.mcp.agents.base import (
    Found,
    Hold,
    Launch,
    Server,
    Table,
    Told,
    project,
    strings,
    table,
)

_TABLES = "mcp_servers"
_NAME = re.compile(r"[A-Za-z0-9_-]+")
_SYSTEM = Path("/etc/codex")
_OPTIONS = ("-c", "--config")


class CodexConfiguration:
    """Codex."""

    def __init__(self, system: Path = _SYSTEM) -> None:
        """Look for the machine's settings in `system`."""
        self._system = system

    def find(self, launch: Launch) -> Found:
        """Find the servers that are switched on."""
        if _TABLES in _toml(self._system / "requirements.toml"):
            return Found(
                notes=("MCP servers are not recorded: an administrator says which there may be",)
            )
        home = codex_settings.folder(launch.env, launch.home)
        user = _toml(home / "config.toml")
        tables = [table(_toml(self._system / "config.toml"), _TABLES), table(user, _TABLES)]
        tables += [table(_toml(path), _TABLES) for path in _trusted(user, launch.cwd)]
        known: dict[str, dict[str, Any]] = {}
        for each in tables:
            for name, given in each.items():
                known[name] = {**known.get(name, {}), **table(given)}
        told = {name for name in known if _given_by_option(launch.argv, name)}
        notes = [f"MCP server {name} is not recorded: an option names it" for name in sorted(told)]
        usable = {
            name: given
            for name, given in known.items()
            if given.get("enabled") is not False and name not in told and _NAME.fullmatch(name)
        }
        return Found(tuple(_servers(usable)), tuple(notes))

    def tell(self, launch: Launch, servers: Sequence[Server], _hold: Hold) -> Told:
        """Give command lines and addresses as settings, right after the program."""
        options: list[str] = []
        for server in servers:
            key = f"{_TABLES}.{server.name}"
            if server.argv:
                options += ["-c", f"{key}.command={json.dumps(server.argv[0])}"]
                options += ["-c", f"{key}.args={json.dumps(server.argv[1:])}"]
            else:
                options += ["-c", f"{key}.url={json.dumps(server.url)}"]
        at = command.position(launch.argv) + 1
        return Told((*launch.argv[:at], *options, *launch.argv[at:]))


def _servers(tables: Mapping[str, Table]) -> Iterator[Server]:
    for name, given in tables.items():
        if isinstance(given.get("command"), str):
            yield Server(name, (given["command"], *strings(given.get("args"))), table=given)
        elif isinstance(given.get("url"), str):
            yield Server(name, url=given["url"], table=given)


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}


def _trusted(user: Table, cwd: Path) -> Iterator[Path]:
    """Yield the settings of this project, where the user's say that it is trusted."""
    folders = project(cwd)
    levels = [table(user, "projects", str(folder)).get("trust_level") for folder in folders]
    if "trusted" in levels:
        yield from (folder / ".codex" / "config.toml" for folder in folders)


def _given_by_option(argv: Sequence[str], name: str) -> bool:
    """Tell whether the command line itself says something of a server."""
    key = f"{_TABLES}.{name}."
    for before, word in zip(("", *argv), argv, strict=False):
        value = word.partition("=")[2] if word.startswith("--config=") else word
        if before in _OPTIONS or value is not word:
            setting = value.partition("=")[0].strip()
            if setting == _TABLES or f"{setting}.".startswith(key):
                return True
    return False
