"""A submodule as a snapshot sees it: the commit it is at, and whether anything in it changed.

Its `.git` is read, not asked: git would obey what is configured there. What the files in it hold is
not looked at.
"""

from __future__ import annotations

import os
import re
import stat
import zlib
from pathlib import Path
from typing import NamedTuple

from traceproof.recorder.workspace.reading import Deadline, open_folder

_MOST = 1 << 12
_MOST_PACKED = 16 << 20
_LINKS = 5
_DEEPEST = 100
_OID = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")


class Submodule(NamedTuple):
    """The commit (empty: none is checked out), and a sum over the marks of all files in it.

    `newest` is when anything of it changed last (Unix ns), be it in its `.git`.
    """

    commit: str
    content: int
    newest: int = 0

    def same(self, other: Submodule) -> bool:
        """Tell whether it is as it was."""
        return self[:2] == other[:2]


def look_at(folder: int, path: Path, deadline: Deadline) -> Submodule:
    """Look at the submodule that is open as `folder` and lies at `path`.

    Raises:
        TooSlowError: it took too long.
    """
    commit, moved = _head(path)
    content, changed = _sum(folder, deadline, 0)
    return Submodule(commit, content, max(moved, changed))


def _sum(folder: int, deadline: Deadline, depth: int) -> tuple[int, int]:
    """Return a sum over all marks in a folder, and the newest of them."""
    deadline.check()
    total, newest = 0, os.fstat(folder).st_mtime_ns
    with os.scandir(folder) as listing:
        for entry in listing:
            if entry.name == ".git":
                continue
            try:
                mark, changed = _mark(folder, entry, deadline, depth)
            except OSError:
                continue  # it went, or is not ours to look into
            total, newest = total ^ mark, max(newest, changed)
    return total, newest


def _mark(folder: int, entry: os.DirEntry[str], deadline: Deadline, depth: int) -> tuple[int, int]:
    status = entry.stat(follow_symlinks=False)
    marks: tuple[int, ...] = (status.st_ino, status.st_mode)
    newest = status.st_ctime_ns
    if not stat.S_ISDIR(status.st_mode):
        marks = (*marks, status.st_mtime_ns, status.st_size)
    elif depth < _DEEPEST:
        inner = open_folder(entry.name, folder)
        try:
            below, newest = _sum(inner, deadline, depth + 1)
        finally:
            os.close(inner)
        marks = (*marks, below)
    return zlib.crc32(repr(marks).encode(), zlib.crc32(os.fsencode(entry.name))), newest


def _head(folder: Path) -> tuple[str, int]:
    """Read which commit is checked out, the way git writes it down, and when that was done."""
    moved = 0
    try:
        git = _git_folder(folder)
        moved = git.stat().st_mtime_ns
        text = _text(git / "HEAD")
        for _ in range(_LINKS):
            if not text.startswith("ref: "):
                break
            text = _reference(git, text.removeprefix("ref: "))
    except (OSError, ValueError):
        text = ""
    return text if _OID.fullmatch(text) else "", moved


def _git_folder(folder: Path) -> Path:
    mark = folder / ".git"
    if mark.is_dir():
        return mark
    named = _text(mark)
    if not named.startswith("gitdir: "):
        raise ValueError("no repository")
    return folder / named.removeprefix("gitdir: ")


def _reference(git: Path, name: str) -> str:
    if ".." in name.split("/") or name.startswith("/"):
        raise ValueError("no reference")
    places = [git]
    if (git / "commondir").is_file():
        places.append(git / _text(git / "commondir"))
    for place in places:
        if (place / name).is_file():
            return _text(place / name)
    with (places[-1] / "packed-refs").open("rb") as file:
        for line in file.read(_MOST_PACKED).decode(errors="replace").splitlines():
            oid, _, named = line.partition(" ")
            if named == name:
                return oid
    return ""


def _text(path: Path) -> str:
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:  # noqa: PTH123 - it is open already
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("not a regular file")
        return file.read(_MOST).decode(errors="replace").strip()
