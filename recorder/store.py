"""The store: the folder that holds a project's traces, and how to name one of them.

The folder is private (0700) and ignored by git. It may have come with a clone or an archive, so
nothing that is in it leads out of it. What a trace says is the reader's business; a listing asks it
for a few facts.
"""

from __future__ import annotations

import errno
import os
import re
import stat
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
_FOLDERS = ("traces", "control")


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
        a git repository, else in `folder` itself. Only who names it may name a link.
        """
        named = environment.get(VARIABLE, "")
        if named:
            path = folder / Path(named).expanduser()
            return cls(path.resolve() if path.is_symlink() else path)
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
            OSError: that is not possible, or one of them is a link.
        """
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(_open_folder(self.path))
        for name in _FOLDERS:
            make_private(self.path / name)
        _hide_from_git(self.path)

    @staticmethod
    def short_id(trace_id: str) -> str:
        """Return as much of a trace's id as its file name holds: letters and digits alone."""
        return re.sub(r"[^A-Za-z0-9]+", "", trace_id)[:_ID_LENGTH]

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
        return sorted(path for path in found if not path.name.startswith(".") and path.is_file())

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


def make_private(folder: Path) -> None:
    """Make a folder that its owner alone can look into.

    Raises:
        OSError: that is not possible, or it is a link, which could lead anywhere.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = _open_folder(folder)
    try:
        status = os.fstat(handle)
        if stat.S_IMODE(status.st_mode) & 0o077 and status.st_uid == os.geteuid():
            os.fchmod(handle, 0o700)
    finally:
        os.close(handle)


def _open_folder(folder: Path) -> int:
    try:
        return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        if folder.is_symlink():
            why = "a link in the place of a folder of the store; remove it"
            raise NotADirectoryError(errno.ENOTDIR, why, str(folder)) from None
        raise


def _hide_from_git(folder: Path) -> None:
    """Write a `.gitignore` that hides everything, unless there is one that does.

    In a folder that the user named, one that is there already is his own business.
    """
    file = folder / ".gitignore"
    ours = folder.name == FOLDER
    try:
        handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError:
        if not file.is_symlink():
            raise
        if ours:
            file.unlink()
            _hide_from_git(folder)
        return
    try:
        there = os.read(handle, 1 << 16)
        if not there or (ours and not _hides_all(there)):  # a full disk leaves an empty one
            os.fchmod(handle, 0o600)
            os.ftruncate(handle, 0)
            os.pwrite(handle, b"*\n", 0)
    finally:
        os.close(handle)


def _hides_all(content: bytes) -> bool:
    rules = content.splitlines()
    return b"*" in rules and not any(rule.startswith(b"!") for rule in rules)


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
