"""Server-sent events from bytes, by the rules of the WHATWG HTML standard, with exact offsets.

It knows nothing of JSON or of any provider. Where the standard dispatches an event at a lone CR,
this waits for the next byte, so that an event's end does not depend on how the bytes were cut.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_BOM = b"\xef\xbb\xbf"
_CR = 13
_LF = 10
_STRAY_LIMIT = 1 << 20


class SseEvent(NamedTuple):
    """One event: its byte offsets (blank line included), its name, its data lines joined by LF.

    `whole` is False for a last event whose blank line never came.
    """

    start: int
    end: int
    name: str
    data: bytes
    whole: bool = True


_USUAL = re.compile(rb"(?:event: ([^\r\n]*)\r?\n)?data: ([^\r\n]*)\r?\n\r?\n")
"""One event of one data line: read at once, it costs a fifth of reading line by line."""


class SseParser:
    """Takes bytes in any pieces, gives events; time and memory are linear in the bytes."""

    def __init__(self) -> None:
        self.events = 0
        """How many events there were."""
        self._held: list[bytes] = []
        self._offset = 0
        self._stray: list[bytes] = []
        self._stray_size = 0
        self._start = -1
        self._name = ""
        self._data: list[bytes] = []

    def feed(self, data: bytes) -> Iterator[SseEvent]:
        """Take bytes and yield the events they complete."""
        position = 0
        if not self._held and self._start < 0 and not self._name:
            for usual in self._usual(data):
                position = usual.end - self._offset
                yield usual
            self._offset += position
        for line in self._lines(data[position:]):
            event = self._line(line)
            if event is not None:
                yield event

    def close(self) -> Iterator[SseEvent]:
        """Say that no more bytes will come and yield what was left open, marked if incomplete."""
        if self._held:
            event = self._line(b"".join(self._held))
            self._held.clear()
            if event is not None:
                yield event
        event = self._dispatch(whole=False)
        if event is not None:
            yield event

    def stray(self) -> bytes:
        """Return the lines that were no part of an event stream (up to 1 MiB of them).

        A gateway may answer a streamed request with a bare JSON object, or with HTML.
        """
        return b"\n".join(self._stray)

    def _usual(self, data: bytes) -> Iterator[SseEvent]:
        """Yield the events that `data` begins with, as long as they look as nearly all do."""
        match = _USUAL.match(data)
        while match:
            self.events += 1
            name = match[1].decode("utf-8", "replace") if match[1] else ""
            yield SseEvent(self._offset + match.start(), self._offset + match.end(), name, match[2])
            match = _USUAL.match(data, match.end())

    def _lines(self, data: bytes) -> Iterator[bytes]:
        """Yield whole lines with their ends; hold the last back while it may still grow."""
        if not data:
            return
        held = self._held
        if held and held[-1][-1] == _CR and data[0] != _LF:
            yield b"".join(held)
            held.clear()
        lines = data.splitlines(keepends=True)
        if held:
            held.append(lines[0])
            if len(lines) == 1 and data[-1] != _LF:
                return
            lines[0] = b"".join(held)
            held.clear()
        if data[-1] != _LF:
            held.append(lines.pop())
        yield from lines

    def _line(self, line: bytes) -> SseEvent | None:
        start = self._offset
        self._offset = start + len(line)
        if not start and line.startswith(_BOM):
            line, start = line[3:], 3
        body = line.rstrip(b"\r\n")
        if not body:
            return self._dispatch(whole=True)
        if self._start < 0:
            self._start = start
        if body.startswith(b"data:"):
            self._data.append(body[6:] if body[5:6] == b" " else body[5:])
        else:
            self._field(body)
        return None

    def _field(self, body: bytes) -> None:
        field, _, value = body.partition(b":")
        if field == b"event":
            self._name = value.removeprefix(b" ").decode("utf-8", "replace")
        elif field == b"data":
            self._data.append(b"")
        elif field not in {b"", b"id", b"retry"} and self._stray_size < _STRAY_LIMIT:
            self._stray.append(body[:_STRAY_LIMIT])
            self._stray_size += len(body)

    def _dispatch(self, *, whole: bool) -> SseEvent | None:
        start, name, data = self._start, self._name, self._data
        self._start, self._name, self._data = -1, "", []
        if not data:
            return None
        self.events += 1
        joined = data[0] if len(data) == 1 else b"\n".join(data)
        return SseEvent(start, self._offset, name, joined, whole)
