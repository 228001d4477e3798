"""Requests in, answers out: nothing here listens."""

from __future__ import annotations

import gzip
import sys
import zlib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.proto.trace.v1.trace_pb2 import Span, TracesData

from traceproof.recorder import otlp
from traceproof.recorder.otlp_http import JSON, PROTOBUF, Answer, Request, answer, refusal

SECRET = "s3cret"
TRACE, SPAN = "0AF7651916CD43DD8448EB211C80319C", "B7AD6B7169203331"
LIMIT = 10_000


def spans_body(*spans: dict[str, Any]) -> bytes:
    return msgspec.json.encode({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]})


BODY = spans_body({"traceId": TRACE, "spanId": SPAN, "name": "a"})


def post(body: bytes = BODY, path: str = f"/{SECRET}/v1/traces", **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = Request("POST", path, {"content-type": JSON, **named}, body)
    return answer(request, secret=SECRET, limit=LIMIT)


def spans_of(taken: Answer) -> list[otlp.Span]:
    assert taken.traces is not None
    return [
        span
        for resource in taken.traces.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def error(refused: Answer) -> tuple[int, str]:
    assert (refused.signal, refused.traces) == ("", None)
    return refused.status, msgspec.json.decode(refused.body)["message"]


def test_json_is_taken_and_answered_in_json() -> None:
    taken = post()

    assert taken[:4] == (200, JSON, b"{}", "traces")
    assert spans_of(taken) == [otlp.Span(TRACE.lower(), SPAN.lower(), name="a")]


def test_protobuf_is_taken_and_answered_in_protobuf() -> None:
    span = Span(trace_id=bytes.fromhex(TRACE), span_id=bytes.fromhex(SPAN), name="a")
    traces: Any = [{"scope_spans": [{"spans": [span]}]}]
    body = TracesData(resource_spans=traces).SerializeToString()

    taken = post(body, content_type=PROTOBUF)

    assert taken[:4] == (200, PROTOBUF, b"", "traces")
    assert spans_of(taken) == spans_of(post())


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("identity", BODY),
        ("gzip", gzip.compress(BODY)),
        ("GZIP", gzip.compress(BODY)),
        ("deflate", zlib.compress(BODY)),
        ("deflate", zlib.compress(BODY, wbits=-15)),
    ],
)
def test_compressed_bodies_are_read(encoding: str, body: bytes) -> None:
    assert spans_of(post(body, content_encoding=encoding)) == spans_of(post())


def test_a_content_type_may_have_parameters() -> None:
    assert post(content_type="application/json; charset=utf-8").status == 200


@pytest.mark.parametrize("signal", ["logs", "metrics"])
def test_other_signals_are_taken_unread(signal: str) -> None:
    taken = post(gzip.compress(b"{}"), f"/{SECRET}/v1/{signal}", content_encoding="gzip")

    assert (200, JSON, b"{}", signal, b"{}", None) == taken
    assert post(b"\x0a", f"/{SECRET}/v1/{signal}", content_type=PROTOBUF).status == 200
    assert error(post(b"{", f"/{SECRET}/v1/{signal}"))[0] == 400
    assert error(post(b"{", f"/{SECRET}/v1/{signal}", content_type="text/plain"))[0] == 415


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/v1/traces",
        "/other/v1/traces",
        "/é/v1/traces",
        f"/{SECRET}",
        f"/{SECRET}/traces",
        f"/{SECRET}/v1/",
        f"/{SECRET}/v1/profiles",
        f"/{SECRET}/v1/traces/more",
    ],
)
def test_without_the_secret_path_there_is_nothing(path: str) -> None:
    assert error(post(path=path)) == (404, "no such endpoint")


def test_only_post_is_answered() -> None:
    request = Request("GET", f"/{SECRET}/v1/traces", {}, b"")

    assert error(answer(request, secret=SECRET, limit=LIMIT))[0] == 405


def test_a_large_body_is_refused() -> None:
    assert error(post(b" " * (LIMIT + 1)))[0] == 413


