"""Protobuf and JSON say the same: any message, sent either way, gives equal structs."""

from __future__ import annotations

import base64
import math
import sys
from typing import Any

import msgspec
import pytest
from google.protobuf import json_format
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, TracesData

from traceproof.recorder import otlp, otlp_json, otlp_protobuf

HEX_FIELDS = ("traceId", "spanId", "parentSpanId")

texts = st.text(max_size=8)
counts = st.integers(0, 2**32 - 1)
moments = st.integers(0, 2**64 - 1)


def attributes(values: st.SearchStrategy[AnyValue]) -> st.SearchStrategy[list[KeyValue]]:
    return st.lists(st.builds(KeyValue, key=texts, value=values), max_size=3)


def nested(values: st.SearchStrategy[AnyValue]) -> st.SearchStrategy[AnyValue]:
    arrays = st.lists(values, max_size=3).map(lambda items: {"values": items})
    maps = attributes(values).map(lambda items: {"values": items})
    return st.builds(AnyValue, array_value=arrays) | st.builds(AnyValue, kvlist_value=maps)


any_values = st.recursive(
    st.builds(AnyValue, string_value=texts)
    | st.builds(AnyValue, bool_value=st.booleans())
    | st.builds(AnyValue, int_value=st.integers(-(2**63), 2**63 - 1))
    | st.builds(AnyValue, double_value=st.floats())
    | st.builds(AnyValue, bytes_value=st.binary(max_size=9))
    | st.just(AnyValue()),
    nested,
    max_leaves=4,
)
trace_ids = st.binary(min_size=16, max_size=16)
span_ids = st.binary(min_size=8, max_size=8)
events = st.builds(
    Span.Event, time_unix_nano=moments, name=texts, attributes=attributes(any_values)
)
links = st.builds(
    Span.Link, trace_id=trace_ids, span_id=span_ids, attributes=attributes(any_values)
)
spans = st.builds(
    Span,
    trace_id=trace_ids,
    span_id=span_ids,
    parent_span_id=span_ids | st.just(b""),
    trace_state=texts,
    flags=counts,
    name=texts,
    kind=st.integers(0, 5),
    start_time_unix_nano=moments,
    end_time_unix_nano=moments,
    attributes=attributes(any_values),
    dropped_attributes_count=counts,
    events=st.lists(events, max_size=2),
    dropped_events_count=counts,
    links=st.lists(links, max_size=2),
    dropped_links_count=counts,
    status=st.fixed_dictionaries({"code": st.integers(0, 2), "message": texts}),
)
scopes = st.fixed_dictionaries(
    {"name": texts, "version": texts, "attributes": attributes(any_values)}
)
scope_spans = st.builds(
    ScopeSpans, scope=scopes, spans=st.lists(spans, max_size=2), schema_url=texts
)
resources = st.fixed_dictionaries({"attributes": attributes(any_values)})
messages = st.builds(
    TracesData,
    resource_spans=st.lists(
        st.builds(
            ResourceSpans,
            resource=resources,
            scope_spans=st.lists(scope_spans, max_size=2),
            schema_url=texts,
        ),
        max_size=2,
    ),
)


def with_hex_ids(value: Any) -> Any:
    """Turn protobuf's own JSON into OTLP's: ids in hex, not base64."""
    if isinstance(value, list):
        return [with_hex_ids(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: base64.b64decode(item).hex() if key in HEX_FIELDS else with_hex_ids(item)
        for key, item in value.items()
    }


def as_json(message: TracesData) -> bytes:
    plain = json_format.MessageToDict(message, use_integers_for_enums=True)
    return msgspec.json.encode(with_hex_ids(plain))


@given(messages)
@settings(max_examples=100, deadline=None)
def test_protobuf_and_json_give_equal_structs(message: TracesData) -> None:
    by_protobuf = otlp_protobuf.decode_traces(message.SerializeToString())

    assert by_protobuf == otlp_json.decode_traces(as_json(message))


def one_span(**fields: Any) -> otlp.Span:
    traces: Any = [{"scope_spans": [{"spans": [Span(**fields)]}]}]
    message = TracesData(resource_spans=traces)
    data = otlp_protobuf.decode_traces(message.SerializeToString())
    return data.resource_spans[0].scope_spans[0].spans[0]


def test_ids_are_lower_case_hex() -> None:
    span = one_span(trace_id=bytes(range(0xF0, 0x100)), span_id=b"\xab" * 8)

    assert span.trace_id == "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"
    assert span.span_id == "ab" * 8
    assert span.parent_span_id == ""


@pytest.mark.parametrize(
    ("number", "text"), [(math.nan, "NaN"), (math.inf, "Infinity"), (-math.inf, "-Infinity")]
)
def test_a_double_that_json_cannot_hold_becomes_text(number: float, text: str) -> None:
    pair = KeyValue(key="ratio", value=AnyValue(double_value=number))

    span = one_span(attributes=[pair])

    assert span.attributes == [otlp.KeyValue("ratio", otlp.AnyValue(string_value=text))]


@pytest.mark.parametrize("body", [b"\xff", b"\x0a\x05abc", b'{"resourceSpans":[]}'])
def test_what_is_no_message_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match="not an OTLP protobuf message"):
        otlp_protobuf.decode_traces(body)


def test_an_empty_body_is_an_empty_message() -> None:
    assert otlp_protobuf.decode_traces(b"") == otlp.TracesData([])


def test_without_the_extra_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.proto.trace.v1.trace_pb2", None)

    with pytest.raises(ModuleNotFoundError, match="opentelemetry"):
        otlp_protobuf.decode_traces(b"")
