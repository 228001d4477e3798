"""Spans as lines of a trace file: the envelope of resource and scope, and the span in it.

Content that belongs in blobs is the writer's business.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

import msgspec

from traceproof.recorder import otlp, semconv
from traceproof.recorder.redaction import Masked
from traceproof.recorder.span import AttributeValue, Span, encode_attributes, encode_span

Masking: TypeAlias = Callable[[bytes], Masked]
"""`Redactor.mask`, or what does the same."""

PENDING_PREFIX = b'{"resourceSpans":[],"traceproofPending":['
_SPANS_PREFIX = b'{"resourceSpans":['
_MARK = otlp.Span("SPAN")


class Envelope(NamedTuple):
    """What stands before and after a span on its line, encoded once."""

    before: bytes
    after: bytes

    @classmethod
    def of(cls, resource: Mapping[str, AttributeValue], scope: otlp.Scope) -> Envelope:
        """Encode a resource and a scope."""
        spans = otlp.ResourceSpans(
            otlp.Resource(encode_attributes(resource)),
            [otlp.ScopeSpans(scope, [_MARK])],
            semconv.SCHEMA_URL,
        )
        before, _, after = msgspec.json.encode(spans).rpartition(msgspec.json.encode(_MARK))
        return cls(before, after)

    def line(self, span: bytes) -> bytes:
        """Return the line of a span that has ended."""
        return b"".join((_SPANS_PREFIX, self.before, span, self.after, b"]}"))

    def pending_line(self, span: bytes) -> bytes:
        """Return the line of a span in flight."""
        return b"".join((PENDING_PREFIX, self.before, span, self.after, b"]}"))


def encode(span: Span) -> bytes:
    """Encode a span; what is not Unicode text in it (an odd file name) is spelt out."""
    try:
        return msgspec.json.encode(encode_span(span))
    except UnicodeEncodeError:
        wire = msgspec.to_builtins(encode_span(span))
        return msgspec.json.encode(_each_text(wire, _spelt_out))


def mask_line(line: bytes, mask: Masking) -> bytes:
    """Mask secrets in an encoded line, and leave it JSON.

    A secret may seem to begin within an escape, at the n that stands for a line end. Then texts are
    masked one by one instead.
    """
    masked = mask(line)
    if not masked.masks:
        return line
    try:
        msgspec.json.decode(masked.data, type=otlp.TracesData)
    except ValueError:
        return msgspec.json.encode(_each_text(msgspec.json.decode(line), _masking_texts(mask)))
    return masked.data


def _masking_texts(mask: Masking) -> Callable[[str], str]:
    return lambda text: mask(text.encode()).data.decode()


def _spelt_out(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def _each_text(value: Any, change: Callable[[str], str]) -> Any:
    """Return a value with every text in it changed, keys too."""
    match value:
        case str():
            return change(value)
        case list() | tuple():
            return [_each_text(item, change) for item in value]
        case dict():
            return {change(key): _each_text(item, change) for key, item in value.items()}
    return value
