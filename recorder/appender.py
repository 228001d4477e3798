"""A file that only grows, and does not forget what it could not write yet.

It knows bytes, not traces. A full disk, a file-size limit or a failing device never raise here:
what could not be written stays in memory, in order, and is tried again from the exact byte at which
the file stopped. What the device failed to keep once it had taken it (an error of `fdatasync` or
`close`) cannot be tried again, and is a problem for good.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from pathlib import Path


class Appender:
    """Appends bytes to a new file of mode 0600, which it locks against `repair`."""

    def __init__(self, path: Path) -> None:
        """Create the file.

        Raises:
            OSError: it exists already, or cannot be made.
        """
        flags = os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_WRONLY | os.O_CLOEXEC
        self._fd = os.open(path, flags, 0o600)
        with contextlib.suppress(OSError):  # some network file systems have no locks
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._backlog = bytearray()
        self._size = 0
        self._unwritten: OSError | None = None
        self._unkept: OSError | None = None

    @property
    def problem(self) -> OSError | None:
        """What keeps bytes from the disk at present, or has lost some."""
        return self._unkept or self._unwritten

    @property
    def blocked(self) -> OSError | None:
        """What keeps bytes from the disk at present; they may get there yet."""
        return self._unwritten

    @property
    def backlog(self) -> int:
        """How many bytes wait to be written."""
        return len(self._backlog)

    def append(self, data: bytes) -> None:
        """Take bytes; `drain` writes them."""
        self._backlog += data

    def drain(self) -> bool:
        """Write what waits; returns True when nothing waits any more."""
        try:
            while self._backlog:
                self._written(os.write(self._fd, self._backlog))
        except OSError as error:
            self._resume()
            self._unwritten = error
            return False
        self._unwritten = None
        return True

    def sync(self) -> None:
        """Ask for what was written to survive a loss of power, where the file can promise that.

        The kernel tells of an error once and then takes the bytes for written, so it is remembered.
        """
        try:
            os.fdatasync(self._fd)
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.EROFS):
                self._unkept = self._unkept or error

    def close(self) -> None:
        """Close the file; what still waits is lost."""
        try:
            os.close(self._fd)
        except OSError as error:
            self._unkept = self._unkept or error

    def _written(self, count: int) -> None:
        self._size += count
        del self._backlog[:count]

    def _resume(self) -> None:
        """After an error, ask the file where it stands: part of the bytes may have arrived."""
        with contextlib.suppress(OSError):
            arrived = os.fstat(self._fd).st_size - self._size
            if 0 < arrived <= len(self._backlog):
                self._written(arrived)
