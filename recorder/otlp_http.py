"""OTLP/HTTP as a pure function: a request in, an answer and what it brought out.

No sockets here: see `traceproof.recorder.receiver`. The protocol is
https://opentelemetry.io/docs/specs/otlp/#otlphttp.
"""

from __future__ import annotations

import re
import secrets
import zlib
from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from traceproof.recorder import otlp, otlp_json, otlp_protobuf

JSON = "application/json"
PROTOBUF = "application/x-protobuf"
SIGNALS = ("traces", "logs", "metrics")

_GRPC_CODES = {400: 3, 404: 5, 405: 12, 413: 8, 415: 12, 500: 13}
_TRACE_ID = re.compile(r"[0-9a-f]{32}")
_SPAN_ID = re.compile(r"[0-9a-f]{16}")
_NANOSECONDS = re.compile(r"\d{1,20}")
_HIGHEST_KIND = 5
_HIGHEST_STATUS = 2
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


class Request(NamedTuple):
    """One HTTP request, its body whole; header names are lower-case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Answer(NamedTuple):
    """The response to send, and what the request brought.

    `signal` is empty when it was refused; `payload` is the body decompressed, `traces` what it
    holds, with ids in lower-case hex and every number sound.
    """

    status: int
    content_type: str
    body: bytes
    signal: str = ""
    payload: bytes = b""
    traces: otlp.TracesData | None = None


class _Refused(Exception):  # noqa: N818 (it is an answer)
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def answer(request: Request, *, secret: str, limit: int) -> Answer:
    """Decide on a request; never raises on what a client sent.

    Args:
        request: The request.
        secret: The first part of the path, which only those who were told it know.
        limit: The most bytes that a body may have, as sent and decompressed.
    """
    encoding = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        signal = _signal(request, secret)
        payload = _decompressed(request, limit)
        if signal == "traces":
            traces, rejected = _sound(_decode(encoding, payload))
            body = _success(encoding, rejected)
            return Answer(200, encoding, body, signal, payload, traces)
        _check(encoding, payload)
        return Answer(200, encoding, _success(encoding, 0), signal, payload)
    except _Refused as refused:
        return refusal(refused.status, str(refused), encoding)


def refusal(status: int, message: str, encoding: str = JSON) -> Answer:
    """Return an error as OTLP wants it: a `google.rpc.Status` in the request's encoding."""
    code = _GRPC_CODES.get(status, 2)
    if encoding == PROTOBUF:
        return Answer(status, PROTOBUF, _varint_field(1, code) + _text_field(2, message))
    return Answer(status, JSON, msgspec.json.encode({"code": code, "message": message}))


def _signal(request: Request, secret: str) -> str:
    """Return the signal that a request's path names."""
    given, _, rest = request.path.partition("?")[0].removeprefix("/").partition("/")
    signal = rest.removeprefix("v1/")
    known = secrets.compare_digest(given.encode(), secret.encode())
    if not known or rest != f"v1/{signal}" or signal not in SIGNALS:
        raise _Refused(404, "no such endpoint")
    if request.method != "POST":
        raise _Refused(405, "only POST is answered here")
    return signal


def _decompressed(request: Request, limit: int) -> bytes:
    if len(request.body) > limit:
        raise _Refused(413, f"the body is larger than {limit} bytes")
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    match encoding:
        case "identity" | "":
            return request.body
        case "gzip" | "x-gzip":
            return _inflate(request.body, _GZIP_OR_ZLIB, limit)
        case "deflate":
            # zlib's format by the book, the bare stream by custom
            zlib_header = request.body[:1] == b"\x78"
            return _inflate(request.body, zlib.MAX_WBITS if zlib_header else -zlib.MAX_WBITS, limit)
    raise _Refused(415, f"content-encoding {encoding} is not known: send gzip, deflate or none")


def _inflate(data: bytes, window: int, limit: int) -> bytes:
    inflater = zlib.decompressobj(window)
    try:
        plain = inflater.decompress(data, limit + 1)
    except zlib.error as error:
        raise _Refused(400, f"the body cannot be decompressed: {error}") from None
    if len(plain) > limit:
        raise _Refused(413, f"the body is larger than {limit} bytes, decompressed")
    if not inflater.eof:
        raise _Refused(400, "the body cannot be decompressed: it is cut short")
    return plain


