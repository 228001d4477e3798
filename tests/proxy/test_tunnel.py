from __future__ import annotations

import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.proxy.conftest import Server, Starting, Wire

HOST = "api.anthropic.com"
PORT = f"{HOST}:443"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
GET = b"GET /v1/models HTTP/1.1\r\nHost: api.anthropic.com\r\n\r\n"

Serve = Callable[..., "Server"]


def test_other_hosts_are_tunnelled_unread(serve: Serve, start: Starting) -> None:
    def script(wire: Wire) -> None:
        wire.send(b"220 I speak first\r\n")
        assert wire.until(b"\n") == b"GET / not TLS at all\n"
        wire.send(b"bye")

    upstream = serve(script)
    relay = start()

    with relay.connect(f"localhost:{upstream.port}") as client:
        assert client.until(b"\n") == b"220 I speak first\r\n"
        client.send(b"GET / not TLS at all\n")
        assert client.rest() == b"bye"

    assert relay.server.tunnelled == {"localhost": 1}
    assert relay.sink.told == []


def test_a_tunnel_to_nowhere_is_a_502(start: Starting) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    with start().dial() as client:
        client.send(f"CONNECT localhost:{port} HTTP/1.1\r\n\r\n".encode())
        status, message = client.error()

    assert status == "HTTP/1.1 502 Bad Gateway"
    assert message.startswith(f"traceproof: localhost:{port}: ")
