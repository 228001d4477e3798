from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from traceproof.proxy import front
from traceproof.proxy.authority import Authority
from traceproof.proxy.front import parse_target

if TYPE_CHECKING:
    from tests.proxy.conftest import Server, Starting

HOST = "api.anthropic.com"
PORT = f"{HOST}:443"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
GET = b"GET /v1/models HTTP/1.1\r\nHost: api.anthropic.com\r\n\r\n"

Serve = Callable[..., "Server"]


def test_an_address_is_read_where_tls_names_a_model_host(serve: Serve, start: Starting) -> None:
    upstream = serve()
    relay = start(**upstream.route(HOST))

    with relay.secure("192.0.2.7:443", name=HOST) as agent:
        agent.send(GET)
        assert agent.response() == OK

    assert relay.sink.wait().host == HOST
    assert relay.server.tunnelled == {}


def test_an_address_is_tunnelled_where_tls_names_another_host(
    serve: Serve, start: Starting, company: Authority, tls_for: Callable[..., ssl.SSLContext]
) -> None:
    upstream = serve(None, tls_for(company, "elsewhere.example"))
    relay = start()
    trusting = ssl.create_default_context(cadata=company.pem.decode())

    with relay.connect(f"127.0.0.1:{upstream.port}") as tunnel:
        sock = trusting.wrap_socket(tunnel.sock, server_hostname="elsewhere.example")
        sock.sendall(GET)
        assert sock.recv(100) == OK
        sock.close()

    assert relay.server.tunnelled == {"127.0.0.1": 1}
    assert relay.sink.told == []


def test_a_model_host_may_be_spoken_to_without_tls(serve: Serve, start: Starting) -> None:
    relay = start(**serve().route(HOST))

    with relay.connect(f"{HOST}:80") as agent:
        agent.send(GET)
        assert agent.response() == OK

    exchange = relay.sink.wait()
    assert (exchange.scheme, exchange.port) == ("http", 80)


@pytest.mark.parametrize(
    "line", [b"CONNECT nothing HTTP/1.1", b"CONNECT a:99999 HTTP/1.1", b"CONNECT a:1 HTTP/1.1 x"]
)
def test_a_malformed_connect_is_a_400(start: Starting, line: bytes) -> None:
    with start().dial() as client:
        client.send(line + b"\r\n\r\n")

        assert client.rest().startswith(b"HTTP/1.1 400 Bad Request\r\n")


@pytest.mark.parametrize(
    ("text", "target"),
    [
        (b"API.Anthropic.com.:443", ("api.anthropic.com", 443)),
        (b"[::1]:8443", ("::1", 8443)),
        (b"a:0", None),
        (b":443", None),
        (b"a:\xb2", None),
        (b"\xe4.example:443", None),
        (b"nothing", None),
        (b"a:" + b"9" * 5000, None),
    ],
)
def test_connect_targets(text: bytes, target: tuple[str, int] | None) -> None:
    assert parse_target(text) == target


def test_a_proxy_that_is_spoken_to_in_tls_says_what_it_is(start: Starting) -> None:
    with start().dial() as client:
        client.send(b"\x16\x03\x01\x02\x00\x01\x00\x01")

        assert "without TLS" in client.error()[1]


@pytest.mark.parametrize("said", [b"", b"CONN", b"CONNECT a", PORT])
def test_a_client_that_does_not_go_on_is_left(
    start: Starting, monkeypatch: pytest.MonkeyPatch, said: bytes | str
) -> None:
    monkeypatch.setattr(front, "FIRST_SECONDS", 0.05)
    relay = start()

    with relay.connect(said) if isinstance(said, str) else relay.dial() as client:
        client.send(b"\x16\x03" if isinstance(said, str) else said)
        assert client.rest() == b""


def test_a_client_that_leaves_at_once_leaves_nothing(start: Starting) -> None:
    relay = start()

    relay.dial().close()
    with relay.dial() as client:
        client.send(b"GET")
    relay.connect(PORT).close()
    relay.server.stop()

    assert relay.sink.told == []


def test_connect_after_plain_requests_is_refused(serve: Serve, start: Starting) -> None:
    server = serve()
    relay = start()

    with relay.dial() as client:
        client.send(f"GET {server.url}/ HTTP/1.1\r\nHost: h\r\n\r\n".encode())
        assert client.response().startswith(b"HTTP/1.1 200 ")
        client.send(b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n")
        status, _ = client.error()

    assert status == "HTTP/1.1 501 Not Implemented"
