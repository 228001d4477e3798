"""A span as the rest of the code handles it: plain values instead of OTLP's tagged ones.

This module converts, it does not store: see `traceproof.recorder.writer` for that.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum
from typing import TypeAlias

import msgspec

from traceproof.recorder import otlp

AttributeValue: TypeAlias = (
    "str | bool | int | float | bytes | Sequence[AttributeValue] | Mapping[str, AttributeValue]"
)
Attributes: TypeAlias = dict[str, AttributeValue]


class SpanKind(IntEnum):
    """OTLP's span kinds."""

    UNSPECIFIED = 0
    INTERNAL = 1
    SERVER = 2
    CLIENT = 3
    PRODUCER = 4
    CONSUMER = 5


class StatusCode(IntEnum):
    """OTLP's status codes."""

    UNSET = 0
    OK = 1
    ERROR = 2


class Event(msgspec.Struct):
    """Something that happened at a moment; `time` in Unix nanoseconds."""

    name: str
    time: int
    attributes: Attributes = {}


class Link(msgspec.Struct):
    """Another span this one points at."""

    trace_id: str
    span_id: str
    attributes: Attributes = {}


class Span(msgspec.Struct):
    """One span; ids in hex, times in Unix nanoseconds, `end` 0 while it has not ended."""

    trace_id: str
    span_id: str
    name: str
    kind: SpanKind = SpanKind.INTERNAL
    parent_id: str = ""
    start: int = 0
    end: int = 0
    attributes: Attributes = {}
    events: list[Event] = []
    links: list[Link] = []
    status: StatusCode = StatusCode.UNSET
    status_message: str = ""


def new_trace_id() -> str:
    """Return 16 random bytes in hex."""
    return secrets.token_hex(16)


def new_span_id() -> str:
    """Return 8 random bytes in hex."""
    return secrets.token_hex(8)


def encode_value(value: AttributeValue) -> otlp.AnyValue:
    """Tag a plain value the OTLP way.

    Raises:
        TypeError: the value is of a type that OTLP cannot carry.
    """
    match value:
        case str():
            return otlp.AnyValue(string_value=value)
        case bool():
            return otlp.AnyValue(bool_value=value)
        case int():
            return otlp.AnyValue(int_value=str(value))
        case float():
            return otlp.AnyValue(double_value=value)
        case bytes():
            return otlp.AnyValue(bytes_value=base64.b64encode(value).decode())
        case Mapping():
            return otlp.AnyValue(kvlist_value=otlp.KeyValueList(encode_attributes(value)))
        case Sequence():
            values = [encode_value(item) for item in value]
            return otlp.AnyValue(array_value=otlp.ArrayValue(values))
    raise TypeError(f"not an attribute value: {type(value).__name__}")


def decode_value(value: otlp.AnyValue) -> AttributeValue:
    """Untag an OTLP value; one with no field set (OTLP's empty value) is the empty string."""
    if value.string_value is not None:
        return value.string_value
    if value.bool_value is not None:
        return value.bool_value
    if value.int_value is not None:
        return int(value.int_value)
    if value.double_value is not None:
        return value.double_value
    if value.bytes_value is not None:
        return base64.b64decode(value.bytes_value)
    if value.array_value is not None:
        return [decode_value(item) for item in value.array_value.values]
    if value.kvlist_value is not None:
        return decode_attributes(value.kvlist_value.values)
    return ""


def encode_attributes(attributes: Mapping[str, AttributeValue]) -> list[otlp.KeyValue]:
    """Tag a map of plain values."""
    return [otlp.KeyValue(key, encode_value(value)) for key, value in attributes.items()]


def decode_attributes(pairs: Iterable[otlp.KeyValue]) -> Attributes:
    """Untag a list of named values."""
    return {pair.key: decode_value(pair.value) for pair in pairs}


def encode_span(span: Span) -> otlp.Span:
    """Turn a span into its OTLP form."""
    return otlp.Span(
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_span_id=span.parent_id,
        name=span.name,
        kind=int(span.kind),
        start_time_unix_nano=str(span.start),
        end_time_unix_nano=str(span.end),
        attributes=encode_attributes(span.attributes),
        events=[
            otlp.Event(str(event.time), event.name, encode_attributes(event.attributes))
            for event in span.events
        ],
        links=[
            otlp.Link(link.trace_id, link.span_id, encode_attributes(link.attributes))
            for link in span.links
        ],
        status=otlp.Status(int(span.status), span.status_message),
    )


def decode_span(span: otlp.Span) -> Span:
    """Turn an OTLP span into ours.

    Raises:
        ValueError: a number in it is not one (a hostile or foreign file).
    """
    return Span(
        trace_id=span.trace_id,
        span_id=span.span_id,
        name=span.name,
        kind=SpanKind(span.kind),
        parent_id=span.parent_span_id,
        start=int(span.start_time_unix_nano),
        end=int(span.end_time_unix_nano),
        attributes=decode_attributes(span.attributes),
        events=[
            Event(event.name, int(event.time_unix_nano), decode_attributes(event.attributes))
            for event in span.events
        ],
        links=[
            Link(link.trace_id, link.span_id, decode_attributes(link.attributes))
            for link in span.links
        ],
        status=StatusCode(span.status.code),
        status_message=span.status.message,
    )
