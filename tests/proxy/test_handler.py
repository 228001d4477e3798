from __future__ import annotations

import json
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from traceproof.proxy.errors import reason
from traceproof.proxy.handler import error_response
from traceproof.proxy.routes import parse_routes

if TYPE_CHECKING:
    from tests.proxy.conftest import Server, Starting, Wire

HOST = "api.anthropic.com"
PORT = f"{HOST}:443"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
GET = b"GET /v1/models HTTP/1.1\r\nHost: api.anthropic.com\r\n\r\n"

Serve = Callable[..., "Server"]


def test_heads_pass_byte_for_byte(serve: Serve, start: Starting) -> None:
    request = (
        b"GET /v1/a%20b?q=%C3%A4&q HTTP/1.1\r\nhost: api.anthropic.com\r\nX-API-Key: k\r\n"
        b"Accept-Encoding: gzip, br\r\nx-b: 1\r\nX-B: 2\r\nx-latin: \xe4\r\n\r\n"
    )
    response = (
        b"HTTP/1.1 429 Slow Down\r\nretry-AFTER: 1\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n"
        b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8b\x00"
    )
    heard: list[bytes] = []

    def script(wire: Wire) -> None:
        heard.append(wire.head())
        wire.send(response)

    relay = start(**serve(script).route(HOST))

    with relay.secure(PORT) as agent:
        agent.send(request)
        assert agent.response() == response

    assert heard == [request]
    exchange = relay.sink.wait()
    assert exchange.path == "/v1/a%20b?q=%C3%A4&q"
    assert list(exchange.request_headers)[-3:] == [("x-b", "1"), ("X-B", "2"), ("x-latin", "ä")]


def test_a_refused_upstream_is_a_502_even_while_the_request_is_sent(start: Starting) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    relay = start(routes=parse_routes([f"{HOST}=http://127.0.0.1:{port}"]))
    body = b"x" * 5_000_000

    with relay.secure(PORT) as agent:
        agent.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        status, message = agent.error()

    exchange = relay.sink.wait()
    assert status == "HTTP/1.1 502 Bad Gateway"
    assert f"127.0.0.1:{port}: Connection refused" in exchange.error
    assert message == f"traceproof: {exchange.error}"
    assert exchange.status == 0
    assert "\n" not in exchange.error


def test_a_host_that_is_not_found_is_a_502(start: Starting) -> None:
    relay = start(hosts=("not-a-name.invalid",))

    with relay.dial() as agent:
        agent.send(b"GET http://not-a-name.invalid/ HTTP/1.1\r\nHost: a\r\n\r\n")
        status, message = agent.error()

    assert status == "HTTP/1.1 502 Bad Gateway"
    assert message.startswith("traceproof: not-a-name.invalid:80: ")
    assert message == f"traceproof: {relay.sink.wait().error}"


def test_a_host_that_is_no_name_is_a_502(start: Starting) -> None:
    relay = start()

    with relay.secure(f"{'a' * 70}.openai.azure.com:443", name=HOST) as agent:
        agent.send(GET)
        _, message = agent.error()

    assert message.endswith("that is not a host name")
    assert relay.sink.wait().error in message


def test_an_upstream_that_closes_without_an_answer_is_a_502(serve: Serve, start: Starting) -> None:
    relay = start(**serve(lambda wire: wire.request() and None).route(HOST))

    with relay.secure(PORT) as agent:
        agent.send(GET)
        status, _ = agent.error()

    assert status == "HTTP/1.1 502 Bad Gateway"
    assert relay.sink.wait().error.endswith("server closed connection")


def test_a_malformed_answer_is_a_502(serve: Serve, start: Starting) -> None:
    def script(wire: Wire) -> None:
        wire.request()
        wire.send(b"SMTP ready\r\n\r\n")

    relay = start(**serve(script).route(HOST))

    with relay.secure(PORT) as agent:
        agent.send(GET)
        status, message = agent.error()

    assert status == "HTTP/1.1 502 Bad Gateway"
    assert "Cannot parse HTTP response" in message


def test_a_request_that_waits_to_continue_is_told_to(serve: Serve, start: Starting) -> None:
    relay = start(**serve().route(HOST))

    with relay.secure(PORT) as agent:
        agent.send(
            b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"
        )
        assert agent.head().startswith(b"HTTP/1.1 100 ")
        agent.send(b"body")
        assert agent.response() == OK

    assert ("Expect", "100-continue") in relay.sink.wait().request_headers


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (
            "[Errno 111] Connect call failed ('127.0.0.1', 1)",
            "Connection refused",
        ),
        ("two\nlines", "two lines"),
        ("[SSL] wrong", "[SSL] wrong"),
    ],
)
def test_a_reason_is_one_line(error: str, line: str) -> None:
    assert reason(error) == line


def test_an_error_of_ours_reads_like_a_model_apis() -> None:
    response = error_response(502, "no")

    assert json.loads(response.content or b"") == {
        "type": "error",
        "error": {"type": "traceproof_upstream", "message": "traceproof: no"},
    }
    assert response.headers["content-type"] == "application/json"