def _decode(encoding: str, payload: bytes) -> otlp.TracesData:
    try:
        if encoding == PROTOBUF:
            return otlp_protobuf.decode_traces(payload)
        if encoding == JSON:
            return otlp_json.decode_traces(payload)
    except ModuleNotFoundError:
        raise _Refused(415, "protobuf needs `pip install traceproof[proxy]`: send JSON") from None
    except ValueError as error:
        raise _Refused(400, str(error)) from None
    raise _Refused(415, f"content-type {encoding!r} is not known: send {JSON} or {PROTOBUF}")


def _check(encoding: str, payload: bytes) -> None:
    """Refuse what cannot be logs or metrics; their content is not looked into."""
    if encoding == JSON:
        try:
            msgspec.json.decode(payload)
        except (ValueError, RecursionError) as error:
            raise _Refused(400, str(error)) from None
    elif encoding != PROTOBUF:
        raise _Refused(415, f"content-type {encoding!r} is not known: send {JSON} or {PROTOBUF}")


def _sound(traces: otlp.TracesData) -> tuple[otlp.TracesData, int]:
    """Keep the spans that a trace file can hold, and count the others.

    What only our own lines may carry is left out.
    """
    rejected = 0
    for resource in traces.resource_spans:
        for scope in resource.scope_spans:
            kept = [span for span in scope.spans if _make_sound(span)]
            rejected += len(scope.spans) - len(kept)
            scope.spans = kept
    return otlp.TracesData(traces.resource_spans), rejected


def _make_sound(span: otlp.Span) -> bool:
    """Bring a span's ids and enums into form; return False if they or its times cannot be."""
    span.trace_id, span.span_id = span.trace_id.lower(), span.span_id.lower()
    span.parent_span_id = span.parent_span_id.lower()
    if not span.parent_span_id.strip("0"):
        span.parent_span_id = ""
    for link in span.links:
        link.trace_id, link.span_id = link.trace_id.lower(), link.span_id.lower()
    span.kind = span.kind if 0 <= span.kind <= _HIGHEST_KIND else 0
    span.status.code = span.status.code if 0 <= span.status.code <= _HIGHEST_STATUS else 0
    return _has_ids(span) and all(
        _NANOSECONDS.fullmatch(moment)
        for moment in (
            span.start_time_unix_nano,
            span.end_time_unix_nano,
            *(event.time_unix_nano for event in span.events),
        )
    )


def _has_ids(span: otlp.Span) -> bool:
    traces = (span.trace_id, *(link.trace_id for link in span.links))
    spans = (span.span_id, *(link.span_id for link in span.links))
    parents = (span.parent_span_id,) if span.parent_span_id else ()
    return all(_is_id(_TRACE_ID, text) for text in traces) and all(
        _is_id(_SPAN_ID, text) for text in spans + parents
    )


def _is_id(form: re.Pattern[str], text: str) -> bool:
    """Tell an id: hex of the right length, not all zeros. Base64 is not one."""
    return bool(form.fullmatch(text) and text.strip("0"))


def _success(encoding: str, rejected: int) -> bytes:
    """Return an export response; it is empty unless something was rejected."""
    why = "ids must be hex (32 and 16 digits) and times decimal nanoseconds"
    if encoding == PROTOBUF:
        partial = _varint_field(1, rejected) + _text_field(2, why)
        return _bytes_field(1, partial) if rejected else b""
    partial_success = {"rejectedSpans": str(rejected), "errorMessage": why}
    return msgspec.json.encode({"partialSuccess": partial_success} if rejected else {})


def _varint(number: int) -> bytes:
    more, low = number >> 7, number & 0x7F
    return bytes([low | 0x80]) + _varint(more) if more else bytes([low])


def _varint_field(field: int, number: int) -> bytes:
    return _varint(field << 3) + _varint(number)


def _bytes_field(field: int, data: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def _text_field(field: int, text: str) -> bytes:
    return _bytes_field(field, text.encode())
