"""The streams of one command in a local box, moved by one thread until the command has ended.

It starts and ends nothing: `control` does.
"""

from __future__ import annotations

import os
import selectors
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Literal, TypeAlias

Name: TypeAlias = Literal["stdout", "stderr"]
Listener: TypeAlias = Callable[[Name, bytes], None]
_CHUNK = 1 << 16


class Kept:
    """The beginning of an output, and how much there was of the rest.

    Args:
        name: which output.
        limit: how many bytes to keep.
        listener: is told of what is kept, as it arrives.
    """

    def __init__(self, name: Name, limit: int, listener: Listener | None = None) -> None:
        self._name = name
        self._left = limit
        self._listener = listener
        self._parts: list[bytes] = []
        self.lost = 0

    @property
    def data(self) -> bytes:
        """What was kept."""
        return b"".join(self._parts)

    def add(self, data: bytes) -> None:
        """Take what arrived."""
        kept = data[: self._left]
        self._left -= len(kept)
        self.lost += len(data) - len(kept)
        if kept:
            self._parts.append(kept)
            if self._listener is not None:
                self._listener(self._name, kept)


class Reports:
    """The reading side of a box's channel.

    Args:
        file: the FIFO, open for reading and writing, so that it has no end.
        limit: the bytes that may come in all.
        listener: is told of each piece.
    """

    def __init__(self, file: int, limit: int, listener: Callable[[bytes], None] | None) -> None:
        self.file = file
        self._left = limit
        self._listener = listener

    @property
    def too_many(self) -> bool:
        """Whether more came than may."""
        return self._left < 0

    def add(self, data: bytes) -> None:
        """Take what arrived."""
        self._left -= len(data)
        if self._listener is not None and not self.too_many:
            self._listener(data)


class Pump:
    """Moves bytes.

    Args:
        stdin: the writing end of the command's stdin, and what goes there.
        outputs: the reading ends of its outputs.
        reports: the box's channel.
        line: becomes readable when the command, and all it started, has ended.
    """

    def __init__(
        self,
        stdin: tuple[int, Iterable[bytes]],
        outputs: Iterable[tuple[int, Kept]],
        reports: Reports,
        line: int,
    ) -> None:
        self._selector = selectors.DefaultSelector()
        self._input, chunks = stdin
        self._chunks: Iterator[bytes] = iter(chunks)
        self._rest = memoryview(b"")
        self._sinks: dict[int, Kept | Reports] = {reports.file: reports, **dict(outputs)}
        self._reports = reports
        self._line = line
        for file in (*self._sinks, self._input):
            os.set_blocking(file, False)
        for file in (*self._sinks, line):
            self._selector.register(file, selectors.EVENT_READ)
        self._selector.register(self._input, selectors.EVENT_WRITE)

    def run(self, deadline: float) -> bool:
        """Move bytes until the command has ended, too many reports came, or the time is up.

        Args:
            deadline: by the monotonic clock.

        Returns:
            Whether the command has ended; all that it wrote has been taken then.
        """
        try:
            while (left := deadline - time.monotonic()) > 0 and not self._reports.too_many:
                ready = [key.fd for key, _ in self._selector.select(left)]
                for file in ready:
                    self._move(file)
                if self._line in ready:
                    self._drain()
                    return True
            return False
        finally:
            self._close()

    def _move(self, file: int) -> None:
        if file == self._input:
            self._feed()
        elif file != self._line:
            self._take(file)

    def _feed(self) -> None:
        try:
            self._rest = self._rest or memoryview(next(self._chunks))
            self._rest = self._rest[os.write(self._input, self._rest) :]
        except BlockingIOError:
            return
        except (StopIteration, BrokenPipeError):
            self._end_input()

    def _end_input(self) -> None:
        self._selector.unregister(self._input)
        os.close(self._input)
        self._input = -1

    def _take(self, file: int) -> bool:
        """Read once; False where there is nothing for now, or ever."""
        try:
            data = os.read(file, _CHUNK)
        except BlockingIOError:
            return False
        if data:
            self._sinks[file].add(data)
        elif file in self._selector.get_map():
            self._selector.unregister(file)
        return bool(data)

    def _drain(self) -> None:
        for file in self._sinks:
            while not self._reports.too_many and self._take(file):
                pass

    def _close(self) -> None:
        if self._input >= 0:
            self._end_input()
        with suppress(AttributeError):
            self._chunks.close()  # type: ignore[attr-defined]  # a generator's
        for file in self._sinks.keys() - {self._reports.file}:
            os.close(file)
        self._selector.close()
