from __future__ import annotations

import contextlib
import ssl

import pytest

from traceproof.proxy.clienthello import Hello, parse_hello

HOST = "api.anthropic.com"


def hello(name: str | None, *protocols: str) -> bytes:
    outgoing = ssl.MemoryBIO()
    context = ssl.create_default_context()
    context.check_hostname = False
    if protocols:
        context.set_alpn_protocols(list(protocols))
    client = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=name)
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


def test_what_a_client_says_is_read_once_it_is_whole() -> None:
    data = hello(HOST)

    assert parse_hello(data) == Hello(True, HOST)
    for size in (0, 1, 2, 3, 100, len(data) - 1):
        assert parse_hello(data[:size]) is None
    assert parse_hello(hello(None)) == Hello(True)


@pytest.mark.parametrize("data", [b"SSH-2.0-client", b"GET / HTTP/1.1", b"\x16", b"P"])
def test_what_is_not_tls_is_told_at_once(data: bytes) -> None:
    told = parse_hello(data)

    assert told == (None if data == b"\x16" else Hello(False))


def test_a_hello_that_is_broken_or_never_ends_is_still_tls() -> None:
    assert parse_hello(b"\x16\x03\x01\x00\x06\x01\x00\x00\x02\x03\x03") == Hello(True)
    endless = b"\x16\x03\x01\x40\x00\x01\xff\xff\xff" + bytes(0x3FFC)
    assert parse_hello(endless + b"\x16\x03\x01\x40\x00" + bytes(0x4000 * 9)) == Hello(True)


@pytest.mark.parametrize(
    ("protocols", "http1", "http2_alone"),
    [
        ((), False, False),
        (("h2", "http/1.1"), True, False),
        (("http/1.1",), True, False),
        (("h2",), False, True),
        (("spdy/3",), False, False),
    ],
)
def test_what_a_client_would_speak(
    protocols: tuple[str, ...], *, http1: bool, http2_alone: bool
) -> None:
    told = parse_hello(hello(HOST, *protocols))

    assert told is not None
    assert (told.http1, told.http2_alone) == (http1, http2_alone)
