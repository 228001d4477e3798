from __future__ import annotations

import json

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from traceproof.recorder import otlp

texts = st.text(max_size=20)
values = st.recursive(
    st.builds(otlp.AnyValue, string_value=texts)
    | st.builds(otlp.AnyValue, bool_value=st.booleans())
    | st.builds(otlp.AnyValue, int_value=st.integers(-(2**63), 2**63 - 1).map(str))
    | st.builds(otlp.AnyValue, double_value=st.floats(allow_nan=False, allow_infinity=False)),
    lambda inner: st.builds(
        otlp.AnyValue,
        array_value=st.builds(otlp.ArrayValue, st.lists(inner, max_size=3)),
    ),
    max_leaves=5,
)
attributes = st.lists(st.builds(otlp.KeyValue, texts, values), max_size=3)
spans = st.builds(
    otlp.Span,
    trace_id=texts,
    span_id=texts,
    name=texts,
    kind=st.integers(0, 5),
    attributes=attributes,
    events=st.lists(st.builds(otlp.Event, texts, texts, attributes), max_size=2),
    links=st.lists(st.builds(otlp.Link, texts, texts, attributes), max_size=2),
    status=st.builds(otlp.Status, st.integers(0, 2), texts),
)
groups = st.builds(
    otlp.ResourceSpans,
    st.builds(otlp.Resource, attributes),
    st.lists(st.builds(otlp.ScopeSpans, spans=st.lists(spans, max_size=2)), max_size=2),
)


@given(
    st.builds(otlp.TracesData, st.lists(groups, max_size=2), traceproof_pending=st.lists(groups))
)
def test_a_line_comes_back(line: otlp.TracesData) -> None:
    assert msgspec.json.decode(msgspec.json.encode(line), type=otlp.TracesData) == line


def test_names_and_numbers_are_those_of_otlp_json() -> None:
    span = otlp.Span(trace_id="aa", span_id="bb", kind=3, start_time_unix_nano="1")

    assert json.loads(msgspec.json.encode(span)) == {
        "traceId": "aa",
        "spanId": "bb",
        "kind": 3,
        "startTimeUnixNano": "1",
        "status": {},
    }


def test_fields_that_nobody_knows_are_passed_over() -> None:
    line = b'{"resourceSpans":[{"new":1,"scopeSpans":[{"spans":[{"spanId":"a","new":{}}]}]}]}'

    decoded = msgspec.json.decode(line, type=otlp.TracesData)

    assert decoded.resource_spans[0].scope_spans[0].spans[0].span_id == "a"


def test_integers_are_read_as_numbers_too() -> None:
    assert msgspec.json.decode(b'{"intValue":5}', type=otlp.AnyValue).int_value == 5


def test_resource_spans_are_always_there() -> None:
    assert msgspec.json.encode(otlp.TracesData()) == b'{"resourceSpans":[]}'
