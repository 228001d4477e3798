"""JSON as other programs write it comes out in the one form a trace file has."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from traceproof.recorder import otlp, otlp_json


def decoded(span: dict[str, Any]) -> otlp.Span:
    body = msgspec.json.encode({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]})
    return otlp_json.decode_traces(body).resource_spans[0].scope_spans[0].spans[0]


def attribute(value: dict[str, Any]) -> otlp.AnyValue:
    return decoded({"attributes": [{"key": "k", "value": value}]}).attributes[0].value


def test_times_may_be_numbers() -> None:
    span = decoded(
        {"startTimeUnixNano": 1, "endTimeUnixNano": "2", "events": [{"timeUnixNano": 3}]}
    )

    assert (span.start_time_unix_nano, span.end_time_unix_nano) == ("1", "2")
    assert [otlp.Event("3")] == span.events


@pytest.mark.parametrize("value", [7, "7"])
def test_integers_may_be_numbers_or_text(value: object) -> None:
    assert otlp.AnyValue(int_value="7") == attribute({"intValue": value})


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (2, otlp.AnyValue(double_value=2.0)),
        ("1.5", otlp.AnyValue(double_value=1.5)),
        ("NaN", otlp.AnyValue(string_value="NaN")),
        ("-Infinity", otlp.AnyValue(string_value="-Infinity")),
    ],
)
def test_doubles_may_be_text(sent: object, kept: otlp.AnyValue) -> None:
    assert attribute({"doubleValue": sent}) == kept


@pytest.mark.parametrize("sent", ["+/8=", "-_8=", "-_8"])
def test_base64_may_be_url_safe_and_unpadded(sent: str) -> None:
    assert otlp.AnyValue(bytes_value="+/8=") == attribute({"bytesValue": sent})


def test_nulls_are_left_out_and_unknown_fields_ignored() -> None:
    assert otlp.Span(name="a") == decoded({"name": "a", "parentSpanId": None, "news": {"x": 1}})


def test_an_empty_value_stays_empty() -> None:
    assert otlp.AnyValue() == attribute({})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'{"resourceSpans":{}}',
        b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"kind":"SPAN_KIND_CLIENT"}]}]}]}',
        b'{"resourceSpans":[{"resource":{"attributes":[{"value":{"intValue":"x"}}]}}]}',
        b'{"resourceSpans":[{"resource":{"attributes":[{"value":{"intValue":[]}}]}}]}',
        b'{"resourceSpans":[{"resource":{"attributes":[{"value":{"bytesValue":"!"}}]}}]}',
        b"[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_what_is_no_such_message_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        otlp_json.decode_traces(body)
