from __future__ import annotations

import contextlib
import socket
import ssl
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from traceproof.proxy.authority import Authority
from traceproof.proxy.routes import parse_origin

if TYPE_CHECKING:
    from tests.proxy.conftest import Server, Starting, Wire

HOST = "api.anthropic.com"
PORT = f"{HOST}:443"
GET = b"GET /v1/models HTTP/1.1\r\nHost: api.anthropic.com\r\n\r\n"
HEAD = b"HTTP/1.1 200 OK\r\n\r\n"
UPGRADE = b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
SWITCHING = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"

Serve = Callable[..., "Server"]


def answering(*pieces: bytes) -> Callable[[Wire], None]:
    """Return a script that answers a request, piece by piece, and closes."""

    def script(wire: Wire) -> None:
        wire.head()
        for piece in pieces:
            wire.send(piece)

    return script


def reset(wire: Wire) -> None:
    """End a connection, once its script is over, as one ends whose host has lost it."""
    wire.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\ntransfer-encoding:chunked\r\n\r\n03;x=y\r\none\r\n0\r\nX: 1\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200\r\nContent-Length:  3\r\n\r\none",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\none",
        b"HTTP/1.0 200 OK\r\nTransfer-Encoding: gzip\r\n\r\none",
    ],
)
def test_an_answer_passes_with_the_framing_it_came_in(
    serve: Serve, start: Starting, answer: bytes
) -> None:
    relay = start(**serve(answering(*(answer[at : at + 9] for at in range(0, 200, 9)))).route(HOST))

    with relay.secure(PORT) as agent:
        agent.send(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        assert agent.rest() == answer

    exchange = relay.sink.wait()
    assert (exchange.status, exchange.error) == (200, "")
    assert b"".join(chunk.data for chunk in exchange.response_chunks) == b"one"


def test_a_reset_is_no_end_of_an_answer_without_one(serve: Serve, start: Starting) -> None:
    """In reverse mode the client is reset too: it could not tell another end from the answer's."""

    def script(wire: Wire) -> None:
        wire.head()
        wire.send(HEAD + b"half")
        relay.sink.wait("response_started")
        reset(wire)

    relay = start(origins=(parse_origin(serve(script).url),))

    with relay.dial() as agent:
        agent.send(GET)
        agent.until(b"half")
        with pytest.raises(ConnectionResetError):
            agent.sock.recv(1)

    assert relay.sink.wait().error.endswith("without sending complete message body")


@pytest.mark.parametrize("said", [True, False])
def test_an_answer_ends_as_surely_as_it_came(
    serve: Serve,
    start: Starting,
    company: Authority,
    tls_for: Callable[..., ssl.SSLContext],
    said: bool,
) -> None:
    """Where a server closes without TLS saying so, part of the answer may have been cut off."""

    def script(wire: Wire) -> None:
        wire.head()
        wire.send(HEAD + b"all?")
        if said:
            wire.sock.unwrap()  # type: ignore[attr-defined]

    port = serve(script, tls_for(company, "127.0.0.1")).port
    relay = start(routes={HOST: parse_origin(f"https://127.0.0.1:{port}")})

    with relay.connect(PORT) as tunnel:
        context = ssl.create_default_context(cadata=relay.authority.pem.decode())
        context.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
        sock = context.wrap_socket(tunnel.sock, server_hostname=HOST, suppress_ragged_eofs=False)
        sock.sendall(GET)
        data = b""
        while not data.endswith(b"all?"):
            data += sock.recv(100)
        with contextlib.nullcontext() if said else pytest.raises(ssl.SSLError, match=r"(?i)eof"):
            assert sock.recv(100) == b""
        sock.close()

    assert relay.sink.wait().error == ""


def test_old_clients_get_no_interim_answers(serve: Serve, start: Starting) -> None:
    final = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    relay = start(**serve(answering(b"HTTP/1.1 103 Early\r\n\r\n" + final)).route(HOST))

    with relay.secure(PORT) as agent:
        agent.send(GET.replace(b"HTTP/1.1", b"HTTP/1.0"))
        assert agent.rest() == final


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", "server closed connection"),
        (b"HTTP/1.1 200 OK\r\nContent-", "server closed connection"),
        (b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", "parse HTTP response: a header is folded"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 30_000, "the headers are longer than 128 KiB"),
        (SWITCHING, "the server switched protocols unasked"),
    ],
)
def test_an_answer_that_is_none_is_a_502(
    serve: Serve, start: Starting, answer: bytes, error: str
) -> None:
    relay = start(**serve(answering(answer)).route(HOST))

    with relay.secure(PORT) as agent:
        agent.send(GET)
        status, message = agent.error()

    exchange = relay.sink.wait()
    assert status == "HTTP/1.1 502 Bad Gateway"
    assert error in message
    assert message == f"traceproof: {exchange.error}"
    assert exchange.status == 0