@pytest.mark.parametrize(
    ("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)]
)
def test_a_bomb_is_refused(encoding: str, pack: Any) -> None:
    bomb = pack(bytes(5_000_000))

    assert len(bomb) < LIMIT
    assert error(post(bomb, content_encoding=encoding))[0] == 413


def test_a_body_of_just_the_limit_is_taken() -> None:
    body = BODY.ljust(LIMIT)

    assert post(body).status == 200
    assert post(gzip.compress(body), content_encoding="gzip").status == 200


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", BODY),
        ("gzip", gzip.compress(BODY)[:-9]),
        ("deflate", b"\x78garbage"),
        ("gzip", b""),
    ],
)
def test_a_broken_compression_is_refused(encoding: str, body: bytes) -> None:
    status, message = error(post(body, content_encoding=encoding))

    assert status == 400
    assert message.startswith("the body cannot be decompressed")


@pytest.mark.parametrize("headers", [{"content_encoding": "br"}, {"content_type": "text/plain"}])
def test_what_is_not_known_is_refused_with_what_is(headers: Any) -> None:
    status, message = error(post(**headers))

    assert status == 415
    assert "send" in message


def test_malformed_protobuf_is_answered_with_a_status_in_protobuf() -> None:
    refused = post(b"\xff", content_type=PROTOBUF)

    text = b"the body is not an OTLP protobuf message"
    assert (400, PROTOBUF, b"\x08\x03\x12" + bytes([len(text)]) + text) == refused[:3]


def test_without_protobuf_installed_it_asks_for_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.proto.trace.v1.trace_pb2", None)

    refused = post(b"", content_type=PROTOBUF)

    assert refused.status == 415
    assert refused.body.endswith(b"protobuf needs `pip install traceproof[proxy]`: send JSON")


GOOD = {"traceId": TRACE, "spanId": SPAN}
BAD = [
    {**GOOD, "traceId": "CvdlGRbNQ92ESOshHIAxnA=="},
    {**GOOD, "spanId": "t61rcWkgMzE="},
    {**GOOD, "traceId": ""},
    {**GOOD, "spanId": "0" * 16},
    {**GOOD, "parentSpanId": "xyz"},
    {**GOOD, "startTimeUnixNano": "soon"},
    {**GOOD, "links": [{"traceId": TRACE, "spanId": "1"}]},
    {**GOOD, "events": [{"timeUnixNano": "-1"}]},
]


@pytest.mark.parametrize("bad", BAD)
def test_a_span_that_no_file_can_hold_is_rejected_alone(bad: dict[str, Any]) -> None:
    taken = post(spans_body(bad, GOOD))

    assert len(spans_of(taken)) == 1
    assert msgspec.json.decode(taken.body)["partialSuccess"]["rejectedSpans"] == "1"


def test_what_was_rejected_is_told_in_protobuf_too() -> None:
    traces: Any = [{"scope_spans": [{"spans": [Span()] * 300}]}]
    body = TracesData(resource_spans=traces)

    taken = post(body.SerializeToString(), content_type=PROTOBUF)

    told = ExportTraceServiceResponse.FromString(taken.body).partial_success
    assert told.rejected_spans == 300
    assert "ids must be hex" in told.error_message


def test_unknown_enums_become_unspecified_and_a_parent_of_zeros_none() -> None:
    odd = {**GOOD, "kind": 9, "status": {"code": -1}, "parentSpanId": "0" * 16}

    (span,) = spans_of(post(spans_body(odd)))

    assert (span.kind, span.status.code, span.parent_span_id) == (0, 0, "")


def test_nobody_sends_us_our_own_lines() -> None:
    taken = post(b'{"resourceSpans":[],"traceproofBlobs":[{"sha256":"x"}]}')

    assert taken.traces == otlp.TracesData([])


@given(st.binary(max_size=60), st.sampled_from([JSON, PROTOBUF]), st.sampled_from(["gzip", ""]))
def test_nothing_that_is_sent_raises(body: bytes, content_type: str, encoding: str) -> None:
    assert post(body, content_type=content_type, content_encoding=encoding).status in {200, 400}


def test_a_refusal_names_grpcs_code() -> None:
    assert refusal(400, "no").body == b'{"code":3,"message":"no"}'
