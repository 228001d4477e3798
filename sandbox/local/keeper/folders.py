"""Files of a box, handled from inside it: the copy of the tree, streams in, single files out.

What the commands may have changed is opened name by name, never through a link they made.
"""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

from traceproof.sandbox import tar
from traceproof.sandbox.local.keeper.plan import Plan

_FOLDER = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CHUNK = 1 << 20


def unpack(to: int) -> None:
    """Unpack the tar stream on stdin under an open folder."""
    stream = iter(lambda: sys.stdin.buffer.read(_CHUNK), b"")
    tar.unpack(stream, to, links="any")


def show(inside: int, name: str, limit: int) -> None:
    """Write a regular file to stdout.

    Raises:
        FileNotFoundError: there is none.
        ValueError: it is no regular file, or larger than the limit.
    """
    number = _open_file(inside, name)
    status = os.fstat(number)
    if not stat.S_ISREG(status.st_mode):
        raise ValueError(f"{name} is no regular file")
    if status.st_size > limit:
        raise ValueError(f"{name} has {status.st_size} bytes; the limit is {limit}")
    with os.fdopen(number, "rb") as file:
        sys.stdout.buffer.write(file.read(limit))
        sys.stdout.buffer.flush()


def opened(plan: Plan, private: int, path: str, *, make: bool = False) -> int:
    """Open a folder of the box: one of its own, or below one.

    Args:
        plan: the box.
        private: its `private`, open.
        path: what to open; relative: to the workspace.
        make: whether to make what is missing.

    Raises:
        FileNotFoundError: there is none.
        ValueError: the path is elsewhere, or leads over a link.
    """
    top, rest = _within(plan, path)
    if top == Path(plan.here, "private"):
        number = os.dup(private)
    else:
        number = os.open(top, os.O_DIRECTORY | os.O_CLOEXEC)
    for name in rest:
        number = _step(number, name, make=make)
    return number


def _within(plan: Plan, path: str) -> tuple[Path, tuple[str, ...]]:
    full = Path(plan.workspace, path)
    if ".." in full.parts:
        raise ValueError(f"{path} has a `..` in it")
    here = Path(plan.here)
    tops = [Path(plan.workspace), here / "private", here / "home", here / "tmp"]
    if plan.spaces:
        tops.append(Path("/tmp"))  # noqa: S108 - the box's own
    for top in tops:
        if full.is_relative_to(top):
            return top, full.relative_to(top).parts
    raise ValueError(f"{path} is outside of the box")


def _step(folder: int, name: str, *, make: bool) -> int:
    try:
        if make and not _has(folder, name):
            os.mkdir(name, dir_fd=folder)
        return os.open(name, _FOLDER, dir_fd=folder)
    except NotADirectoryError:
        raise ValueError(f"{name} is no folder") from None
    finally:
        os.close(folder)


def _has(folder: int, name: str) -> bool:
    try:
        os.lstat(name, dir_fd=folder)
    except FileNotFoundError:
        return False
    return True


def _open_file(folder: int, name: str) -> int:
    if stat.S_ISLNK(os.lstat(name, dir_fd=folder).st_mode):
        raise ValueError(f"{name} is no regular file")
    return os.open(name, _FILE, dir_fd=folder)
