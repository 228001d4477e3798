"""A streamed answer that is one JSON array, and one whose form only its first byte tells."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from traceproof.proxy.dialects import jsontext
from traceproof.proxy.dialects.base import ChatResponse, StreamEvent, StreamParser, Texts
from traceproof.proxy.dialects.jsonarray import ArrayScanner, Element
from traceproof.proxy.dialects.stream import Assembler, EventStream, texts_of


class ArrayStream:
    """A `StreamParser` over a JSON array, each element an event without a name."""

    def __init__(self, assembler: Assembler) -> None:
        self._scanner = ArrayScanner()
        self._assembler = assembler

    def read(self, data: bytes) -> Texts:
        """Take a whole response at once and return the texts of each channel."""
        return texts_of([*self.feed(data), *self.finish()])

    def feed(self, data: bytes) -> Iterator[StreamEvent]:
        """Take decoded bytes and return the events they complete; all are taken in at once."""
        return iter([self._take(element) for element in self._scanner.feed(data)])

    def finish(self) -> Iterator[StreamEvent]:
        """Say that no more bytes will come and return the event left open, if there is one."""
        return iter([self._take(element) for element in self._scanner.close()])

    def close(self) -> ChatResponse:
        """Say that no more bytes will come, and return what they made; its end is the array's."""
        self.finish()
        if self._scanner.stray:
            self._assembler.notes.add(f"{self._scanner.stray} bytes are no part of the array")
        made = self._assembler.finish()
        made.complete = made.complete or (self._scanner.closed and made.error is None)
        return made

    def _take(self, element: Element) -> StreamEvent:
        try:
            data = jsontext.decode(element.data)
        except ValueError:
            return self._take_text(element)
        added = self._assembler.take("", data)
        channel, text = added[0] if added else (None, "")
        return StreamEvent(element.start, element.end, "", data, channel, text, tuple(added[1:]))

    def _take_text(self, element: Element) -> StreamEvent:
        text = element.data.decode("utf-8", "replace")
        self._assembler.unknown.append(text)
        note = "an event is not JSON" if element.whole else "the stream ends inside an event"
        self._assembler.notes.add(note)
        return StreamEvent(element.start, element.end, "", text)


class WholeBody:
    """A `StreamParser` over a body that is not streamed after all: it has no events."""

    def __init__(self, unstreamed: Callable[[bytes], ChatResponse]) -> None:
        self._pieces: list[bytes] = []
        self._unstreamed = unstreamed

    def read(self, data: bytes) -> Texts:
        """Take a whole response at once and return the texts of each channel."""
        self.feed(data)
        return {}

    def feed(self, data: bytes) -> Iterator[StreamEvent]:
        """Take decoded bytes."""
        self._pieces.append(data)
        return iter(())

    def finish(self) -> Iterator[StreamEvent]:
        """Return nothing."""
        return iter(())

    def close(self) -> ChatResponse:
        """Read the body."""
        return self._unstreamed(b"".join(self._pieces))


class SniffingStream:
    """A `StreamParser` that goes by the first byte: an array, an object, else server-sent events.

    Args:
        assembler: the provider's side of it.
        unstreamed: reads a body that is an object, or no event stream.
    """

    def __init__(self, assembler: Assembler, unstreamed: Callable[[bytes], ChatResponse]) -> None:
        self._assembler = assembler
        self._unstreamed = unstreamed
        self._space: list[bytes] = []
        self._parser: StreamParser | None = None

    def read(self, data: bytes) -> Texts:
        """Take a whole response at once and return the texts of each channel."""
        first = data.lstrip()[:1]
        if not first:
            self.feed(data)
            return {}
        self._parser = self._chosen(first)
        return self._parser.read(data)

    def feed(self, data: bytes) -> Iterator[StreamEvent]:
        """Take decoded bytes and return the events they complete; all are taken in at once."""
        if self._parser is not None:
            return self._parser.feed(data)
        self._space.append(data)
        first = data.lstrip()[:1]
        if not first:
            return iter(())
        self._parser = self._chosen(first)
        return self._parser.feed(b"".join(self._space))

    def finish(self) -> Iterator[StreamEvent]:
        """Say that no more bytes will come and return the event left open, if there is one."""
        return self._parser.finish() if self._parser is not None else iter(())

    def close(self) -> ChatResponse:
        """Say that no more bytes will come, and return what they made."""
        return (self._parser or self._chosen(b"")).close()

    def _chosen(self, first: bytes) -> StreamParser:
        if first == b"[":
            return ArrayStream(self._assembler)
        if first == b"{":
            return WholeBody(self._unstreamed)
        return EventStream(self._assembler, self._unstreamed)