def test_an_answer_that_goes_wrong_is_passed_as_far_as_it_is_right(
    serve: Serve, start: Starting
) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    relay = start(**serve(answering(head + b"3\r\none\r\nzz\r\n")).route(HOST))

    with relay.secure(PORT) as agent:
        agent.send(GET)
        assert agent.rest() == head + b"3\r\none\r\n"

    exchange = relay.sink.wait()
    assert exchange.error.endswith("Cannot parse HTTP response: malformed chunk size")
    assert [chunk.data for chunk in exchange.response_chunks] == [b"one"]


def test_what_a_server_sends_after_its_answer_is_not_passed_on(
    serve: Serve, start: Starting
) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    upstream = serve(answering(answer + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"))
    relay = start(**upstream.route(HOST))

    with relay.secure(PORT) as agent:
        for _ in range(2):
            agent.send(GET)
            assert agent.exactly(len(answer)) == answer

    assert upstream.connections == 2
    relay.sink.wait("ended", 2)


def test_an_upgraded_connection_carries_what_was_sent_with_its_heads(
    serve: Serve, start: Starting
) -> None:
    def script(wire: Wire) -> None:
        assert wire.head() == UPGRADE
        wire.send(SWITCHING + b"\x81\x02hi")
        assert wire.exactly(6) == b"\x88\x80abcd"
        wire.send(b"\x88\x00")

    relay = start(**serve(script).route(HOST))

    with relay.secure(PORT) as agent:
        agent.send(UPGRADE + b"\x88\x80abcd")
        assert agent.head() == SWITCHING
        assert agent.rest() == b"\x81\x02hi\x88\x00"

    exchange = relay.sink.wait()
    assert (exchange.status, exchange.error) == (101, "")
    assert exchange.request_ended > 0
    assert b"".join(chunk.data for chunk in exchange.request_chunks) == b"\x88\x80abcd"
    assert b"".join(chunk.data for chunk in exchange.response_chunks) == b"\x81\x02hi\x88\x00"


def test_an_upgraded_connection_that_its_server_resets_says_so(
    serve: Serve, start: Starting
) -> None:
    def script(wire: Wire) -> None:
        wire.head()
        wire.send(SWITCHING + b"\x81\x02hi")
        relay.sink.wait("response_started")
        reset(wire)

    relay = start(**serve(script).route(HOST))

    with relay.secure(PORT) as agent:
        agent.send(UPGRADE)
        agent.head()
        assert agent.rest() == b"\x81\x02hi"

    assert relay.sink.wait().error.endswith("server closed connection (Connection reset by peer)")


@pytest.mark.parametrize("status", [b"426 Upgrade Required", b"404 Not Found"])
def test_an_upgrade_that_is_refused_is_an_answer_like_any_other(
    serve: Serve, start: Starting, status: bytes
) -> None:
    answer = b"HTTP/1.1 " + status + b"\r\nContent-Length: 2\r\n\r\nno"
    relay = start(**serve(answering(answer)).route(HOST))

    with relay.secure(PORT) as agent:
        agent.send(UPGRADE)
        assert agent.response() == answer

    assert [chunk.data for chunk in relay.sink.wait().response_chunks] == [b"no"]


def test_an_upgraded_connection_ends_with_its_client(serve: Serve, start: Starting) -> None:
    def script(wire: Wire) -> None:
        wire.head()
        wire.send(SWITCHING)
        assert wire.rest() == b"bye"

    relay = start(**serve(script).route(HOST))

    with relay.secure(PORT) as agent:
        agent.send(UPGRADE)
        agent.head()
        agent.send(b"bye")

    assert relay.sink.wait().error == ""
