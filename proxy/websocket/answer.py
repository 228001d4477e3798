"""Takes in the server's messages of one call as they come: read, masked, on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

from traceproof.proxy.dialects import jsontext
from traceproof.proxy.dialects.base import ChatResponse
from traceproof.proxy.dialects.openai_responses_stream import ResponseAssembler
from traceproof.proxy.exchange import Chunk, Exchange
from traceproof.proxy.segments import Segments
from traceproof.proxy.unread import texts
from traceproof.recorder import semconv
from traceproof.recorder.chunks import Arrival
from traceproof.recorder.fragments import FragmentMasker
from traceproof.recorder.redaction import Redactor
from traceproof.recorder.span import Attributes
from traceproof.recorder.writer import TraceWriter


class MessageAnswer:
    """An answer whose chunks are messages, each an event.

    Args:
        exchange: the call; chunks may be appended to its response.
        assembler: puts the events together.
        redactor: masks the secrets in them.
        writer: where their bytes go.
        cut_short: whether the socket ended inside a message, the last that there is.
    """

    def __init__(
        self,
        exchange: Exchange,
        assembler: ResponseAssembler,
        redactor: Redactor,
        writer: TraceWriter,
        *,
        cut_short: Callable[[], bool] = lambda: False,
    ) -> None:
        self.problem = self.response_id = ""
        self._exchange = exchange
        self._assembler = assembler
        self._cut_short = cut_short
        self._masker = FragmentMasker(redactor)
        self._segments = Segments(writer)
        self._taken = 0

    def look(self) -> Attributes:
        """Put what has arrived on disk and return the attributes that say where."""
        for chunk in islice(self._exchange.response_chunks, self._taken, None):
            self._taken += 1
            self._segments.add(self._masker.feed(chunk.data, self._added(chunk.data)))
        return self._attributes()

    def finish(self) -> Attributes:
        """Put the rest on disk and return the attributes that say where the messages are."""
        self.look()
        self._segments.add(self._masker.finish())
        return self._attributes()

    def response(self) -> ChatResponse:
        """Return what the events made, after `finish`."""
        made = self._assembler.finish()
        self.response_id = made.id if made.complete else ""
        return made

    def output(self) -> list[Any]:
        """Return what a later request may go on from, in the provider's words."""
        return self._assembler.output()

    def _attributes(self) -> Attributes:
        ref = self._segments.ref()
        return {semconv.REF + semconv.RESPONSE_BODY: ref} if ref else {}

    def _added(self, data: bytes) -> Iterable[tuple[str, str]]:
        try:
            event = jsontext.decode(data)
        except ValueError:
            text = data.decode("utf-8", "replace")
            self._assembler.unknown.append(text)
            self._assembler.notes.add(
                "the stream ends inside a message" if self._cut_short() else "a message is not JSON"
            )
            return []
        return self._assembler.take("", event)


class Beside:
    """The messages of one side that belong to no call, or of a socket that nobody can read.

    Nothing is known of them but their bytes; texts at the same place of successive messages are
    watched for secrets.
    """

    def __init__(self, redactor: Redactor, writer: TraceWriter) -> None:
        self._masker = FragmentMasker(redactor)
        self._segments = Segments(writer)
        self.arrivals: list[Arrival] = []

    def take(self, chunk: Chunk) -> None:
        """Take a message."""
        self.arrivals.append(Arrival(chunk.time, len(chunk.data)))
        self._segments.add(self._masker.feed(chunk.data, texts(chunk.data)))

    def ref(self) -> str:
        """Store what came and return the reference to it, in one piece; "" where nothing did."""
        return self._segments.ref()

    def finish(self) -> str:
        """Store the rest: no more messages will come."""
        self._segments.add(self._masker.finish())
        return self.ref()
