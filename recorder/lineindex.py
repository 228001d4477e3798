"""Where the lines of a trace file are: blobs by name, all others in order.

Frames are scanned one after the other, and only as far as somebody asks; blob lines are told by how
they begin and are not parsed. What a line says is the reader's business.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from traceproof.recorder.blobs import PREFIX, name_at
from traceproof.recorder.errors import DamagedTrace
from traceproof.recorder.framefile import FrameFile


class Place(NamedTuple):
    """Where a line is: the number of its frame, and offsets in the frame's plain bytes."""

    frame: int
    start: int
    end: int


class LineIndex:
    """The lines of one file; about 250 bytes of memory a line."""

    def __init__(self, file: FrameFile) -> None:
        self._file = file
        self._blobs: dict[str, Place] = {}
        self._others: list[list[Place]] = []

    @property
    def scanned(self) -> int:
        """How many frames were scanned so far."""
        return len(self._others)

    def others(self) -> Iterator[Place]:
        """Yield the places of all lines but blobs, in the order of the file."""
        for number in range(len(self._file.frames)):
            if number == self.scanned:
                self._scan()
            yield from self._others[number]

    def blob(self, name: str) -> Place:
        """Return the place of a blob.

        Raises:
            DamagedTrace: it is not in what can be read of the file.
        """
        while name not in self._blobs:
            if self.scanned == len(self._file.frames):
                raise DamagedTrace(f"blob {name[:12]} is not in what can be read of the file")
            self._scan()
        return self._blobs[name]

    def read(self, place: Place) -> memoryview:
        """Return a line, without its end."""
        return memoryview(self._file.lines(place.frame))[place.start : place.end]

    def _scan(self) -> None:
        """Find the lines of the next frame."""
        number = self.scanned
        lines = self._file.lines(number)
        others: list[Place] = []
        start = 0
        while (end := lines.find(b"\n", start)) >= 0:
            place = Place(number, start, end)
            if lines.startswith(PREFIX, start):
                self._blobs.setdefault(name_at(lines, start), place)
            else:
                others.append(place)
            start = end + 1
        self._others.append(others)
