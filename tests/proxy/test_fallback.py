from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING

import h2.config
import h2.connection
import h2.events
import pytest

from traceproof.proxy.authority import Authority
from traceproof.proxy.routes import parse_origin

if TYPE_CHECKING:
    from tests.proxy.conftest import Relay, Server, Starting, Wire

HOST = "api.anthropic.com"
PORT = f"{HOST}:443"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

Serve = Callable[..., "Server"]


class Http2:
    """A client that speaks HTTP/2, one call at a time."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._h2 = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self._h2.initiate_connection()
        self._flush()

    def call(self, path: str, body: bytes) -> int:
        """Send a request and return its stream."""
        stream: int = self._h2.get_next_available_stream_id()
        head = {":method": "POST", ":scheme": "https", ":authority": HOST, ":path": path}
        self._h2.send_headers(stream, list(head.items()))
        self._h2.send_data(stream, body, end_stream=True)
        self._flush()
        return stream

    def answer(self, stream: int) -> tuple[str, bytes]:
        """Return the status and the body of an answer once it is whole."""
        status, body = "", b""
        while True:
            for event in self.more():
                if isinstance(event, h2.events.ResponseReceived):
                    status = dict(event.headers)[":status"]
                elif isinstance(event, h2.events.DataReceived):
                    body += event.data
                elif isinstance(event, h2.events.StreamEnded) and event.stream_id == stream:
                    return status, body

    def more(self) -> list[h2.events.Event]:
        data = self.sock.recv(65536)
        assert data
        events = self._h2.receive_data(data)
        self._flush()
        return events

    def _flush(self) -> None:
        self.sock.sendall(self._h2.data_to_send())


def secure(relay: Relay) -> Http2:
    agent = relay.secure(PORT, alpn=("h2",))
    assert isinstance(agent.sock, ssl.SSLSocket)
    assert agent.sock.selected_alpn_protocol() == "h2"
    return Http2(agent.sock)


def test_a_client_that_speaks_http2_alone_is_served(serve: Serve, start: Starting) -> None:
    heard: list[bytes] = []

    def script(wire: Wire) -> None:
        while request := wire.request():
            heard.append(request)
            wire.send(OK)

    relay = start(**serve(script).route(HOST))

    agent = secure(relay)
    for body in (b"one", b"two"):
        assert agent.answer(agent.call("/v1/messages?beta", body)) == ("200", b"ok")

    assert [request.partition(b"\r\n")[0] for request in heard] == [
        b"POST /v1/messages?beta HTTP/1.1"
    ] * 2
    exchange = relay.sink.wait("ended", 2)
    assert relay.sink.calls(exchange) == [
        "request_started",
        "request_ended",
        "response_started",
        "ended",
    ]
    assert (exchange.method, exchange.path, exchange.status) == ("POST", "/v1/messages?beta", 200)
    assert (exchange.scheme, exchange.host, exchange.port) == ("https", HOST, 443)
    assert exchange.http_version == "HTTP/2.0"
    assert [chunk.data for chunk in exchange.request_chunks] == [b"two"]
    assert b"".join(chunk.data for chunk in exchange.response_chunks) == b"ok"
    agent.sock.close()


def test_an_answer_over_http2_is_streamed(serve: Serve, start: Starting) -> None:
    words = [b"one", b"two"]

    def script(wire: Wire) -> None:
        wire.request()
        wire.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        wire.send(b"3\r\n%b\r\n" % words[0])
        relay.sink.wait("response_started")
        wire.send(b"3\r\n%b\r\n0\r\n\r\n" % words[1])

    relay = start(**serve(script).route(HOST))

    agent = secure(relay)
    stream = agent.call("/v1", b"x")

    assert agent.answer(stream)[1] == b"onetwo"
    exchange = relay.sink.wait()
    assert b"".join(chunk.data for chunk in exchange.response_chunks) == b"onetwo"
    agent.sock.close()


def test_a_server_is_offered_http2_by_a_client_that_speaks_it_alone(
    serve: Serve, start: Starting, company: Authority, tls_for: Callable[..., ssl.SSLContext]
) -> None:
    context = tls_for(company, "127.0.0.1")
    context.set_alpn_protocols(["h2"])
    chosen: list[str | None] = []

    def script(wire: Wire) -> None:
        assert isinstance(wire.sock, ssl.SSLSocket)
        chosen.append(wire.sock.selected_alpn_protocol())
        serve_http2(wire.sock)

    relay = start(**serve(script, context).route(HOST))

    agent = secure(relay)

    assert agent.answer(agent.call("/v1", b"hello")) == ("200", b"hello")
    assert chosen == ["h2"]
    assert relay.sink.wait().status == 200
    agent.sock.close()


def serve_http2(sock: ssl.SSLSocket) -> None:
    """Say what is said, until the other side ends."""
    server = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
    server.initiate_connection()
    sock.sendall(server.data_to_send())
    while data := sock.recv(65536):
        for event in server.receive_data(data):
            if isinstance(event, h2.events.RequestReceived):
                server.send_headers(event.stream_id, [(":status", "200")])
            elif isinstance(event, h2.events.DataReceived):
                server.send_data(event.stream_id, event.data)
            elif isinstance(event, h2.events.StreamEnded):
                server.end_stream(event.stream_id)
        sock.sendall(server.data_to_send())


def test_an_unreachable_server_is_told_over_http2(start: Starting) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    relay = start(routes={HOST: parse_origin(f"http://127.0.0.1:{port}")})

    agent = secure(relay)

    assert agent.answer(agent.call("/v1", b"hello"))[0] == "502"
    exchange = relay.sink.wait()
    assert exchange.error == f"127.0.0.1:{port}: Connection refused"
    assert [chunk.data for chunk in exchange.request_chunks] == [b"hello"]
    agent.sock.close()


def test_http2_without_tls_is_served_in_reverse(serve: Serve, start: Starting) -> None:
    origin = parse_origin(serve().url)
    relay = start(origins=(origin,))

    with relay.dial() as wire:
        agent = Http2(wire.sock)
        assert agent.answer(agent.call("/v1", b"x")) == ("200", b"ok")

    assert relay.sink.wait().path == "/v1"


@pytest.mark.parametrize("offers", [("h2", "http/1.1"), ("http/1.1",), ()])
def test_a_client_that_speaks_http1_as_well_gets_that(
    serve: Serve, start: Starting, offers: tuple[str, ...]
) -> None:
    relay = start(**serve().route(HOST))

    with relay.secure(PORT, alpn=offers) as agent:
        assert isinstance(agent.sock, ssl.SSLSocket)
        assert agent.sock.selected_alpn_protocol() == ("http/1.1" if offers else None)
        agent.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert agent.response() == OK


def test_a_client_of_http2_that_does_not_trust_us_is_noted(start: Starting) -> None:
    relay = start()
    context = ssl.create_default_context()
    context.set_alpn_protocols(["h2"])

    with relay.connect(PORT) as agent, pytest.raises(ssl.SSLCertVerificationError):
        context.wrap_socket(agent.sock, server_hostname=HOST)

    relay.server.stop()
    assert relay.server.untrusted == {HOST: 1}


def test_a_connection_that_mitmproxy_fails_on_is_cut_not_left_hanging(
    serve: Serve, start: Starting
) -> None:
    def script(wire: Wire) -> None:
        wire.request()
        wire.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
        relay.sink.wait("response_started")
        wire.send(b"0\r\nX-Trailer: mitmproxy cannot\r\n\r\n")
        wire.rest()

    relay = start(**serve(script).route(HOST))

    agent = secure(relay)
    agent.call("/v1", b"x")
    while agent.sock.recv(65536):
        pass

    exchange = relay.sink.wait()
    assert exchange.error == "the relay failed on it"
    assert b"".join(chunk.data for chunk in exchange.response_chunks) == b"one"
    agent.sock.close()


def test_plain_requests_to_other_hosts_stay_on_their_connection(
    serve: Serve, start: Starting
) -> None:
    """A connection may ask for what is read and for what is not, in any order."""
    upstream = serve()
    relay = start(hosts=("127.0.0.1",))
    ours, other = (f"http://{name}:{upstream.port}/" for name in ("127.0.0.1", "localhost"))

    with relay.dial() as client:
        for url in (ours, other, ours, other):
            client.send(f"POST {url} HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi".encode())
            assert client.response() == OK

    relay.sink.wait("ended", 2)
    assert relay.server.tunnelled == {"localhost": 2}
    assert [name for name, _ in relay.sink.told].count("request_started") == 2
