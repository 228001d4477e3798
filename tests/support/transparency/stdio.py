"""Standard streams of every kind, in the worker: the command's ends and the agent's ends."""

from __future__ import annotations

import fcntl
import os
import socket
import termios
from typing import Any

from support.transparency import places

BEFORE = b"before\n"
"""What a file to append to holds already."""

SIZE = (37).to_bytes(2, "little") + (101).to_bytes(2, "little") + bytes(4)
"""Rows and columns of a terminal."""

_FITS = 60_000
_LOCAL = 3


class Stdio:
    """What a command gets as descriptors 0, 1 and 2.

    Args:
        folder: For the files.
        job: The kinds: `null`, `closed`, `pipe`, `socket`, `file`, `append`, `pty`; for descriptor
            2 `=` as well: the same as 1. All terminals of a command are one, except where 1 and 2
            are apart.
    """

    def __init__(self, folder: str, job: dict[str, Any]) -> None:
        self._folder = folder
        self.data: bytes = job["data"]
        """What is still to be typed."""
        self._echo: bool = job["echo"]
        self._masters: list[int] = []
        self._slaves: list[int] = []
        self._files: dict[int, str] = {}
        self.given: list[int | None] = [None, None, None]
        self.reads: dict[int, int] = {}
        """Where the agent reads what was written to a descriptor."""
        self.typed = -1
        """Where the agent writes what is to be read from descriptor 0."""
        self._stdin = -1
        kinds = job["stdio"]
        self._output(1, kinds[1])
        if kinds[2] == "=":
            self.given[2] = self.given[1]
        else:
            self._output(2, kinds[2])
        self._input(kinds[0])
        self._extra(job["descriptors"])

    def _output(self, number: int, kind: str) -> None:
        if kind == "null":
            self.given[number] = os.open(os.devnull, os.O_WRONLY)
        elif kind in ("file", "append"):
            path = os.path.join(self._folder, f"{number}")  # noqa: PTH118
            places.make(path, BEFORE if kind == "append" else b"", 0o644)
            extra = os.O_APPEND if kind == "append" else 0
            self.given[number] = os.open(path, os.O_WRONLY | extra)
            self._files[number] = path
        elif kind == "pipe":
            self.reads[number], self.given[number] = os.pipe()
        elif kind == "socket":
            ours, theirs = socket.socketpair()
            self.reads[number], self.given[number] = ours.detach(), theirs.detach()
        elif kind == "pty":
            self.reads[number], self.given[number] = self._terminal()

    def _input(self, kind: str) -> None:
        if kind == "null":
            self.given[0] = os.open(os.devnull, os.O_RDONLY)
        elif kind == "file":
            path = os.path.join(self._folder, "0")  # noqa: PTH118
            places.make(path, self.data, 0o644)
            self._stdin = os.open(path, os.O_RDONLY)
            self.given[0] = os.dup(self._stdin)
        elif kind == "pipe":
            self._stdin, self.typed = os.pipe()
            self.given[0] = os.dup(self._stdin)
            self._begin()
        elif kind == "socket":
            ours, theirs = socket.socketpair()
            self.typed, self._stdin = ours.detach(), theirs.detach()
            self.given[0] = os.dup(self._stdin)
            self._begin()
        elif kind == "pty":
            if not self._masters:
                self._terminal()
            self.typed, self.given[0] = self._masters[0], self._slaves[0]

    def _begin(self) -> None:
        """Let the input be there before the command is, as far as it fits."""
        os.write(self.typed, self.data[:_FITS])
        self.data = self.data[_FITS:]

    def _terminal(self) -> tuple[int, int]:
        master, slave = os.openpty()
        settings = termios.tcgetattr(slave)
        if not self._echo:
            settings[_LOCAL] &= ~termios.ECHO
        termios.tcsetattr(slave, termios.TCSANOW, settings)
        fcntl.ioctl(master, termios.TIOCSWINSZ, SIZE)
        self._masters.append(master)
        self._slaves.append(slave)
        return master, slave

    def _extra(self, numbers: list[int]) -> None:
        self._more = []
        for number in numbers:
            self.reads[number], given = os.pipe()
            self._more.append((given, number))

    @property
    def master(self) -> int:
        """The agent's side of the first terminal."""
        return self._masters[0]

    def hang_up(self) -> None:
        """Let go of the first terminal while the command runs."""
        master = self._masters.pop(0)
        os.close(master)
        self.reads = {number: end for number, end in self.reads.items() if end != master}
        self.typed = -1

    def control(self) -> None:
        """Make the first terminal that of this session."""
        if self._slaves:
            fcntl.ioctl(self._slaves[0], termios.TIOCSCTTY, 0)

    def enter(self) -> None:
        """Make the command's ends this process's descriptors, and close all others."""
        high = [
            (fcntl.fcntl(given, fcntl.F_DUPFD, 100), number)
            for given, number in (*zip(self.given, range(3), strict=True), *self._more)
            if given is not None
        ]
        os.closerange(0, 100)
        for given, number in high:
            os.dup2(given, number)
        os.closerange(100, 300)

    def started(self) -> None:
        """Let go of the command's ends."""
        for number in {*self._slaves, *(one for one in self.given if one is not None)}:
            os.close(number)
        for number, _ in self._more:
            os.close(number)

    def close_all(self) -> None:
        """Hold nothing any more."""
        self.started()
        for number in {*self._masters, *self.reads.values(), self.typed, self._stdin} - {-1}:
            os.close(number)

    def left(self) -> dict[str, Any]:
        """Return what is in the files, unread in descriptor 0, and set on terminals; let go."""
        found: dict[str, Any] = {
            "written": {number: places.read(path) for number, path in self._files.items()},
            "unread": self._unread(),
            "terminals": [
                (repr(termios.tcgetattr(one)), fcntl.ioctl(one, termios.TIOCGWINSZ, bytes(8)))
                for one in self._masters
            ],
        }
        for number in {*self._masters, *self.reads.values(), self._stdin} - {-1}:
            os.close(number)
        return found

    def _unread(self) -> bytes:
        if self._stdin < 0:
            return b""
        try:
            os.set_blocking(self._stdin, False)
            return places.short(b"".join(iter(lambda: os.read(self._stdin, 1 << 16), b"")))
        except BlockingIOError:
            return b"(still open)"
