"""Pushes one trace: reads, translates, batches, sends, and notes what went.

Spans go in the order of the file: what has ended first, each agent after all it did. A batch that
was on its way when a push was interrupted goes again, with the same ids.
This module needs the extra `otlp`.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
from opentelemetry.sdk.trace import ReadableSpan

from traceproof import spanfacts
from traceproof.export import ledger, openinference
from traceproof.export.batches import BATCH_BYTES, BATCH_SPANS, batches, weigh
from traceproof.export.endpoint import Endpoint
from traceproof.export.ledger import Gone, Ledger
from traceproof.export.openinference import Names
from traceproof.export.readable import readable
from traceproof.export.sender import Sender, TooLargeError
from traceproof.export.whole import Outgoing, Wanted
from traceproof.growing import is_recorded
from traceproof.recorder import conventions, semconv
from traceproof.recorder.reader import Record, TraceReader
from traceproof.recorder.span import Attributes, Span
from traceproof.recorder.summary import is_turn

_ANSWER = 64 << 10
"""Bytes at most of an agent's last words that stand on its own span."""


class How(NamedTuple):
    """How a trace is told to a server."""

    wanted: Wanted
    names: Names = Names.both
    resource: dict[str, str] = {}  # noqa: RUF012 - never changed
    again: bool = False
    batch_bytes: int = BATCH_BYTES


class Pushed(msgspec.Struct):
    """What a push came to: spans sent now and before, refused by the server, left for later.

    `refused` are those of earlier pushes too: they do not go again by themselves. `left` are spans
    in flight of a trace that is still being recorded.
    """

    trace: str
    trace_id: str = ""
    sent: int = 0
    before: int = 0
    refused: int = 0
    left: int = 0
    problems: list[str] = []


class _Item(NamedTuple):
    """A span on its way: its number in the push, its size, and what is sent."""

    number: int
    span_id: str
    weight: int
    span: ReadableSpan


class Push:
    """The push of one trace to one server."""

    def __init__(
        self, path: Path, endpoint: Endpoint, how: How, report: Callable[[Pushed], None]
    ) -> None:
        """Prepare; `report` is told after each batch."""
        self.done = Pushed(str(path))
        self._path = path
        self._endpoint = endpoint
        self._how = how
        self._report = report
        self._ledger = Ledger(path)
        self._answers: dict[str, Span] = {}

    def run(self, sender: Sender) -> Pushed:
        """Send what has not gone yet.

        Raises:
            OSError: the file cannot be read, or the server does not take the spans.
            ValueError: the file is no trace.
        """
        growing = is_recorded(self._path)  # before it is read: it may end at any moment
        with TraceReader.open(self._path) as reader:
            self.done.trace_id = reader.root().span.trace_id
            key = self._key()
            gone = self._gone(reader, key)
            self.done.before, self.done.refused = gone.spans - gone.refused, gone.refused
            items = self._items(reader, gone.spans, growing=growing)
            most = self._how.batch_bytes
            for batch in batches(items, _weight, most_bytes=most, most=BATCH_SPANS):
                self._send(sender, batch)
                last = batch[-1]
                shown, refused = self._endpoint.shown, self.done.refused
                self._ledger.note(key, Gone(shown, last.number, last.span_id, refused))
                self._report(self.done)
            self.done.problems += reader.problems
        if self._ledger.problem:
            self.done.problems.append(self._ledger.problem)
        return self.done

    def _key(self) -> str:
        how = self._how
        words = (how.wanted.semconv.name, how.names, str(how.wanted.bodies))
        resource = msgspec.json.encode(how.resource, order="deterministic").decode()
        agent = str(how.wanted.agent_spans)
        return ledger.key(self.done.trace_id, self._endpoint.key, *words, agent, resource)

    def _gone(self, reader: TraceReader, key: str) -> Gone:
        """Return what has gone, if the file still begins with it."""
        gone = Gone() if self._how.again else self._ledger.find(key)
        if not gone.spans:
            return Gone()
        outgoing = Outgoing(reader, self._how.wanted)
        for number, record in enumerate(outgoing.records(), 1):
            if number == gone.spans:
                return gone if record.span.span_id == gone.last else Gone()
        return Gone()

    def _items(self, reader: TraceReader, skip: int, *, growing: bool) -> Iterator[_Item]:
        outgoing = Outgoing(reader, self._how.wanted._replace(semconv=conventions.PINNED))
        for number, record in enumerate(outgoing.records(), 1):
            self._note_answer(record)
            if record.pending and growing:
                self.done.left += 1
            elif number > skip:
                yield self._item(number, self._whole(reader, outgoing, record))

    def _whole(self, reader: TraceReader, outgoing: Outgoing, record: Record) -> Record:
        """Take a span out of the file, in the words that are wanted."""
        span = outgoing.whole(record).span
        attributes = span.attributes
        if not record.from_agent:
            answer = self._answer(reader, span.span_id)
            span = openinference.spoken(span, self._how.names, answer)
            attributes = conventions.translate(span.attributes, self._how.wanted.semconv)
        return record._replace(span=msgspec.structs.replace(span, attributes=_texts(attributes)))

    def _item(self, number: int, record: Record) -> _Item:
        schema = "" if record.from_agent else self._how.wanted.semconv.schema_url
        span = readable(record, schema, self._how.resource)
        return _Item(number, record.span.span_id, weigh(record.span), span)

    def _note_answer(self, record: Record) -> None:
        """Remember each agent's last turn: an agent's span comes after them."""
        span = record.span
        if spanfacts.operation(span) == "chat" and is_turn(span.attributes):
            self._answers[span.parent_id] = span

    def _answer(self, reader: TraceReader, agent_span_id: str) -> str:
        turn = self._answers.get(agent_span_id)
        if turn is None or self._how.names is Names.genai:
            return ""
        return spanfacts.said(reader.inline(turn, {semconv.OUTPUT_MESSAGES: _ANSWER}))

    def _send(self, sender: Sender, batch: list[_Item]) -> None:
        """Send a batch, in halves where it is too large for the server."""
        try:
            refused, why = sender.send([item.span for item in batch])
        except TooLargeError as error:
            if len(batch) == 1:
                self.done.refused += 1
                self.done.problems.append(f"span {batch[0].span_id}: {error}")
                return
            middle = len(batch) // 2
            self._send(sender, batch[:middle])
            self._send(sender, batch[middle:])
            return
        self.done.sent += len(batch) - refused
        self.done.refused += refused
        if why and why not in self.done.problems:
            self.done.problems.append(why)


def _texts(attributes: Attributes) -> Attributes:
    """Turn bytes into text, in base64 where they are none; the attribute's name then says so.

    Phoenix answers that all is well with a span that has bytes in it, and drops it.
    """
    found: Attributes = {}
    for name, value in attributes.items():
        if not isinstance(value, bytes):
            found[name] = value
            continue
        try:
            found[name] = value.decode()
        except UnicodeDecodeError:
            found[f"{name}.base64"] = base64.b64encode(value).decode()
    return found


def _weight(item: _Item) -> int:
    return item.weight
