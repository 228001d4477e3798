from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from traceproof.proxy.routes import parse_routes

if TYPE_CHECKING:
    from tests.proxy.conftest import Server, Starting, Wire

HOST = "api.anthropic.com"
PORT = f"{HOST}:443"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
GET = b"GET /v1/models HTTP/1.1\r\nHost: api.anthropic.com\r\n\r\n"

Serve = Callable[..., "Server"]


def test_a_call_passes_and_is_handed_over(serve: Serve, start: Starting) -> None:
    upstream = serve()
    relay = start(**upstream.route(HOST))

    with relay.secure(PORT) as agent:
        agent.send(b"POST /v1/x?beta=true HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody")
        assert agent.response() == OK

    exchange = relay.sink.wait()
    assert relay.sink.calls(exchange) == [
        "request_started",
        "request_ended",
        "response_started",
        "ended",
    ]
    assert (exchange.method, exchange.path, exchange.status) == ("POST", "/v1/x?beta=true", 200)
    assert (exchange.scheme, exchange.host, exchange.port) == ("https", HOST, 443)
    assert exchange.upstream == upstream.url
    assert exchange.request_headers == [("Host", "a"), ("Content-Length", "4")]
    assert exchange.response_headers == [("Content-Length", "2")]
    assert [chunk.data for chunk in exchange.request_chunks] == [b"body"]
    assert [chunk.data for chunk in exchange.response_chunks] == [b"ok"]
    times = [
        exchange.started,
        exchange.request_chunks[0].time,
        exchange.request_ended,
        exchange.response_started,
        exchange.response_chunks[0].time,
        exchange.ended,
    ]
    assert times == sorted(times)
    assert exchange.error == ""


def test_each_chunk_is_relayed_before_the_next_is_sent(serve: Serve, start: Starting) -> None:
    seen = threading.Semaphore(0)

    def script(wire: Wire) -> None:
        wire.request()
        wire.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for word in (b"one", b"two", b"three"):
            wire.send(b"%x\r\n%s\r\n" % (len(word), word))
            assert seen.acquire(timeout=10)
        wire.send(b"0\r\n\r\n")

    relay = start(**serve(script).route(HOST))

    with relay.secure(PORT) as agent:
        agent.send(GET)
        assert agent.head() == b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        for word in (b"3\r\none\r\n", b"3\r\ntwo\r\n", b"5\r\nthree\r\n"):
            assert agent.until(word) == word
            seen.release()
        assert agent.until(b"0\r\n\r\n") == b"0\r\n\r\n"

    exchange = relay.sink.wait()
    assert [chunk.data for chunk in exchange.response_chunks] == [b"one", b"two", b"three"]


def test_a_request_is_whole_before_its_server_is_dialled(serve: Serve, start: Starting) -> None:
    def script(wire: Wire) -> None:
        head, body = wire.head().lower(), wire.until(b"0\r\n\r\n")
        assert b"transfer-encoding: chunked" in head
        assert body == b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"
        wire.send(OK)

    relay = start(**serve(script).route(HOST))

    with relay.secure(PORT) as agent:
        agent.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
        agent.send(b"3\r\ntwo\r\n0\r\n\r\n")
        assert agent.response() == OK

    exchange = relay.sink.wait()
    assert [chunk.data for chunk in exchange.request_chunks] == [b"onetwo"]


def test_a_request_is_kept_even_where_its_server_cannot_be_reached(start: Starting) -> None:
    nobody = socket.create_server(("127.0.0.1", 0))
    port = nobody.getsockname()[1]
    nobody.close()
    relay = start(routes=parse_routes([f"{HOST}=http://127.0.0.1:{port}"]))

    with relay.secure(PORT) as agent:
        agent.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody")
        assert agent.head().startswith(b"HTTP/1.1 502")

    exchange = relay.sink.wait()
    assert [chunk.data for chunk in exchange.request_chunks] == [b"body"]
    assert "refused" in exchange.error.lower()


def test_two_calls_share_a_connection(serve: Serve, start: Starting) -> None:
    upstream = serve()
    relay = start(**upstream.route(HOST))

    with relay.secure(PORT) as agent:
        for _ in range(2):
            agent.send(GET)
            assert agent.response() == OK

    second = relay.sink.wait("ended", 2)
    assert [name for name, _ in relay.sink.told].count("ended") == 2
    assert second is not relay.sink.wait("ended", 1)
    assert upstream.connections == 1


