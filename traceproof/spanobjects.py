"""What the objects of a trace are made of: messages, prompts, token counts, and a span's own facts.

`traceproof.turns` has the objects themselves.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec

from traceproof import spanfacts
from traceproof.content import Content
from traceproof.recorder import semconv
from traceproof.recorder.messages import Part
from traceproof.recorder.span import Span
from traceproof.spantree import SpanTree


class Source(Protocol):
    """A trace, as its parts need it."""

    @property
    def content(self) -> Content:
        """What reads content."""

    @property
    def tree(self) -> SpanTree:
        """Which span belongs to which."""

    @property
    def pending(self) -> frozenset[str]:
        """The ids of the spans that never ended."""


class Message(msgspec.Struct, frozen=True):
    """One message: `role` is system, user, assistant or tool; `parts` as OpenTelemetry has them.

    Each part is a dictionary with a `type`: text, reasoning, tool_call, tool_call_response, …
    """

    role: str
    parts: list[Part]
    finish_reason: str | None = None

    @property
    def text(self) -> str:
        """The texts in it, thinking and tools left out."""
        return "\n".join(str(p.get("content", "")) for p in self.parts if p.get("type") == "text")


class Prompt(msgspec.Struct, frozen=True):
    """What a person said to the agent, and when."""

    text: str
    time: datetime


class Usage(msgspec.Struct, frozen=True):
    """Tokens of one call; `input_tokens` are all of them, with those from and to a cache."""

    input_tokens: int
    output_tokens: int
    cache_read_tokens: int = 0
    cache_creation_tokens: int = 0
    reasoning_tokens: int = 0


class Timed:
    """A span of a trace: its id, time and attributes.

    `source` is the trace, `own` the span as the file has it, with references to content in it.
    """

    def __init__(self, source: Source, span: Span) -> None:
        self.source = source
        self.own = span

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.own.name!r} {self.span_id}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Timed) and other.own == self.own

    def __hash__(self) -> int:
        return hash((self.own.trace_id, self.own.span_id))

    @property
    def span_id(self) -> str:
        """The span's id, in hex."""
        return self.own.span_id

    @property
    def started(self) -> datetime:
        """When it began."""
        return moment(self.own.start)

    @property
    def duration(self) -> float | None:
        """Seconds it took; None where its end is not known."""
        return None if self.is_pending else (self.own.end - self.own.start) / 1e9

    @property
    def is_pending(self) -> bool:
        """Whether its end never came: cut off, or still under way."""
        return self.own.span_id in self.source.pending

    def span(self) -> Span:
        """Return the span with all its attributes and all content in them."""
        return self.source.content.whole(self.own)

    def get(self, name: str) -> Any:
        """Return one attribute by its full name, read if it is content; None if there is none."""
        return self.source.content.value(self.own, name)

    def text_of(self, name: str) -> str:
        """Return a text that stands in the span itself, "" if there is none."""
        value = self.own.attributes.get(name, "")
        return value if isinstance(value, str) else ""

    def bytes_of(self, name: str) -> bytes:
        """Return content as bytes, none if there is none."""
        value = self.get(name)
        return value.encode() if isinstance(value, str) else value or b""

    def list_of(self, name: str) -> str | bytes:
        """Return content that is a JSON array, an empty one if there is none."""
        value = self.get(name)
        return value if isinstance(value, (str, bytes)) else "[]"


def usage_of(span: Span) -> Usage | None:
    """Return the tokens of a call's span."""
    tokens = spanfacts.tokens_of(span)
    if tokens is None:
        return None
    reasoning = span.attributes.get(semconv.REASONING_TOKENS, 0)
    return Usage(
        tokens.input,
        tokens.output,
        tokens.cache_read,
        tokens.cache_creation,
        reasoning if isinstance(reasoning, int) else 0,
    )


def moment(nanoseconds: int) -> datetime:
    """Turn Unix nanoseconds into a time in UTC."""
    return datetime.fromtimestamp(nanoseconds / 1e9, UTC)
