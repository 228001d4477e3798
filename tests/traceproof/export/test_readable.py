from __future__ import annotations

from typing import Any

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

from support import otlp_consumer
from traceproof.export.readable import readable
from traceproof.recorder import otlp
from traceproof.recorder.reader import Record
from traceproof.recorder.span import Event, Link, Span, SpanKind, StatusCode, encode_attributes

SPAN = Span(
    "0af7651916cd43dd8448eb211c80319c",
    "00f067aa0ba902b7",
    "chat m",
    SpanKind.CLIENT,
    "b7ad6b7169203331",
    1_763_000_000_123_456_789,
    1_763_000_001_000_000_001,
    {"text": "é", "n": 1, "x": 0.5, "yes": True, "raw": b"\xff", "list": [1, [2]], "map": {"a": 1}},
    [Event("said", 1_763_000_000_200_000_003, {"content": "hi"})],
    [Link("1" * 32, "2" * 16, {"why": "retry"})],
    StatusCode.ERROR,
    "overloaded",
)
SCOPE = otlp.Scope("traceproof", "1", encode_attributes({"a": 1}))


def sent(span: Span, **resource: str) -> tuple[Any, Any, Any]:
    """Give what the exporter would send."""
    record = Record(span, {"service.name": "traceproof"}, SCOPE)
    message = encode_spans([readable(record, "https://example.org/schema", resource)])
    (found,) = otlp_consumer.spans([message])
    return found


def test_ids_times_and_values_are_the_spans_own() -> None:
    _, _, span = sent(SPAN)

    assert span.trace_id.hex() == SPAN.trace_id
    assert span.span_id.hex() == SPAN.span_id
    assert span.parent_span_id.hex() == SPAN.parent_id
    assert (span.start_time_unix_nano, span.end_time_unix_nano) == (SPAN.start, SPAN.end)
    assert (span.name, span.kind) == ("chat m", 3)
    assert (span.status.code, span.status.message) == (2, "overloaded")
    assert otlp_consumer.attributes(span) == SPAN.attributes
    (event,), (link,) = span.events, span.links
    assert (event.name, event.time_unix_nano) == ("said", SPAN.events[0].time)
    assert otlp_consumer.attributes(event) == {"content": "hi"}
    assert (link.trace_id.hex(), link.span_id.hex()) == ("1" * 32, "2" * 16)
    assert otlp_consumer.attributes(link) == {"why": "retry"}


def test_who_made_it_stands_around_it() -> None:
    resource, scope, _ = sent(SPAN, team="tools")

    assert otlp_consumer.attributes(resource.resource) == {
        "service.name": "traceproof",
        "team": "tools",
    }
    assert (scope.scope.name, scope.scope.version) == ("traceproof", "1")
    assert otlp_consumer.attributes(scope.scope) == {"a": 1}
    assert resource.schema_url == scope.schema_url == "https://example.org/schema"


def test_more_attributes_than_the_sdk_would_keep_all_go() -> None:
    many = Span("1" * 32, "2" * 16, "x", attributes={f"a{n}": "x" * 100 for n in range(5000)})

    assert len(sent(many)[2].attributes) == 5000


def test_a_root_has_no_parent_and_an_unknown_kind_is_internal() -> None:
    _, _, span = sent(Span("1" * 32, "2" * 16, "x", SpanKind.UNSPECIFIED))

    assert (span.parent_span_id, span.kind) == (b"", 1)
