"""What is known of an agent's MCP servers, and what it is told of them instead."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeAlias

from traceproof.recorder.mcp.agents import jsonc

Table: TypeAlias = Mapping[str, Any]


class Launch(NamedTuple):
    """How the agent is to be started, by the user's will."""

    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: Path

    @property
    def home(self) -> Path:
        """The user's home folder, as the agent sees it."""
        return Path(self.env.get("HOME") or self.cwd)


class Server(NamedTuple):
    """One server as it is configured; what the agent expands in it is not expanded.

    `argv` is its command line, else `url` its address; `table` is all that stands there.
    """

    name: str
    argv: tuple[str, ...] = ()
    url: str = ""
    table: Mapping[str, Any] = {}

    @property
    def variables(self) -> dict[str, str]:
        """Environment variables and headers that stand there: they may be credentials."""
        found: dict[str, str] = {}
        for key in ("env", "environment", "headers", "http_headers"):
            values = self.table.get(key)
            if isinstance(values, Mapping):
                found |= {str(name): str(value) for name, value in values.items()}
        token = self.table.get("bearer_token")
        return {**found, **({"bearer_token": token} if isinstance(token, str) else {})}


class Found(NamedTuple):
    """The servers that an agent will start or call, and what of them is out of reach."""

    servers: tuple[Server, ...] = ()
    notes: tuple[str, ...] = ()
    fixed: str = ""
    """Why the agent can be told nothing else of them, if it cannot."""


class Told(NamedTuple):
    """What an agent is told instead: its command line, and variables that are added."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = {}


Hold: TypeAlias = Callable[[bytes], str]
"""Keeps a file in memory and returns a path at which the agent can read it."""


class Configuration(Protocol):
    """How one agent is configured."""

    def find(self, launch: Launch, /) -> Found:
        """Find the servers that the agent will use; what cannot be read, there is none in."""

    def tell(self, launch: Launch, servers: Sequence[Server], hold: Hold, /) -> Told:
        """Return how to start the agent so that it uses these servers instead of its own.

        Each has the name of one that was found, and another command line or address.
        """


def read(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file that may have comments; {} where there is none."""
    try:
        found = jsonc.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def table(value: object, *keys: str) -> dict[str, Any]:
    """Return a table within tables; {} where there is none."""
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return dict(value) if isinstance(value, Mapping) else {}


def strings(value: object) -> tuple[str, ...]:
    """Return the strings of a list."""
    items = value if isinstance(value, list | tuple) else ()
    return tuple(item for item in items if isinstance(item, str))


def project(cwd: Path) -> list[Path]:
    """Return the folders from the root of the repository (or this folder alone) to this one."""
    above = [cwd, *cwd.parents]
    root = next((folder for folder in above if (folder / ".git").exists()), cwd)
    return above[: above.index(root) + 1][::-1]