@pytest.mark.parametrize(
    ("request_line", "answer"),
    [
        (b"HEAD /api/hello HTTP/1.1", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"),
        (b"GET / HTTP/1.1", b"HTTP/1.1 204 No Content\r\n\r\n"),
        (b"GET / HTTP/1.1", b'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n'),
        (b"DELETE /x HTTP/1.1", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    ],
)
def test_an_answer_without_a_body_passes(
    serve: Serve, start: Starting, request_line: bytes, answer: bytes
) -> None:
    def script(wire: Wire) -> None:
        while wire.head():
            wire.send(answer)

    relay = start(**serve(script).route(HOST))

    with relay.secure(PORT) as agent:
        for _ in range(2):
            agent.send(request_line + b"\r\nHost: a\r\n\r\n")
            assert agent.head() == answer

    exchange = relay.sink.wait("ended", 2)
    assert (exchange.response_chunks, exchange.error) == ([], "")


def test_an_answer_that_ends_with_the_connection_passes(serve: Serve, start: Starting) -> None:
    def script(wire: Wire) -> None:
        wire.head()
        wire.send(b"HTTP/1.0 200 OK\r\n\r\nuntil the end")

    relay = start(**serve(script).route(HOST))

    with relay.secure(PORT) as agent:
        agent.send(GET)
        assert agent.rest() == b"HTTP/1.0 200 OK\r\n\r\nuntil the end"

    assert relay.sink.wait().error == ""


def test_an_upstream_that_is_cut_off_cuts_the_agent_off(serve: Serve, start: Starting) -> None:
    def script(wire: Wire) -> None:
        wire.request()
        wire.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")

    relay = start(**serve(script).route(HOST))

    with relay.secure(PORT) as agent:
        agent.send(GET)
        assert agent.rest().endswith(b"3\r\none\r\n")

    exchange = relay.sink.wait()
    assert "peer closed connection without sending complete message body" in exchange.error
    assert exchange.error.startswith("127.0.0.1:")
    assert [chunk.data for chunk in exchange.response_chunks] == [b"one"]


def test_an_agent_that_leaves_in_mid_stream_is_noted(serve: Serve, start: Starting) -> None:
    gone = threading.Event()

    def script(wire: Wire) -> None:
        wire.request()
        wire.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        wire.send(b"e\r\ndata: [DONE]\n\n\r\n")
        wire.rest()
        gone.set()

    relay = start(**serve(script).route(HOST))

    with relay.secure(PORT) as agent:
        agent.send(GET)
        agent.until(b"[DONE]")

    exchange = relay.sink.wait()
    assert exchange.error == "the client disconnected"
    assert exchange.response_chunks[0].data == b"data: [DONE]\n\n"
    assert gone.wait(10)


def test_an_agent_that_leaves_while_it_sends_is_noted(serve: Serve, start: Starting) -> None:
    relay = start(**serve().route(HOST))

    with relay.secure(PORT) as agent:
        agent.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf")
        relay.sink.wait("request_started")

    exchange = relay.sink.wait()
    assert exchange.error == "the client disconnected"
    assert exchange.request_ended == 0


def test_a_sink_that_raises_does_not_break_the_call(serve: Serve, start: Starting) -> None:
    relay = start(**serve().route(HOST))
    relay.sink.raising = RuntimeError("disk full")

    with relay.secure(PORT) as agent:
        agent.send(GET)
        assert agent.response() == OK
        relay.sink.wait()

    relay.server.stop()
    assert relay.server.faults == {"RuntimeError: disk full": 4}


def test_a_sink_that_refuses_stops_calls_before_they_are_made(
    serve: Serve, start: Starting
) -> None:
    upstream = serve()
    relay = start(**upstream.route(HOST))
    relay.sink.refusing = True

    with relay.secure(PORT) as agent:
        agent.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody")
        status, message = agent.error()

    assert status == "HTTP/1.1 503 Service Unavailable"
    assert "--on-failure" in message
    assert (upstream.connections, relay.sink.told) == (0, [])


def test_a_web_socket_passes_as_the_bytes_it_is(serve: Serve, start: Starting) -> None:
    upgrade = (
        b"GET /v1/responses HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    switching = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"
    hello, goodbye = b"\x81\x82abcd\x09\x0b", b"\x81\x02hi\x88\x00"

    def script(wire: Wire) -> None:
        assert wire.head() == upgrade
        wire.send(switching)
        assert wire.exactly(len(hello)) == hello
        wire.send(goodbye)

    relay = start(**serve(script).route(HOST))

    with relay.secure(PORT) as agent:
        agent.send(upgrade)
        assert agent.head() == switching
        agent.send(hello)
        assert agent.rest() == goodbye

    exchange = relay.sink.wait()
    assert (exchange.status, exchange.error) == (101, "")
    assert b"".join(chunk.data for chunk in exchange.request_chunks) == hello
    assert b"".join(chunk.data for chunk in exchange.response_chunks) == goodbye


def test_the_proxy_does_not_dial_itself(start: Starting) -> None:
    relay = start(hosts=("localhost",))

    with relay.dial() as client:
        client.send(f"GET http://localhost:{relay.port}/ HTTP/1.1\r\nHost: h\r\n\r\n".encode())
        _, message = client.error()
    with relay.dial() as client:
        client.send(f"CONNECT other.localhost:{relay.port} HTTP/1.1\r\n\r\n".encode())
        status, _ = client.error()

    assert message.endswith("that is traceproof itself")
    assert status == "HTTP/1.1 502 Bad Gateway"
