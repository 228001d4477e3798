"""Start a program in a mount namespace of its own, with files over others; ask if that goes.

What happens in the child is `traceproof.recorder.shim.enter`. This module knows nothing of agents,
and does not know what the files are.
"""

from __future__ import annotations

import errno
import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, NamedTuple, TypeAlias

from traceproof.recorder.shim import enter

Kind: TypeAlias = Literal["mount", "user"]
"""`mount` needs root; `user` makes a user namespace first, and gives up what that gives."""

_PROGRAM = (sys.executable, "-I", "-S", enter.__file__)
_NUDGE = 0.1
"""Seconds after which a child that has not become the program is told to go on: Ctrl-Z stops it."""

_PATIENCE = 10


class Cover(NamedTuple):
    """A file, another one to lie over it, and an empty one where the file itself is to be found."""

    file: str
    placeholder: str
    over: str


class Entry(NamedTuple):
    """The namespace to make. Its number and the one outside it are written into `folder`."""

    kind: Kind
    folder: str
    covers: tuple[Cover, ...]


class NamespaceRefusedError(OSError):
    """The system does not allow the namespace."""


@cache
def refusal(kind: Kind) -> str:
    """Return why this user cannot have such a namespace here, "" where that goes."""
    if not sys.platform.startswith("linux"):
        return "namespaces are of Linux"
    if kind == "mount" and os.getuid() != 0:
        return "only root may"
    with TemporaryDirectory(prefix="traceproof-") as folder:
        placeholder, over = Path(folder, "placeholder"), Path(folder, "over")
        placeholder.touch()
        over.touch()
        cover = Cover(str(over), str(placeholder), str(over))
        reader, writer = os.pipe()
        with os.fdopen(reader, "rb") as reports:
            words = _words(writer, Entry(kind, folder, (cover,)), "/bin/true", ["true"])
            subprocess.run(words, pass_fds=[writer], timeout=_PATIENCE, check=False)
            os.close(writer)
            problem = _problem(reports.read())
    return "" if problem is None else f"{problem.filename}: {problem.strerror}"


def spawn(
    path: str,
    argv: Sequence[str],
    env: Mapping[str, str],
    entry: Entry,
    defaults: Sequence[int],
) -> int:
    """Start a program in a namespace.

    Args:
        path: The program.
        argv: Its command line.
        env: Its whole environment.
        entry: The namespace.
        defaults: The signals that are to be at their defaults in it.

    Returns:
        Its pid, once it is running.

    Raises:
        NamespaceRefusedError: there is no such namespace to be had; nothing was started.
        OSError: the program cannot be run.
    """
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as reports:
        try:
            words = _words(writer, entry, path, argv)
            inherit = [(os.POSIX_SPAWN_DUP2, writer, writer)]
            pid = os.posix_spawn(words[0], words, env, file_actions=inherit, setsigdef=defaults)
        finally:
            os.close(writer)
        while not select.select([reports], [], [], _NUDGE)[0]:
            os.kill(pid, signal.SIGCONT)
        problem = _problem(reports.read())
    if problem is not None:
        with suppress(ChildProcessError):
            os.waitpid(pid, 0)
        raise problem
    return pid


def _words(writer: int, entry: Entry, path: str, argv: Sequence[str]) -> list[str]:
    covers = [word for cover in entry.covers for word in cover]
    told = [str(writer), entry.kind, entry.folder, str(len(entry.covers)), *covers]
    return [*_PROGRAM, *told, path, *argv]


def _problem(told: bytes) -> OSError | None:
    """Return what the child reported, None if it has become the program."""
    last = told.splitlines()[-1:] or [b"N 0 it ended early"]
    kind, *words = os.fsdecode(last[0]).split(" ", 2)
    if kind == "R":
        return None
    number = int(words[0])
    if kind == "X":
        return OSError(number, os.strerror(number))
    what = os.strerror(number) if number else os.strerror(errno.EIO)
    return NamespaceRefusedError(number, what, words[1])
