"""Where a message's body ends: by length, by chunks, or with the connection.

A framer is fed bytes in any pieces; it says how many are the message's, and which of them are body.
It changes nothing and keeps no body: what is forwarded is what came.
"""

from __future__ import annotations

import re
from typing import NamedTuple, Protocol

from traceproof.proxy.relay.head import Malformed, parse_trailers

_LINE_LIMIT = 4096
_TRAILER_LIMIT = 16 * 1024
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})(?:;[\t\x20-\x7e\x80-\xff]*)?\r\n")


class Part(NamedTuple):
    """What one feeding brought: up to where the bytes are the message's, and the body in them."""

    end: int
    body: bytes
    problem: Malformed | None = None
    """Why the body cannot go on after that."""


class Framer(Protocol):
    """Finds the end of one body."""

    ended: bool
    """Whether the body is over; then it is fed no more."""

    def feed(self, data: bytes, start: int) -> Part:
        """Take the bytes from `start` on."""

    def eof(self) -> bool:
        """Tell whether the body is whole now that the connection has ended."""


class Sized:
    """A body of a known length, which may be nothing."""

    def __init__(self, length: int) -> None:
        self._left = length
        self.ended = not length

    def feed(self, data: bytes, start: int) -> Part:
        """See `Framer`."""
        end = min(len(data), start + self._left)
        self._left -= end - start
        self.ended = not self._left
        return Part(end, data if end - start == len(data) else data[start:end])

    def eof(self) -> bool:
        """See `Framer`."""
        return self.ended


class UntilClosed:
    """A body that ends with its connection."""

    ended = False

    def feed(self, data: bytes, start: int) -> Part:
        """See `Framer`."""
        return Part(len(data), data[start:] if start else data)

    def eof(self) -> bool:
        """See `Framer`."""
        return True


class Chunked:
    """A body in chunks, each with its size before it, and perhaps trailers at the end."""

    def __init__(self) -> None:
        self.ended = False
        self._left = 0
        """Bytes of the chunk that are still to come."""
        self._line = b""
        """A size line or trailers that have come in part."""
        self._closing = b""
        """What must come after the chunk's bytes."""
        self._trailing = False

    def feed(self, data: bytes, start: int) -> Part:
        """See `Framer`."""
        pieces: list[bytes] = []
        at, size = start, len(data)
        problem: Malformed | None = None
        try:
            while at < size and not self.ended:
                passed = self._pass(data, at, pieces)
                at = passed if passed > at else self._step(data, at, pieces)
        except Malformed as found:
            problem = found
        return Part(at, pieces[0] if len(pieces) == 1 else b"".join(pieces), problem)

    def eof(self) -> bool:
        """See `Framer`."""
        return self.ended

    def _pass(self, data: bytes, at: int, pieces: list[bytes]) -> int:
        """Take chunks that have come whole, which most have; return where they end."""
        if self._left or self._line or self._closing or self._trailing:
            return at
        while (found := _SIZE.match(data, at)) and found.end() - at <= _LINE_LIMIT:
            begin = found.end()
            end = begin + int(found[1], 16)
            if begin == end or data[end : end + 2] != b"\r\n":
                break
            pieces.append(data[begin:end])
            at = end + 2
        return at

    def _step(self, data: bytes, at: int, pieces: list[bytes]) -> int:
        """Take what comes next, be it in part; return where that ends."""
        if self._left:
            taken = data[at : at + self._left]
            self._left -= len(taken)
            self._closing = b"" if self._left else b"\r\n"
            pieces.append(taken)
            return at + len(taken)
        if self._closing:
            if data[at] != self._closing[0]:
                raise Malformed("a chunk is longer than its size")
            self._closing = self._closing[1:]
            return at + 1
        return self._take_line(data, at)

    def _take_line(self, data: bytes, at: int) -> int:
        end = data.find(b"\n", at) + 1 or len(data)
        self._line += data[at:end]
        if len(self._line) > (_TRAILER_LIMIT if self._trailing else _LINE_LIMIT):
            raise Malformed("a chunk's size or trailers are too long")
        if self._trailing:
            self._end()
        elif self._line.endswith(b"\n"):
            self._begin()
        return end

    def _begin(self) -> None:
        found = _SIZE.fullmatch(self._line)
        if found is None:
            raise Malformed("malformed chunk size")
        self._left = int(found[1], 16)
        self._trailing = not self._left
        self._line = b""

    def _end(self) -> None:
        if self._line == b"\r\n" or self._line.endswith(b"\r\n\r\n"):
            parse_trailers(self._line)
            self._line = b""
            self.ended = True
