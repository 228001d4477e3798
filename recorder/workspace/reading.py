"""Opening and reading what is in a workspace: beneath its root, through no link, without waiting.

What is opened may be anything, and may change meanwhile: a pipe, a device, a file that grows. What
a file's content means is nobody's business here.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple, TypeAlias

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_NO_ATIME = getattr(os, "O_NOATIME", 0)
_PIECE = 1 << 20
_ATTEMPTS = 3

Signature: TypeAlias = tuple[int, int, int, int, int]
"""ctime and mtime (Unix ns), size, inode, mode: what tells that a file is as it was."""


class TooSlowError(Exception):
    """Time is up; the message says what for."""


class LeftOutError(Exception):
    """Something is not read; the message says why."""


class Reading(NamedTuple):
    """A file as it was read."""

    data: bytes
    signature: Signature
    steady: bool
    """It did not change meanwhile."""


class Deadline:
    """A moment after which nothing more is begun."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds until then."""
        return max(0.0, self._end - time.monotonic())

    def check(self) -> None:
        """Do nothing in time.

        Raises:
            TooSlowError: it is over.
        """
        if time.monotonic() > self._end:
            raise TooSlowError(f"not done within {self.seconds:g} s")


def signature_of(status: os.stat_result) -> Signature:
    """Return what tells that a file is as it was."""
    return (
        status.st_ctime_ns, status.st_mtime_ns, status.st_size, status.st_ino, status.st_mode,
    )  # fmt: skip


def open_root(path: str) -> int:
    """Open the folder that everything is beneath; it may be reached through links."""
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def open_folder(name: str, within: int) -> int:
    """Open a folder that is in another; a link in its place is an error (`OSError`)."""
    return os.open(name, _FOLDER, dir_fd=within)


@contextmanager
def opened(root: int, path: str) -> Iterator[int]:
    """Open a folder beneath the root by its path (`""` for the root, else `a/b/`).

    Raises:
        OSError: it is not there, or something on the way is no folder.
    """
    at = os.dup(root)
    try:
        for name in path.split("/")[:-1]:
            inner = open_folder(name, at)
            os.close(at)
            at = inner
        yield at
    finally:
        os.close(at)


def read(folder: int, name: str, most: int) -> Reading:
    """Read a file, again while it changes, a few times.

    Raises:
        LeftOutError: it is no regular file, or has more than `most` bytes.
        OSError: it is not there, or not to be read.
    """
    for _ in range(_ATTEMPTS):
        found = _read_once(folder, name, most)
        if found.steady:
            break
    return found


def _read_once(folder: int, name: str, most: int) -> Reading:
    descriptor = _open(folder, name)
    try:
        before = os.fstat(descriptor)
        if before.st_size > most:
            raise LeftOutError(too_long(before.st_size, most))
        pieces: list[bytes] = []
        size = 0
        while piece := os.read(descriptor, max(_PIECE, before.st_size - size + 1)):
            pieces.append(piece)
            size += len(piece)
            if size > most:
                raise LeftOutError(too_long(size, most))
        after = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    signature = signature_of(after)
    steady = signature == signature_of(before) and size == after.st_size
    return Reading(b"".join(pieces), signature, steady)


def pieces_of(folder: int, name: str, deadline: Deadline) -> Iterator[bytes]:
    """Yield a long file piece by piece.

    Raises:
        LeftOutError: it is no regular file.
        OSError: it is not there, or not to be read.
        TooSlowError: it took too long.
    """
    descriptor = _open(folder, name)
    try:
        while piece := os.read(descriptor, _PIECE):
            yield piece
            deadline.check()
    finally:
        os.close(descriptor)


def _open(folder: int, name: str) -> int:
    """Open a regular file; when it was last read stays as it was, where the system allows it."""
    try:
        descriptor = os.open(name, _FILE | _NO_ATIME, dir_fd=folder)
    except PermissionError:
        descriptor = os.open(name, _FILE, dir_fd=folder)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise LeftOutError("not a regular file")
    return descriptor


def too_long(size: int, most: int) -> str:
    """Say that a file is over the cap."""
    return f"{size} bytes, over {most}"
