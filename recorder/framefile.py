"""The frames of a file, decompressed one at a time, the last few kept.

It knows frames and lines, not what a line says.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from pathlib import Path

from traceproof.recorder.frames import FrameError, read_frame
from traceproof.recorder.seektable import Frame, Gap, read_seek_table, walk

KEPT = 8 << 20
"""Plain bytes of frames kept in memory at most, beside the one in use."""


class FrameFile:
    """A file of frames, opened for reading; `problems` are one-line notes on what is damaged.

    `closed` tells whether the file ends with a seek table, as a recorder leaves it.
    """

    def __init__(self, path: Path) -> None:
        """Open the file and find its frames.

        Raises:
            OSError: it cannot be opened or read.
        """
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self.size = os.fstat(self._fd).st_size
        self.problems: list[str] = []
        self._kept: OrderedDict[int, bytes] = OrderedDict()
        self._kept_size = 0
        try:
            frames = read_seek_table(self.read_at, self.size)
            self.closed = frames is not None
            self.frames = frames if frames is not None else self._walk()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)

    def read_at(self, offset: int, size: int) -> bytes:
        """Read up to `size` bytes at `offset`."""
        return os.pread(self._fd, size, offset)

    def lines(self, number: int) -> bytes:
        """Return the lines of a frame; of one that cannot be read, none, and a note."""
        if number in self._kept:
            self._kept.move_to_end(number)
            return self._kept[number]
        lines = self._read(number, self.frames[number])
        self._keep(number, lines)
        return lines

    def _read(self, number: int, frame: Frame) -> bytes:
        where = f"frame {number + 1} (at byte {frame.offset})"
        try:
            plain = read_frame(self.read_at(frame.offset, frame.size), ended=frame.ended)
        except FrameError as error:
            self.note(f"{where} {error}")
            return b""
        if plain.problem:
            self.note(f"{where} {plain.problem} after {len(plain.lines)} bytes")
        if plain.left_over:
            self.note(f"{where} ends within a line: its {plain.left_over} bytes are left out")
        return plain.lines

    def note(self, problem: str) -> None:
        """Note a problem once."""
        if problem not in self.problems:
            self.problems.append(problem)

    def _keep(self, number: int, lines: bytes) -> None:
        self._kept[number] = lines
        self._kept_size += len(lines)
        while self._kept_size > KEPT and len(self._kept) > 1:
            _, dropped = self._kept.popitem(last=False)
            self._kept_size -= len(dropped)

    def _walk(self) -> list[Frame]:
        frames = []
        for found in walk(self.read_at, self.size):
            if isinstance(found, Gap):
                self.note(f"{found.size} bytes at byte {found.offset} cannot be read")
            else:
                frames.append(found)
        return frames
