"""The store: the folder that holds a project's traces, and how to name one of them.

The folder is private (0700) and ignored by git. What a trace says is the reader's business; a
listing asks it for a few facts.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, Self

from traceproof.recorder.errors import TraceNotFound
from traceproof.recorder.summary import Summary, summarise

VARIABLE = "TRACEPROOF_STORE"
FOLDER = ".traceproof"
SUFFIX = ".otlp.jsonl.zst"
LAST = "last"
_SHOWN = 3
_ID_LENGTH = 12


class TraceName(NamedTuple):
    """What a trace's file name says: when it began (UTC), which agent, and its id."""

    started: str
    agent: str
    id: str


class Store:
    """A store at a folder, which need not exist before `create`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def locate(cls, environment: Mapping[str, str], folder: Path) -> Self:
        """Find the store for work in `folder`.

        `TRACEPROOF_STORE` names it; else it is in the nearest folder upwards that has a store or is
        a git repository, else in `folder` itself.
        """
        named = environment.get(VARIABLE, "")
        if named:
            return cls(folder / Path(named).expanduser())
        for above in (folder, *folder.parents):
            if (above / FOLDER).is_dir() or (above / ".git").exists():
                return cls(above / FOLDER)
        return cls(folder / FOLDER)

    @property
    def traces_path(self) -> Path:
        """The folder of the traces themselves."""
        return self.path / "traces"

    def create(self) -> None:
        """Make the folders, if they are not there.

        Raises:
            OSError: that is not possible.
        """
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.traces_path.mkdir(mode=0o700, exist_ok=True)
        ignore = self.path / ".gitignore"
        if not ignore.exists() or not ignore.stat().st_size:  # a full disk leaves an empty one
            ignore.write_text("*\n")

    @staticmethod
    def short_id(trace_id: str) -> str:
        """Return as much of a trace's id as its file name holds."""
        return trace_id[:_ID_LENGTH]

    def new_trace_path(self, started: int, agent: str, trace_id: str) -> Path:
        """Return the path for a trace that began at `started` (Unix nanoseconds)."""
        time = datetime.fromtimestamp(started // 10**9, UTC).strftime("%Y%m%dT%H%M%SZ")
        name = re.sub(r"[^A-Za-z0-9_.]+", "_", agent).strip("._") or "agent"
        return self.traces_path / f"{time}-{name}-{self.short_id(trace_id)}{SUFFIX}"

    def paths(self) -> list[Path]:
        """Return the traces' paths, oldest first.

        Raises:
            OSError: the store is no folder, or not to be read.
        """
        if self.path.exists() and not self.path.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "a store is a folder", str(self.path))
        if not self.traces_path.is_dir():
            return []
        found = [path for path in self.traces_path.iterdir() if path.name.endswith(SUFFIX)]
        return sorted(path for path in found if not path.name.startswith("."))

    def traces(self) -> Iterator[Summary]:
        """Yield a summary of each trace, oldest first; one that cannot be read says why."""
        return (summarise(path) for path in self.paths())

    def find(self, name: str) -> Path:
        """Return the trace that a name stands for.

        That is a path, a file name in the store, the beginning of one or of an id, or `last`.

        Raises:
            TraceNotFound: no trace answers to it, or several do.
        """
        if os.path.isfile(name):  # noqa: PTH113 - which minds no name, however long
            return Path(name)
        paths = self.paths()
        if name == LAST and paths:
            return paths[-1]
        found = [path for path in paths if path.name in (name, name + SUFFIX)]
        found = found or [path for path in paths if name and _begins(path, name)]
        if len(found) == 1:
            return found[0]
        raise TraceNotFound(_not_found(name, found, self.path, empty=not paths))


def parse_name(path: Path) -> TraceName:
    """Read a trace's file name; what is missing in a foreign one is empty."""
    started, _, rest = path.name.removesuffix(SUFFIX).partition("-")
    agent, _, trace_id = rest.rpartition("-")
    return TraceName(started, agent, trace_id)


def _begins(path: Path, name: str) -> bool:
    return path.name.startswith(name) or parse_name(path).id.startswith(name)


def _not_found(name: str, found: list[Path], store: Path, *, empty: bool) -> str:
    if empty:
        return f"no trace {name!r}: the store {store} is empty (`traceproof record` fills it)"
    if not found:
        return f"no trace {name!r} in {store}: `traceproof ls` lists those there are"
    shown = ", ".join(parse_name(path).id or path.name for path in found[:_SHOWN])
    more = ", …" if len(found) > _SHOWN else ""
    return f"{name!r} could be any of {len(found)} traces ({shown}{more}): give more of the name"
