"""Spans as they leave a trace file: with all their content in them, and nothing that refers to it.

One span at a time is in memory. What becomes of them (a line, a request) is not decided here.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from traceproof.recorder import conventions, semconv
from traceproof.recorder.conventions import PINNED, Convention
from traceproof.recorder.reader import Record, TraceReader
from traceproof.recorder.span import Attributes, Span

_OUTPUTS = (semconv.COMMAND_STDOUT, semconv.COMMAND_STDERR, semconv.COMMAND_OUTPUT)

BODIES = frozenset(
    {
        semconv.REQUEST_BODY,
        semconv.RESPONSE_BODY,
        semconv.REQUEST_CHUNKS,
        semconv.RESPONSE_CHUNKS,
        *(name + semconv.CHUNKS for name in _OUTPUTS),
    }
)
"""The bytes of requests and responses, and when each piece of them, or of an output, came."""

_OUTPUT = 1 << 20
"""Bytes of a command's output that leave where bodies do not: a backend takes no 100 MB."""


class Wanted(NamedTuple):
    """What is to leave: in which version's words, with bodies, with the agent's own spans."""

    semconv: Convention = PINNED
    bodies: bool = True
    agent_spans: bool = True


class Outgoing:
    """The spans of one trace on their way out, in the order of the file; for one pass."""

    def __init__(self, reader: TraceReader, wanted: Wanted) -> None:
        self._reader = reader
        self._wanted = wanted
        self._last = 0

    def records(self) -> Iterator[Record]:
        """Yield what is wanted of the trace, with references still in it: see `whole`."""
        for record in self._reader.records():
            span = record.span
            self._last = max(self._last, span.start, span.end, *(e.time for e in span.events), 0)
            if self._wanted.agent_spans or not record.from_agent:
                yield record

    def whole(self, record: Record) -> Record:
        """Return a record with everything in its span.

        A span that never ended is marked, and ends with the last moment that the trace knows of:
        OTLP wants an end.
        """
        span = self._without_bodies(record.span)
        span = self._reader.inline(span)
        attributes = self._rid_of_references(span.attributes)
        if not record.from_agent:
            attributes = conventions.translate(attributes, self._wanted.semconv)
        end = span.end
        if record.pending:
            attributes[semconv.PENDING] = True
            end = max(span.start, self._last)
        events = [
            msgspec.structs.replace(event, attributes=self._rid_of_references(event.attributes))
            for event in span.events
        ]
        whole = msgspec.structs.replace(span, attributes=attributes, events=events, end=end)
        return record._replace(span=whole)

    def _without_bodies(self, span: Span) -> Span:
        if self._wanted.bodies:
            return span
        kept = {
            name: value
            for name, value in span.attributes.items()
            if name.removeprefix(semconv.REF) not in BODIES
        }
        return self._with_outputs(msgspec.structs.replace(span, attributes=kept))

    def _with_outputs(self, span: Span) -> Span:
        """Put a command's output in, or the beginning of it, and say so."""
        if not any(semconv.REF + name in span.attributes for name in _OUTPUTS):
            return span
        told = self._reader.inline(span, dict.fromkeys(_OUTPUTS, _OUTPUT))
        cut = [name for name in _OUTPUTS if {name, semconv.REF + name} <= told.attributes.keys()]
        for name in cut:
            del told.attributes[semconv.REF + name]
        if cut:
            told.attributes[semconv.CUT] = cut
        return told

    def _rid_of_references(self, attributes: Attributes) -> Attributes:
        """Name what could not be read in the place of references to it."""
        missing = sorted(
            name.removeprefix(semconv.REF) for name in attributes if name.startswith(semconv.REF)
        )
        kept = {
            name: value for name, value in attributes.items() if not name.startswith(semconv.REF)
        }
        untracked = kept.get(semconv.VCS_UNTRACKED)
        if isinstance(untracked, str):
            kept[semconv.VCS_UNTRACKED] = self._with_files(untracked)
        if missing:
            kept[semconv.MISSING] = missing
        return kept

    def _with_files(self, listed: str) -> str:
        """Put the content of untracked files into the list of them, which refers to it."""
        try:
            files = msgspec.json.decode(listed, type=list[dict[str, Any]])
        except ValueError:
            return listed
        return msgspec.json.encode([self._file(file) for file in files]).decode()

    def _file(self, file: dict[str, Any]) -> dict[str, Any]:
        kept = {name: value for name, value in file.items() if name != "ref"}
        if "ref" not in file:
            return kept
        try:
            content = self._reader.resolve(str(file["ref"]))
        except ValueError:
            return {**kept, "missing": True}
        if isinstance(content, str):
            return {**kept, "content": content}
        try:
            return {**kept, "content": content.decode()}
        except UnicodeDecodeError:
            return {**kept, "content_base64": base64.b64encode(content).decode()}
