"""What streamed dialects share: server-sent events of JSON, handed to a provider's assembler."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol, TypeAlias

from traceproof.proxy.dialects import jsontext, wire
from traceproof.proxy.dialects.base import ChatResponse, StreamEvent
from traceproof.proxy.dialects.sse import SseEvent, SseParser

Added: TypeAlias = "list[tuple[str, str]]"
"""What an event adds to the things that grow: (channel, text) pairs."""


class Assembler(Protocol):
    """Puts a response together from a provider's events."""

    notes: wire.Notes
    unknown: list[Any]

    def take(self, name: str, data: Any) -> Added:
        """Take one event's decoded JSON."""

    def take_text(self, name: str, text: str) -> bool:
        """Take an event that is not JSON; False if that means nothing to this provider."""

    def finish(self) -> ChatResponse:
        """Return what the events made."""


class EventStream:
    """A `StreamParser` over server-sent events.

    Args:
        assembler: the provider's side of it.
        unstreamed: reads a body that turned out not to be an event stream.
    """

    def __init__(self, assembler: Assembler, unstreamed: Callable[[bytes], ChatResponse]) -> None:
        self._sse = SseParser()
        self._assembler = assembler
        self._unstreamed = unstreamed

    def feed(self, data: bytes) -> Iterator[StreamEvent]:
        """Take decoded bytes and return the events they complete; all are taken in at once."""
        return iter([self._take(event) for event in self._sse.feed(data)])

    def finish(self) -> Iterator[StreamEvent]:
        """Say that no more bytes will come and return the event left open, if there is one."""
        return iter([self._take(event) for event in self._sse.close()])

    def close(self) -> ChatResponse:
        """Say that no more bytes will come, and return what they made."""
        self.finish()
        stray = self._sse.stray()
        if stray and not self._sse.events:
            return self._unstreamed(stray)
        if stray:
            self._assembler.notes.add(f"{len(stray)} bytes are no part of the event stream")
        return self._assembler.finish()

    def _take(self, event: SseEvent) -> StreamEvent:
        try:
            data = jsontext.decode(event.data)
        except ValueError:
            return self._take_text(event)
        added = self._assembler.take(event.name, data)
        channel, text = added[0] if added else (None, "")
        return StreamEvent(
            event.start, event.end, event.name, data, channel, text, tuple(added[1:])
        )

    def _take_text(self, event: SseEvent) -> StreamEvent:
        text = event.data.decode("utf-8", "replace")
        if not self._assembler.take_text(event.name, text):
            self._assembler.unknown.append(text)
            self._assembler.notes.add(
                "an event is not JSON" if event.whole else "the stream ends inside an event"
            )
        return StreamEvent(event.start, event.end, event.name, text)
