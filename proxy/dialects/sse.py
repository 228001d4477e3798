"""Server-sent events from bytes, by the rules of the WHATWG HTML standard, with exact offsets.

It knows nothing of JSON or of any provider. Where the standard dispatches an event at a lone CR,
this waits for the next byte, so that an event's end does not depend on how the bytes were cut.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

_BOM = b"\xef\xbb\xbf"
_BLANK = re.compile(rb"\r?\n\r?\n")
_NEW_LINE = re.compile(rb"[\r\n]")
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


SseText: TypeAlias = tuple[str, bytes, bool]
"""One event without its place: its name, its data, and whether it is whole; see `SseEvent`."""


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
        """Take bytes and return the events they complete; all bytes are taken at once."""
        found: list[SseEvent] = []
        if self._inside():
            blank = _BLANK.search(data)
            begun = blank.end() if blank else len(data)
            found += self._by_line(data[:begun])
            data = data[begun:]
        start = begin = self._offset
        usual, sizes = _usual(data) if not self._inside() else ([], [])
        for (name, text, _), size in zip(usual, sizes, strict=True):
            found.append(SseEvent(start, start + size, name, text))
            start += size
        self.events += len(usual)
        self._offset = start
        found += self._by_line(data[start - begin :])
        return iter(found)

    def read(self, data: bytes) -> list[SseText]:
        """Take a whole stream at once: what `feed` and `close` return, without the offsets."""
        found, sizes = _usual(data)
        end = sum(sizes)
        self._offset, self.events = end, len(found)
        rest = [*self.feed(data[end:]), *self.close()] if end < len(data) else []
        return found + [(event.name, event.data, event.whole) for event in rest]

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

    def _inside(self) -> bool:
        """Tell whether an event has begun."""
        return bool(self._held or self._start >= 0 or self._name)

    def _by_line(self, data: bytes) -> list[SseEvent]:
        events = [self._line(line) for line in self._lines(data)]
        return [event for event in events if event is not None]

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


def _usual(data: bytes) -> tuple[list[SseText], list[int]]:
    """Read the events that `data` begins with, as long as they look as nearly all do.

    Cutting at blank lines costs a tenth of reading line by line. Returns them with their lengths.
    """
    found: list[SseText] = []
    names: dict[bytes, str] = {}
    name: str | None
    windows = b"\r" in data
    end = b"\r\n" if windows else b"\n"
    between = end + b"data: "
    pieces = data.split(end + end)
    pieces.pop()
    for piece in pieces:
        first, separator, text = piece.partition(between)
        if separator:
            name = names.get(first)
            if name is None:
                if not first.startswith(b"event: ") or _NEW_LINE.search(first):
                    break
                name = names[first] = first[7:].decode("utf-8", "replace")
        elif piece.startswith(b"data: "):
            name, text = "", piece[6:]
        else:
            break
        if b"\n" in text or (windows and b"\r" in text):
            break
        found.append((name, text, True))
    blank = 2 * len(end)
    return found, [len(piece) + blank for piece in pieces[: len(found)]]
