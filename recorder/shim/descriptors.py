"""What the standard streams of a process are, without touching them."""

from __future__ import annotations

import fcntl
import os
import stat

PIPE, FILE, SOCKET, TTY = "pipe", "file", "socket", "tty"
NULL, CLOSED, OTHER = "null", "closed", "other"

_DEV_NULL = os.makedev(1, 3)


class Descriptor:
    """One standard stream.

    Attributes:
        number: 0, 1 or 2.
        kind: One of the constants of this module.
        identity: The same for descriptors of one file, pipe, socket or terminal.
        flags: The flags it was opened with.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self.kind = CLOSED
        self.identity = (0, 0)
        self.flags = 0
        try:
            status = os.fstat(number)
        except OSError:
            return
        self.identity = (status.st_dev, status.st_ino)
        self.flags = fcntl.fcntl(number, fcntl.F_GETFL)
        self.kind = _kind(number, status)

    def writable(self) -> bool:
        """Tell whether it can only be written to."""
        return self.flags & os.O_ACCMODE == os.O_WRONLY


def standard() -> list[Descriptor]:
    """Return what descriptors 0, 1 and 2 are."""
    return [Descriptor(number) for number in range(3)]


def _kind(number: int, status: os.stat_result) -> str:
    mode = status.st_mode
    if stat.S_ISFIFO(mode):
        return PIPE
    if stat.S_ISREG(mode):
        return FILE
    if stat.S_ISSOCK(mode):
        return SOCKET
    if not stat.S_ISCHR(mode):
        return OTHER
    if status.st_rdev == _DEV_NULL:
        return NULL
    return TTY if os.isatty(number) else OTHER
