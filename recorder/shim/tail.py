"""A regular file that a command writes to, read alongside: nobody waits for us, nothing changes."""

from __future__ import annotations

import os

from traceproof.recorder.shim.streams import Tail

CHUNK = 65536


class Follower:
    """The reader of a file, in the relay's process."""

    def __init__(self, tail: Tail) -> None:
        self.kind = tail.kind
        self._tail = tail
        self._agent = os.dup(tail.agent)
        self._at = tail.start
        self._end: int | None = None
        self._file = os.open(f"/proc/self/fd/{tail.agent}", os.O_RDONLY | os.O_CLOEXEC)

    @property
    def ended(self) -> bool:
        """Whether all that the command wrote has been read."""
        return self._end is not None and self._at >= self._end

    def descriptors(self) -> set[int]:
        """Return those it needs."""
        return {self._agent, self._file}

    def stop(self) -> None:
        """Read no further than what is there now: the command has ended."""
        size = os.fstat(self._agent).st_size
        where = size if self._tail.appends else os.lseek(self._agent, 0, os.SEEK_CUR)
        self._end = where if self._tail.start <= where <= size else size

    def give_up(self) -> None:
        """Read no further at all."""
        self._end = self._at

    def read(self) -> bytes:
        """Return what has come, up to a chunk of it."""
        count = CHUNK if self._end is None else min(CHUNK, self._end - self._at)
        data = os.pread(self._file, count, self._at) if count > 0 else b""
        self._at += len(data)
        if not data and self._end is not None:
            self._end = self._at
        return data
