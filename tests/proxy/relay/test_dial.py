from __future__ import annotations

import asyncio
import select
import socket
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from traceproof.proxy.authority import Authority
from traceproof.proxy.relay.aim import Peer
from traceproof.proxy.relay.contexts import Contexts
from traceproof.proxy.relay.dial import Dialler
from traceproof.proxy.trust import TrustFiles
from traceproof.proxy.upstream import UpstreamProxy

if TYPE_CHECKING:
    from tests.proxy.conftest import Server, Wire

NAME = "model.example"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Serve = Callable[..., "Server"]
TlsFor = Callable[..., ssl.SSLContext]


@pytest.fixture
def dialler(authority: Authority, trust: TrustFiles) -> Dialler:
    return Dialler(Contexts(authority, trust.roots), lambda _host, _port: None)


def test_our_own_address_is_no_proxy(authority: Authority, trust: TrustFiles) -> None:
    """Who pastes the lines that we print, and starts us again there, would have us call us."""

    def check(_: str, port: int) -> None:
        if port == 8080:
            raise OSError("that is traceproof itself")

    itself = UpstreamProxy("http", "127.0.0.1", 8080)
    peer = Peer(NAME, 443, True, NAME, False, itself)
    dialler = Dialler(Contexts(authority, trust.roots), check)

    with pytest.raises(OSError, match=r"the proxy 127\.0\.0\.1:8080: that is traceproof itself"):
        ask(dialler, peer)


def ask(dialler: Dialler, peer: Peer) -> bytes:
    """Return what a server answers."""

    async def run() -> bytes:
        wire = await dialler.dial(peer)
        wire.write(b"GET / HTTP/1.1\r\n\r\n")
        data = await wire.read()
        wire.close()
        return data

    return asyncio.run(run())


def leading(port: int) -> Callable[[Wire], None]:
    """Return the script of a proxy that leads every CONNECT to one port."""

    def script(wire: Wire) -> None:
        assert wire.head().startswith(f"CONNECT {NAME}:443 HTTP/1.1\r\n".encode())
        wire.send(b"HTTP/1.1 200 go on\r\n\r\n")
        with socket.create_connection(("127.0.0.1", port)) as far:
            pass_on(wire.sock, far)

    return script


def pass_on(one: socket.socket, other: socket.socket) -> None:
    """Pass bytes both ways until one side ends; in one thread, for two cannot share a TLS socket.

    What one of them writes may end what the other reads, as if the far side had closed.
    """
    ways = {one: other, other: one}
    while True:
        for source in select.select(list(ways), [], [])[0]:
            data = source.recv(65536)
            if not data:
                return
            ways[source].sendall(data)


def test_a_server_is_reached_through_a_proxy_that_speaks_tls_itself(
    serve: Serve, company: Authority, tls_for: TlsFor, dialler: Dialler
) -> None:
    model = serve(None, tls_for(company, NAME))
    proxy = serve(leading(model.port), tls_for(company, "127.0.0.1"))
    via = UpstreamProxy("https", "127.0.0.1", proxy.port)

    assert ask(dialler, Peer(NAME, 443, True, NAME, True, via)) == OK


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n", "refused CONNECT: 407 Who are"),
        (b"", "did not answer CONNECT"),
        (b"SSH-2.0\r\n\r\n", "did not answer CONNECT: malformed status line"),
    ],
)
def test_a_proxy_that_does_not_lead_anywhere_is_one_clear_line(
    serve: Serve, dialler: Dialler, answer: bytes, why: str
) -> None:
    def script(wire: Wire) -> None:
        wire.head()
        wire.send(answer)

    via = UpstreamProxy("http", "127.0.0.1", serve(script).port)

    with pytest.raises(OSError, match=f"the proxy 127.0.0.1:{via.port} {why}"):
        ask(dialler, Peer(NAME, 443, True, NAME, True, via))


def test_a_server_that_is_somebody_else_is_one_clear_line(
    serve: Serve, company: Authority, tls_for: TlsFor, dialler: Dialler
) -> None:
    port = serve(None, tls_for(company, "other.example")).port

    with pytest.raises(OSError, match="Certificate verify failed: Hostname mismatch"):
        ask(dialler, Peer("127.0.0.1", port, True, NAME, True, None))


def test_a_server_that_speaks_no_tls_is_one_clear_line(serve: Serve, dialler: Dialler) -> None:
    def script(wire: Wire) -> None:
        wire.exactly(5)
        wire.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with pytest.raises(OSError, match=r"^TLS failed: "):
        ask(dialler, Peer("127.0.0.1", serve(script).port, True, NAME, True, None))


def test_a_server_that_leaves_in_the_handshake_is_one_clear_line(
    serve: Serve, dialler: Dialler
) -> None:
    port = serve(lambda wire: wire.exactly(5)).port

    with pytest.raises(OSError, match="closed the connection during the TLS handshake"):
        ask(dialler, Peer("127.0.0.1", port, True, NAME, True, None))


@pytest.mark.parametrize("offers", [True, False])
def test_http1_is_offered_by_name_only_where_the_client_did(
    serve: Serve, company: Authority, tls_for: TlsFor, dialler: Dialler, *, offers: bool
) -> None:
    context = tls_for(company, NAME)
    context.set_alpn_protocols(["http/1.1"])
    chosen: list[str | None] = []

    def script(wire: Wire) -> None:
        assert isinstance(wire.sock, ssl.SSLSocket)
        chosen.append(wire.sock.selected_alpn_protocol())
        wire.head()
        wire.send(OK)

    port = serve(script, context).port

    assert ask(dialler, Peer("127.0.0.1", port, True, NAME, offers, None)) == OK
    assert chosen == ["http/1.1" if offers else None]


def test_an_address_that_must_not_be_dialled_is_not(
    authority: Authority, trust: TrustFiles
) -> None:
    def check(host: str, port: int) -> None:
        raise OSError(f"not {host}:{port}")

    careful = Dialler(Contexts(authority, trust.roots), check)

    with pytest.raises(OSError, match=r"^not 127\.0\.0\.1:9$"):
        ask(careful, Peer("127.0.0.1", 9, False, "", False, None))
