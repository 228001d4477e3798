"""The elements of a JSON array from bytes as they come, with exact offsets.

It does not decode: an element is the bytes between its first and its last. It knows no provider.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_OPENING, _CLOSING, _QUOTE, _BACKSLASH = b"[{", b"]}", ord('"'), ord("\\")
_WITHIN = re.compile(
    rb'[^"\[\]{}]*(?:"[^"\\]*(?:\\.[^"\\]*)*"[^"\[\]{}]*)*',  # no possessive groups: gh-106052
    re.DOTALL,
)
"""Up to a bracket, or to a text that these bytes do not hold whole."""

_IN_STRING = re.compile(rb'["\\]')
_BETWEEN = re.compile(rb"[\s,]*")
_AFTER_BARE = re.compile(rb"[\s,\]]")


class Element(NamedTuple):
    """One element: its byte offsets, and its bytes; `whole` is False for one that was cut short."""

    start: int
    end: int
    data: bytes
    whole: bool = True


class ArrayScanner:
    """Takes bytes in any pieces, gives elements; time and memory are linear in the bytes.

    An object, an array or a text ends with its last byte, any other value before what follows it.
    """

    def __init__(self) -> None:
        self.closed = False
        """Whether the array's end has come."""
        self.stray = 0
        """How many bytes there were before the array or after it, white space aside."""
        self._offset = 0
        self._begun = False
        self._held: list[bytes] = []
        self._start = 0
        self._depth = 0
        self._in_string = False
        self._escaped = False

    def feed(self, data: bytes) -> Iterator[Element]:
        """Take bytes and yield the elements they complete."""
        at = 0
        while at < len(data):
            if self._held:
                end = self._end(data, at)
                yield from self._hold(data, at, end)
                at = len(data) if end is None else end
            elif self._begun and not self.closed:
                at = self._between(data, at)
            else:
                at = self._outside(data, at)
        self._offset += len(data)

    def close(self) -> Iterator[Element]:
        """Say that no more bytes will come and yield the element that was left open."""
        if self._held:
            yield self._element(self._offset, whole=False)

    def _outside(self, data: bytes, at: int) -> int:
        """Look for the array's start, or at what comes after its end."""
        opening = -1 if self._begun else data.find(b"[", at)
        end = len(data) if opening < 0 else opening
        self.stray += len(b"".join(data[at:end].split()))
        self._begun = self._begun or opening >= 0
        return end + (opening >= 0)

    def _between(self, data: bytes, at: int) -> int:
        match = _BETWEEN.match(data, at)
        at = match.end() if match else at
        if at == len(data):
            return at
        if data[at : at + 1] == b"]":
            self.closed = True
            return at + 1
        self._start = self._offset + at
        self._held.append(b"")
        return at

    def _hold(self, data: bytes, at: int, end: int | None) -> Iterator[Element]:
        self._held.append(data[at:end])
        if end is not None:
            yield self._element(self._offset + end)

    def _element(self, end: int, *, whole: bool = True) -> Element:
        held, self._held = b"".join(self._held), []
        self._depth, self._in_string, self._escaped = 0, False, False
        return Element(self._start, end, held, whole)

    def _end(self, data: bytes, at: int) -> int | None:
        """Return where the open element ends, None if beyond these bytes."""
        begins = len(self._held) == 1
        if begins and data[at] not in b'"[{':
            self._held.append(b"")
        if not self._in_string and not self._depth and not (begins and data[at] in b'"[{'):
            match = _AFTER_BARE.search(data, at)
            return match.start() if match else None
        while at < len(data):
            at = self._step(data, at)
            if at and not self._depth and not self._in_string:
                return at
            if not at:
                break
        return None

    def _step(self, data: bytes, at: int) -> int:
        """Go on to what matters next and past it; 0 where these bytes hold nothing more of it."""
        if self._escaped:
            self._escaped = False
            return at + 1
        at = self._next(data, at)
        if at == len(data):
            return 0
        found = data[at]
        if found == _BACKSLASH:
            self._escaped = True
        elif found == _QUOTE:
            self._in_string = not self._in_string
        else:
            self._depth += 1 if found in _OPENING else -1
        return at + 1

    def _next(self, data: bytes, at: int) -> int:
        """Return where the next byte that matters is; an element's first does."""
        if self._in_string:
            quote = _IN_STRING.search(data, at)
            return quote.start() if quote else len(data)
        within = _WITHIN.match(data, at) if self._depth else None
        return within.end() if within else at
