from __future__ import annotations

import gc
import socket
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from traceproof.proxy.exchange import Exchange
from traceproof.proxy.relay import agent as agent_module
from traceproof.proxy.routes import parse_origin

if TYPE_CHECKING:
    from tests.proxy.conftest import Server, Starting, Wire

HOST = "api.anthropic.com"
PORT = f"{HOST}:443"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
GET = b"GET /v1/models HTTP/1.1\r\nHost: api.anthropic.com\r\n\r\n"
POST = b"POST /v1 HTTP/1.1\r\nHost: a\r\n"

Serve = Callable[..., "Server"]


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (POST + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (POST + b"X: a\r\n b\r\n\r\n", 400),
        (POST + b"X: a\nY: b\r\n\r\n", 400),
        (POST + b"X: " + b"x" * 140_000 + b"\r\n\r\n", 431),
        (b"nonsense\r\n\r\n", 400),
    ],
)
def test_a_request_that_could_be_read_in_two_ways_reaches_nobody(
    serve: Serve, start: Starting, request_: bytes, status: int
) -> None:
    upstream = serve()
    relay = start(**upstream.route(HOST))

    with relay.secure(PORT) as agent:
        agent.send(request_)
        line, message = agent.error()
        assert agent.rest() == b""

    assert line.startswith(f"HTTP/1.1 {status} ")
    assert message.startswith("traceproof: ")
    assert (upstream.connections, relay.sink.told) == (0, [])


