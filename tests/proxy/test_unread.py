from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

import pytest

from traceproof.proxy import unread
from traceproof.recorder import semconv
from traceproof.recorder.reader import TraceReader

if TYPE_CHECKING:
    from tests.proxy.conftest import Desk

KEY = "fake-key-0123456789"
GZIP = ("content-encoding", "gzip")
STREAM = ("Content-Type", "text/event-stream; charset=utf-8")


def spelt(*texts: str) -> bytes:
    """Return a stream of a format that nobody here knows."""
    events = [{"index": n % 2, "out": [{"bit": text}]} for text in texts for n in (0, 1)]
    return b"".join(f"data: {json.dumps(event)}\n\n".encode() for event in events)


def read(desk: Desk, ref: object) -> bytes:
    desk.writer.flush()
    with TraceReader.open(desk.writer.path) as reader:
        return b"".join(reader.iter_body(str(ref)))


@pytest.fixture(autouse=True)
def known(desk: Desk) -> None:
    desk.redactor.add("KEY", KEY)


@pytest.mark.parametrize("headers", [[], [STREAM], [GZIP], [GZIP, STREAM]])
def test_a_body_without_a_secret_is_kept_as_sent(
    desk: Desk, headers: list[tuple[str, str]]
) -> None:
    data = spelt("no", " secret") + b"rest \xff"
    raw = gzip.compress(data) if GZIP in headers else data

    stored = unread.store("response", headers, raw, desk.writer, desk.redactor)

    assert read(desk, stored[semconv.REF + semconv.RESPONSE_BODY]) == raw
    assert stored.get(semconv.RESPONSE_ENCODING) == ("gzip" if GZIP in headers else None)
    assert semconv.BODY_KEPT_DECODED not in stored


@pytest.mark.parametrize("headers", [[STREAM], [GZIP, STREAM]])
def test_a_secret_that_is_spelt_out_over_events_is_masked(
    desk: Desk, headers: list[tuple[str, str]]
) -> None:
    data = spelt("it is fake-", "key-012", "3456789.") + b"data: odd\n\nno event"
    raw = gzip.compress(data) if GZIP in headers else data

    stored = unread.store("response", headers, raw, desk.writer, desk.redactor)

    body = read(desk, stored[semconv.REF + semconv.RESPONSE_BODY])
    events = [json.loads(line[6:]) for line in body.splitlines() if line.startswith(b"data: {")]
    for index in (0, 1):
        texts = [event["out"][0]["bit"] for event in events if event["index"] == index]
        assert "".join(texts) == "it is <SECRET:KEY>."
    assert body.endswith(b"data: odd\n\nno event")
    assert stored.get(semconv.BODY_KEPT_DECODED) == ("response" if GZIP in headers else None)


def test_a_secret_in_an_encoded_request_is_masked(desk: Desk) -> None:
    raw = gzip.compress(f"it is {KEY}".encode())

    stored = unread.store("request", [GZIP], raw, desk.writer, desk.redactor)

    assert read(desk, stored[semconv.REF + semconv.REQUEST_BODY]) == b"it is <SECRET:KEY>"
    assert stored[semconv.BODY_KEPT_DECODED] == "request"


def test_what_was_wrong_with_an_encoding_is_said(desk: Desk) -> None:
    cut = unread.store("request", [GZIP], gzip.compress(b"abc")[:-4], desk.writer, desk.redactor)
    odd = [("content-encoding", "snappy")]
    unknown = unread.store("request", odd, b"abc", desk.writer, desk.redactor)

    assert cut[semconv.CALL_PROBLEM] == "the encoded body is cut short"
    assert "snappy" in str(unknown[semconv.CALL_PROBLEM])
    assert unread.undone("", b"abc") == (b"abc", "")
