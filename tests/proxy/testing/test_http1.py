from __future__ import annotations

import pytest

from traceproof.proxy.testing.http1 import Body, Head, RequestReader, parse_head

HEAD = b"POST /v1/messages HTTP/1.1\r\nHost: model\r\nContent-Length: 5\r\n\r\n"


def test_a_request_is_its_head_and_its_body() -> None:
    head, body = RequestReader().feed(HEAD + b"hello")

    assert head == Head(
        "POST", "/v1/messages", "HTTP/1.1", [("Host", "model"), ("Content-Length", "5")]
    )
    assert body == Body(b"hello")


def test_the_head_is_told_before_the_body_has_come() -> None:
    reader = RequestReader()

    assert [type(event) for event in reader.feed(HEAD + b"he")] == [Head]
    assert reader.feed(b"ll") == []
    assert reader.feed(b"o") == [Body(b"hello")]


@pytest.mark.parametrize("size", [1, 2, 7])
def test_any_chunking_reads_the_same(size: int) -> None:
    chunked = b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunked += b"3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nT: 1\r\n\r\n"
    sent = HEAD + b"hello" + chunked + HEAD + b"again"
    reader = RequestReader()
    events = [
        event
        for start in range(0, len(sent), size)
        for event in reader.feed(sent[start : start + size])
    ]

    assert [event.data for event in events if isinstance(event, Body)] == [
        b"hello",
        b"abcde",
        b"again",
    ]


def test_requests_may_be_pipelined() -> None:
    assert len(RequestReader().feed((HEAD + b"hello") * 3)) == 6


def test_a_request_without_a_body_is_whole_at_once() -> None:
    assert RequestReader().feed(b"HEAD / HTTP/1.1\r\n\r\n")[1] == Body(b"")


@pytest.mark.parametrize(
    ("lines", "keeps"),
    [
        (b"GET / HTTP/1.1", True),
        (b"GET / HTTP/1.1\r\nConnection: Close", False),
        (b"GET / HTTP/1.0", False),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive", True),
    ],
)
def test_keep_alive_is_the_version_and_the_clients_wish(lines: bytes, *, keeps: bool) -> None:
    assert parse_head(lines).keep_alive is keeps


def test_what_is_no_http_is_refused() -> None:
    with pytest.raises(ValueError, match="not a request line"):
        RequestReader().feed(b"\x16\x03\x01 client hello\r\n\r\n")


def test_an_endless_head_is_refused() -> None:
    with pytest.raises(ValueError, match="no end of the headers"):
        RequestReader().feed(b"x" * ((1 << 20) + 1))
