from __future__ import annotations

import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from traceproof.recorder import otlp
from traceproof.recorder.span import (
    AttributeValue,
    Event,
    Link,
    Span,
    SpanKind,
    StatusCode,
    decode_span,
    decode_value,
    encode_span,
    encode_value,
    new_span_id,
    new_trace_id,
)

texts = st.text(max_size=20)
numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**63), 2**63 - 1)
values = st.recursive(
    texts | st.booleans() | numbers | st.binary(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
attributes = st.dictionaries(texts, values, max_size=4)
times = st.integers(0, 2**63)
spans = st.builds(
    Span,
    trace_id=texts,
    span_id=texts,
    name=texts,
    kind=st.sampled_from(SpanKind),
    parent_id=texts,
    start=times,
    end=times,
    attributes=attributes,
    events=st.lists(st.builds(Event, texts, times, attributes), max_size=2),
    links=st.lists(st.builds(Link, texts, texts, attributes), max_size=2),
    status=st.sampled_from(StatusCode),
    status_message=texts,
)


@given(spans)
def test_a_span_comes_back_through_the_wire(span: Span) -> None:
    wire = msgspec.json.encode(encode_span(span))

    assert decode_span(msgspec.json.decode(wire, type=otlp.Span)) == span


@pytest.mark.parametrize(
    ("value", "field"),
    [
        (True, "bool_value"),
        (1, "int_value"),
        (1.5, "double_value"),
        ("a", "string_value"),
        (b"a", "bytes_value"),
        ([], "array_value"),
        ({}, "kvlist_value"),
    ],
)
def test_each_kind_of_value_has_its_field(value: AttributeValue, field: str) -> None:
    assert getattr(encode_value(value), field) is not None


def test_a_value_of_no_kind_is_refused() -> None:
    with pytest.raises(TypeError, match="not an attribute value: object"):
        encode_value(object())  # type: ignore[arg-type]


def test_the_empty_value_is_an_empty_text() -> None:
    assert decode_value(otlp.AnyValue()) == ""


@pytest.mark.parametrize(
    "wire",
    [otlp.Span(kind=99), otlp.Span(start_time_unix_nano="soon"), otlp.Span(status=otlp.Status(9))],
)
def test_numbers_that_are_none_are_refused(wire: otlp.Span) -> None:
    with pytest.raises(ValueError, match=r"is not a valid|invalid literal"):
        decode_span(wire)


def test_ids_are_hex_of_the_right_length() -> None:
    assert re.fullmatch("[0-9a-f]{32}", new_trace_id())
    assert re.fullmatch("[0-9a-f]{16}", new_span_id())
    assert new_span_id() != new_span_id()
