from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traceproof.proxy.relay.head import Malformed, parse_request, parse_response, parse_trailers


def test_a_requests_head_is_read_and_kept_as_it_came() -> None:
    raw = b"POST /v1?a=b HTTP/1.1\r\nhost:a\r\nX-B:  1 \t\r\nx-b: \xe4\r\n\r\n"

    head = parse_request(raw)

    assert (head.method, head.target, head.minor) == ("POST", b"/v1?a=b", 1)
    assert head.fields == [(b"host", b"a"), (b"X-B", b"1"), (b"x-b", b"\xe4")]
    assert head.lines == [b"host:a", b"X-B:  1 \t", b"x-b: \xe4"]
    assert head.raw == raw
    assert head.values(b"x-b") == [b"1", b"\xe4"]


def test_a_responses_head_is_read() -> None:
    assert parse_response(b"HTTP/1.1 429 Slow Down\r\n\r\n").status == 429
    assert parse_response(b"HTTP/1.0 200\r\n\r\n").minor == 0
    assert parse_response(b"HTTP/1.1 103 Early Hints\r\n\r\n").interim
    assert not parse_response(b"HTTP/1.1 101 Switching Protocols\r\n\r\n").interim


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"GET  / HTTP/1.1\r\n\r\n", "malformed request line"),
        (b"GET / HTTP/2.0\r\n\r\n", "malformed request line"),
        (b"GET /a b HTTP/1.1\r\n\r\n", "malformed request line"),
        (b"GE(T / HTTP/1.1\r\n\r\n", "malformed request line"),
        (b"GET / HTTP/1.1\nHost: a\r\n\r\n", "a line does not end with CR LF"),
        (b"GET / HTTP/1.1\r\nA: b\nC: d\r\n\r\n", "a line does not end with CR LF"),
        (b"GET / HTTP/1.1\r\nA: b\rC: d\r\n\r\n", "a line does not end with CR LF"),
        (b"GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", "a header is folded over two lines"),
        (b"GET / HTTP/1.1\r\nA : b\r\n\r\n", "malformed header line"),
        (b"GET / HTTP/1.1\r\nnothing\r\n\r\n", "malformed header line"),
        (b"GET / HTTP/1.1\r\nA: \x00\r\n\r\n", "malformed header line"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n", "more than one Host header"),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(raw: bytes, why: str) -> None:
    with pytest.raises(Malformed, match=why) as caught:
        parse_request(raw)

    assert caught.value.status == 400


@pytest.mark.parametrize("line", [b"SMTP ready", b"HTTP/1.1 99 x", b"HTTP/2 200 OK", b"200 OK"])
def test_a_status_line_that_is_none_is_refused(line: bytes) -> None:
    with pytest.raises(Malformed, match="malformed status line"):
        parse_response(line + b"\r\n\r\n")


@pytest.mark.parametrize(
    ("fields", "length"),
    [
        (b"", None),
        (b"Content-Length: 7\r\n", 7),
        (b"Content-Length: 7\r\nContent-Length: 7\r\n", 7),
    ],
)
def test_lengths(fields: bytes, length: int | None) -> None:
    assert parse_response(b"HTTP/1.1 200 OK\r\n" + fields + b"\r\n").length() == length


@pytest.mark.parametrize("value", [b"", b"+1", b"0x1", b"1_0", b"1, 1", b"-1", b"9" * 19, b"\xb2"])
def test_a_length_that_is_none_is_refused(value: bytes) -> None:
    head = parse_request(b"GET / HTTP/1.1\r\nContent-Length: " + value + b"\r\n\r\n")

    with pytest.raises(Malformed, match="malformed Content-Length"):
        head.length()


def test_lengths_that_differ_are_refused() -> None:
    head = parse_request(b"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n")

    with pytest.raises(Malformed, match="malformed Content-Length"):
        head.length()


@pytest.mark.parametrize(
    ("version", "connection", "persists"),
    [
        (b"1.1", b"", True),
        (b"1.1", b"Connection: x, Close\r\n", False),
        (b"1.0", b"", False),
        (b"1.0", b"Connection: Keep-Alive\r\n", True),
    ],
)
def test_whether_a_connection_goes_on(version: bytes, connection: bytes, *, persists: bool) -> None:
    assert parse_request(b"GET / HTTP/%b\r\n%b\r\n" % (version, connection)).persists is persists


def test_an_upgrade_needs_both_headers() -> None:
    both = b"GET / HTTP/1.1\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n"

    assert parse_request(both).upgrades
    assert not parse_request(both.replace(b", Upgrade", b"")).upgrades


def test_trailers_are_header_lines() -> None:
    parse_trailers(b"\r\n")
    parse_trailers(b"X-Sum: 1\r\n\r\n")
    with pytest.raises(Malformed):
        parse_trailers(b"no trailer\r\n\r\n")


@given(st.binary())
def test_nothing_else_is_ever_raised(data: bytes) -> None:
    for parse in (parse_request, parse_response):
        try:
            head = parse(data + b"\r\n\r\n")
            head.length()
        except Malformed:
            pass