def test_a_body_that_turns_out_malformed_reaches_nobody(serve: Serve, start: Starting) -> None:
    upstream = serve()
    relay = start(**upstream.route(HOST))

    with relay.secure(PORT) as agent:
        agent.send(POST + b"Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
        relay.sink.wait("request_started")
        agent.send(b"zz\r\n")
        line, message = agent.error()

    exchange = relay.sink.wait()
    assert line == "HTTP/1.1 400 Bad Request"
    assert message == "traceproof: malformed chunk size"
    assert exchange.error == "malformed chunk size"
    assert [chunk.data for chunk in exchange.request_chunks] == [b"one"]
    assert upstream.connections == 0


@pytest.mark.parametrize(
    "sent",
    [
        b"Content-Length: 2000\r\nExpect: 100-continue\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n" + b"1;%b\r\nx\r\n" % (b"x" * 400) * 3,
    ],
)
def test_a_body_that_memory_may_not_hold_is_a_413(
    serve: Serve, start: Starting, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(agent_module, "BODY_LIMIT", 1000)
    upstream = serve()
    relay = start(**upstream.route(HOST))

    with relay.secure(PORT) as agent:
        agent.send(POST + sent)
        line, _ = agent.error()

    assert line.startswith("HTTP/1.1 413 ")
    assert relay.sink.wait().error.startswith("the body is larger than ")
    assert upstream.connections == 0


def test_a_head_that_takes_too_long_is_a_408_and_an_idle_connection_is_not(
    serve: Serve, start: Starting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent_module, "HEAD_SECONDS", 0.05)
    relay = start(**serve().route(HOST))

    with relay.secure(PORT) as idle, relay.secure(PORT) as slow:
        idle.send(GET + b"\r\n")
        assert idle.response() == OK
        slow.send(GET[:9])
        assert slow.error()[0] == "HTTP/1.1 408 Request Timeout"
        idle.send(GET)
        assert idle.response() == OK


def test_an_idle_connection_keeps_no_exchange(serve: Serve, start: Starting) -> None:
    relay = start(**serve().route(HOST))

    with relay.secure(PORT) as agent:
        agent.send(GET.replace(b"/v1/models", b"/forgotten") + GET)
        agent.response()
        agent.response()
        relay.sink.wait("ended", 2)
        relay.sink.told.clear()
        gc.collect()
        left = [one for one in gc.get_objects() if isinstance(one, Exchange)]
        assert not [one for one in left if one.path == "/forgotten"]


def test_requests_sent_together_are_answered_in_order(serve: Serve, start: Starting) -> None:
    heard: list[bytes] = []

    def script(wire: Wire) -> None:
        while request := wire.request():
            heard.append(request.split()[1])
            wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n%b" % heard[-1])

    upstream = serve(script)
    relay = start(**upstream.route(HOST))
    paths = [b"/one", b"/two", b"/six"]

    with relay.secure(PORT) as agent:
        agent.send(b"".join(b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n" % path for path in paths))
        answers = [agent.response()[-4:] for _ in paths]

    assert answers == heard == paths
    assert upstream.connections == 1
    relay.sink.wait("ended", 3)


def test_a_request_that_waits_gets_one_go_ahead_and_the_server_none(
    serve: Serve, start: Starting
) -> None:
    heard: list[bytes] = []

    def script(wire: Wire) -> None:
        heard.append(wire.request())
        wire.send(OK)

    relay = start(**serve(script).route(HOST))

    with relay.secure(PORT) as agent:
        agent.send(POST + b"Expect: 100-continue\r\nContent-Length: 4\r\n\r\n")
        assert agent.head() == b"HTTP/1.1 100 Continue\r\n\r\n"
        agent.send(b"body")
        assert agent.response() == OK

    assert heard == [POST + b"Content-Length: 4\r\n\r\nbody"]


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), OK),
        (GET, OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")),
        (GET.replace(b"1.1", b"1.0"), OK),
    ],
)
def test_a_connection_that_is_to_end_ends(
    serve: Serve, start: Starting, request_: bytes, answer: bytes
) -> None:
    def script(wire: Wire) -> None:
        assert wire.request() == request_
        wire.send(answer)
        assert wire.rest() == b""

    relay = start(**serve(script).route(HOST))

    with relay.secure(PORT) as agent:
        agent.send(request_)
        assert agent.rest() == answer

    assert relay.sink.wait().error == ""


def test_a_server_that_closed_a_kept_connection_is_dialled_again(
    serve: Serve, start: Starting
) -> None:
    closed = threading.Semaphore(0)

    def script(wire: Wire) -> None:
        wire.request()
        wire.send(OK)
        wire.close()
        closed.release()

    upstream = serve(script)
    relay = start(**upstream.route(HOST))

    with relay.secure(PORT) as agent:
        for _ in range(3):
            agent.send(POST + b"Content-Length: 2\r\n\r\nhi")
            assert agent.response() == OK
            assert closed.acquire(timeout=10)  # else what comes next may cross the end

    relay.sink.wait("ended", 3)
    assert upstream.connections == 3


@pytest.mark.parametrize(
    ("request_", "served"),
    [
        (GET, True),
        (POST + b"Idempotency-Key: k\r\nContent-Length: 2\r\n\r\nhi", True),
        (POST + b"Content-Length: 2\r\n\r\nhi", False),
    ],
)
def test_what_a_stale_connection_swallowed_is_sent_again_where_that_is_safe(
    serve: Serve, start: Starting, request_: bytes, *, served: bool
) -> None:
    calls = iter(["answer", "swallow", "answer"])

    def script(wire: Wire) -> None:
        while wire.request() and next(calls) == "answer":
            wire.send(OK)

    upstream = serve(script)
    relay = start(**upstream.route(HOST))

    with relay.secure(PORT) as agent:
        agent.send(GET)
        assert agent.response() == OK
        agent.send(request_)
        answer = agent.head()

    assert answer.startswith(b"HTTP/1.1 200 " if served else b"HTTP/1.1 502 ")
    exchange = relay.sink.wait("ended", 2)
    assert exchange.error.endswith("" if served else "server closed connection")
    assert upstream.connections == (2 if served else 1)


def test_a_server_that_answers_before_it_has_heard_everything_is_heard(
    serve: Serve, start: Starting
) -> None:
    early = b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"

    def script(wire: Wire) -> None:
        wire.head()
        wire.send(early)
        relay.sink.wait()

    upstream = serve(script)
    relay = start(**upstream.route(HOST))

    with relay.secure(PORT) as agent:
        for _ in range(2):
            body = b"x" * 8_000_000
            agent.send(POST + b"Content-Length: %d\r\n\r\n" % len(body) + body)
            assert agent.head() == early

    assert relay.sink.wait("ended", 2).status == 413
    assert upstream.connections == 2  # what is still being sent cannot take another request


def test_a_server_that_answers_early_and_closes_is_heard(serve: Serve, start: Starting) -> None:
    """It leaves the request unread, so that what is sent on then is answered by a reset."""
    early = b"HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno"

    def script(wire: Wire) -> None:
        wire.head()
        wire.send(early)

    relay = start(**serve(script).route(HOST))

    for _ in range(10):
        with relay.secure(PORT) as agent:
            agent.send(POST + b"Content-Length: 8000000\r\n\r\n" + b"x" * 8_000_000)
            assert agent.rest() == early


@pytest.mark.parametrize(("requests", "size"), [(1, 64_000_000), (1000, 64_000)])
def test_a_client_that_does_not_read_makes_the_server_wait(
    serve: Serve, start: Starting, requests: int, size: int
) -> None:
    sent = 0
    full = threading.Event()

    def script(wire: Wire) -> None:
        nonlocal sent
        wire.sock.settimeout(0.5)
        try:
            while wire.request():
                wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
                for _ in range(size // 64_000):
                    wire.send(b"x" * 64_000)
                    sent += 64_000
        except TimeoutError:
            full.set()

    relay = start(**serve(script).route(HOST))

    with relay.secure(PORT) as agent:
        agent.send(GET * requests)
        assert full.wait(10)  # the server cannot go on, as nobody reads
        assert sent < 32_000_000


def test_a_client_that_leaves_while_its_server_is_dialled_is_noted(start: Starting) -> None:
    """The server takes the connection, and never answers the TLS handshake."""
    with socket.create_server(("127.0.0.1", 0), backlog=1) as deaf:
        port = deaf.getsockname()[1]
        relay = start(routes={HOST: parse_origin(f"https://127.0.0.1:{port}")})

        with relay.secure(PORT) as agent:
            agent.send(GET)
            relay.sink.wait("request_ended")

        assert relay.sink.wait().error == "the client disconnected"


def test_a_sink_that_stops_calls_says_why(serve: Serve, start: Starting) -> None:
    relay = start(**serve().route(HOST))
    relay.sink.refusing = True

    with relay.secure(PORT) as agent:
        agent.send(POST + b"Content-Length: 2000000\r\n\r\n" + b"x" * 2_000_000)
        status, _ = agent.error()

    assert status == "HTTP/1.1 503 Service Unavailable"


class Faulty:
    """An access that breaks its word not to raise."""

    def user(self, proxy_authorization: str) -> str | None:
        return proxy_authorization

    def strip(self, path: str) -> tuple[str, str] | None:
        if path == "/fault":
            raise RuntimeError("a fault")
        return "", path

    def page(self, *_: str) -> tuple[int, str, bytes] | None:
        return None

    def delay(self) -> float:
        return 0


def test_a_fault_of_ours_costs_its_connection_and_no_other(serve: Serve, start: Starting) -> None:
    relay = start(origins=(parse_origin(serve().url),), access=Faulty())

    with relay.dial() as agent:
        agent.send(b"GET /fault HTTP/1.1\r\nHost: a\r\n\r\n")
        assert agent.rest() == b""
    with relay.dial() as agent:
        agent.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert agent.response() == OK
