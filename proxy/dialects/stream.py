"""What streamed dialects share: server-sent events of JSON, handed to a provider's assembler."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol, TypeAlias

from traceproof.proxy.dialects import jsontext, wire
from traceproof.proxy.dialects.base import ChatResponse, StreamEvent, Texts
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
        """Take an event that is not JSON, or what stands in the stream and is no event.

        Returns:
            False if that means nothing to this provider.
        """

    def finish(self) -> ChatResponse:
        """Return what the events made."""


Quick: TypeAlias = "Callable[[bytes, Texts], bool]"
"""Takes an event's JSON and notes its texts, as `take` would; False where `take` must."""


def _never(data: bytes, texts: Texts) -> bool:  # noqa: ARG001  for providers without a short way
    return False


class EventStream:
    """A `StreamParser` over server-sent events.

    Args:
        assembler: the provider's side of it.
        unstreamed: reads a body that turned out not to be an event stream.
        quick: a short way for the events that a stream has most of, which `take` could take too.
    """

    def __init__(
        self,
        assembler: Assembler,
        unstreamed: Callable[[bytes], ChatResponse],
        quick: Quick = _never,
    ) -> None:
        self._sse = SseParser()
        self._assembler = assembler
        self._unstreamed = unstreamed
        self._quick = quick

    def read(self, data: bytes) -> Texts:
        """Take a whole response at once and return the texts of each channel."""
        texts: Texts = {}
        quick, taken = self._quick, self._taken
        for name, payload, whole in self._sse.read(data):
            if name == "error" or not quick(payload, texts):
                for channel, text in taken(name, payload, whole=whole)[1]:
                    texts.setdefault(channel, []).append(text)
        return texts

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
        if stray and not self._assembler.take_text("", stray.decode("utf-8", "replace")):
            self._assembler.notes.add(f"{len(stray)} bytes are no part of the event stream")
        return self._assembler.finish()

    def _take(self, event: SseEvent) -> StreamEvent:
        data, added = self._taken(event.name, event.data, whole=event.whole)
        channel, text = added[0] if added else (None, "")
        return StreamEvent(
            event.start, event.end, event.name, data, channel, text, tuple(added[1:])
        )

    def _taken(self, name: str, payload: bytes, *, whole: bool) -> tuple[Any, Added]:
        """Take an event; return its value, and what it adds."""
        try:
            data = jsontext.decode(payload)
        except ValueError:
            text = payload.decode("utf-8", "replace")
            self._take_text(name, text, whole=whole)
            return text, []
        return data, self._assembler.take(name, data)

    def _take_text(self, name: str, text: str, *, whole: bool) -> None:
        if not self._assembler.take_text(name, text):
            self._assembler.unknown.append(text)
            self._assembler.notes.add(
                "an event is not JSON" if whole else "the stream ends inside an event"
            )


def texts_of(events: Iterable[StreamEvent]) -> Texts:
    """Gather what events add, by channel."""
    texts: Texts = {}
    for event in events:
        if event.channel is not None:
            texts.setdefault(event.channel, []).append(event.text)
        for channel, text in event.more:
            texts.setdefault(channel, []).append(text)
    return texts
