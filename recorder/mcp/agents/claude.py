"""Claude Code's servers: `--mcp-config`, `.mcp.json`, and two scopes of `~/.claude.json`.

Seen with 2.1.197: a server of `--mcp-config` goes before one of its name in any other place, and
has its name, its place in the order and its switch (`disabledMcpServers`) all the same. What waits
for the user's approval would not wait any more, so that is left alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from traceproof.recorder.agents import command
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

_OPTION = "--mcp-config"
_STRICT = "--strict-mcp-config"
_FILE = ".mcp.json"
_MANAGED = Path("/etc/claude-code")
_POLICIES = ("allowedMcpServers", "deniedMcpServers", "allowManagedMcpServersOnly")
_COMMANDS = frozenset({
    "agents", "auth", "auto-mode", "doctor", "gateway", "install", "mcp", "plugin", "plugins",
    "project", "setup-token", "ultrareview", "update", "upgrade",
})  # fmt: skip
_NOT_HERE = "MCP servers are not recorded: "


class ClaudeConfiguration:
    """Claude Code."""

    def __init__(self, managed: Path = _MANAGED) -> None:
        """Look for what an administrator has set in `managed`."""
        self._managed = managed

    def find(self, launch: Launch) -> Found:
        """Find the servers of all scopes that will be used."""
        words = launch.argv[command.position(launch.argv) + 1 :]
        if words[:1] and words[0] in _COMMANDS:
            return Found()
        if self._is_managed():
            return Found(notes=(f"{_NOT_HERE}an administrator says which there may be",))
        given = _given(words, launch.cwd)
        if _STRICT in words:
            return Found(tuple(_servers(given)))
        own = _own(launch)
        local = _local(own, launch.cwd)
        settings = _settings(launch)
        shared, waiting = _shared(launch, words, [*settings, local])
        known = {**table(own, "mcpServers"), **shared, **table(local, "mcpServers"), **given}
        off = {*strings(local.get("disabledMcpServers"))}
        notes = [
            f"MCP server {name} of {_FILE} is not recorded: it waits for your approval"
            for name in waiting
            if name not in known
        ]
        if any(table(each, "enabledPlugins") for each in settings):
            notes.append("MCP servers of plugins are not recorded")
        kept = {name: server for name, server in known.items() if name not in off}
        return Found(tuple(_servers(kept)), tuple(notes))

    def tell(self, launch: Launch, servers: Sequence[Server], hold: Hold) -> Told:
        """Give the servers as one more `--mcp-config`, after the user's own."""
        tables = {server.name: _table(server) for server in servers}
        path = hold(json.dumps({"mcpServers": tables}).encode())
        argv = list(launch.argv)
        start = command.position(argv) + 1
        at = argv.index("--", start) if "--" in argv[start:] else len(argv)
        # with `=`, so that no word after it is taken for one more
        return Told((*argv[:at], f"{_OPTION}={path}", *argv[at:]))

    def _is_managed(self) -> bool:
        if (self._managed / "managed-mcp.json").exists():
            return True
        folder = self._managed / "managed-settings.d"
        files = [self._managed / "managed-settings.json", *sorted(folder.glob("*.json"))]
        return any(name in read(file) for file in files for name in _POLICIES)


def _servers(tables: Table) -> Iterator[Server]:
    for name, given in tables.items():
        if not isinstance(given, Mapping):
            continue
        if given.get("type", "stdio") == "stdio" and isinstance(given.get("command"), str):
            argv = (given["command"], *strings(given.get("args")))
            yield Server(name, argv, table=given)
        elif given.get("type") in {"http", "sse"} and isinstance(given.get("url"), str):
            yield Server(name, url=given["url"], table=given)


def _table(server: Server) -> dict[str, Any]:
    if server.argv:
        return {**server.table, "command": server.argv[0], "args": list(server.argv[1:])}
    return {**server.table, "url": server.url}


def _given(words: Sequence[str], cwd: Path) -> dict[str, Any]:
    """Return the servers of `--mcp-config`: of files, and of JSON in the command line."""
    found: dict[str, Any] = {}
    for value in _values(words):
        if value.lstrip().startswith("{"):
            try:
                found |= table(jsonc.loads(value), "mcpServers")
            except ValueError:
                continue  # Claude Code will say so
        else:
            found |= table(read(cwd / value), "mcpServers")
    return found


def _values(words: Sequence[str]) -> Iterator[str]:
    """Yield the values of `--mcp-config`, which takes any number."""
    taking = False
    for word in words:
        if word == "--":
            return
        if word.startswith("-"):
            name, equals, value = word.partition("=")
            taking = name == _OPTION and not equals
            if name == _OPTION and equals:
                yield value
        elif taking:
            yield word


def _own(launch: Launch) -> dict[str, Any]:
    """Return what `.claude.json` holds: servers of the user's, and of each project."""
    folder = launch.env.get("CLAUDE_CONFIG_DIR")
    return read((Path(folder) if folder else launch.home) / ".claude.json")


def _local(own: Table, cwd: Path) -> dict[str, Any]:
    """Return what is kept of this project, by its repository or by its folder."""
    known = [table(own, "projects", str(folder)) for folder in project(cwd)]
    return next((found for found in known if found), {})


def _settings(launch: Launch) -> list[dict[str, Any]]:
    """Return the settings that may approve a project's servers: the project's own may not."""
    folder = launch.env.get("CLAUDE_CONFIG_DIR")
    user = Path(folder) if folder else launch.home / ".claude"
    return [
        read(user / "settings.json"),
        *(read(at / ".claude" / "settings.local.json") for at in project(launch.cwd)),
    ]


def _shared(
    launch: Launch, words: Sequence[str], settings: Sequence[Table]
) -> tuple[dict[str, Any], list[str]]:
    """Return the servers of the project's files that are approved, and the names of the others."""
    found: dict[str, Any] = {}
    for folder in reversed([launch.cwd, *launch.cwd.parents]):
        found |= table(read(folder / _FILE), "mcpServers")
    asks = not {"-p", "--print"} & set(words)
    refused = {name for each in settings for name in strings(each.get("disabledMcpjsonServers"))}
    allowed = {name for each in settings for name in strings(each.get("enabledMcpjsonServers"))}
    every = any(each.get("enableAllProjectMcpServers") is True for each in settings)
    used = {
        name: server
        for name, server in found.items()
        if name not in refused and (name in allowed or every or not asks)
    }
    return used, [name for name in found if name not in used and name not in refused]
