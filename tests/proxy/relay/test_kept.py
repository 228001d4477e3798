from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import pytest

from traceproof.proxy.authority import Authority
from traceproof.proxy.relay import kept
from traceproof.proxy.relay.aim import Peer
from traceproof.proxy.relay.contexts import Contexts
from traceproof.proxy.relay.dial import Dialler
from traceproof.proxy.relay.kept import KeptServer
from traceproof.proxy.trust import TrustFiles

if TYPE_CHECKING:
    from tests.proxy.conftest import Server, Wire

Serve = Callable[..., "Server"]


@pytest.fixture
def server(authority: Authority, trust: TrustFiles) -> KeptServer:
    return KeptServer(Dialler(Contexts(authority, trust.roots), lambda _host, _port: None))


def run(act: Callable[[], Awaitable[None]]) -> None:
    async def timed() -> None:
        async with asyncio.timeout(10):
            await act()

    asyncio.run(timed())


def peer(port: int) -> Peer:
    return Peer("127.0.0.1", port, False, "", False, None)


def test_a_connection_is_kept_for_the_same_peer_alone(serve: Serve, server: KeptServer) -> None:
    port, other = serve().port, serve().port

    async def act() -> None:
        assert server.take(peer(port)) is None
        wire = await server.dial(peer(port))
        server.keep()
        assert server.take(peer(port)) is wire
        server.keep()
        assert server.take(peer(other)) is None
        assert await wire.read() == b""

    run(act)


@pytest.mark.parametrize("last", [b"", b"HTTP/1.1 408 Request Timeout\r\n\r\n"])
def test_a_connection_that_the_server_is_done_with_is_not_taken(
    serve: Serve, server: KeptServer, last: bytes
) -> None:
    def script(wire: Wire) -> None:
        wire.until(b"\n")
        wire.send(b"first")
        wire.until(b"\n")
        wire.send(last)

    port = serve(script).port

    async def act() -> None:
        wire = await server.dial(peer(port))
        wire.write(b"\n")
        assert await wire.read() == b"first"
        server.keep()
        wire.write(b"\n")
        wire.unread(await wire.read())  # so that it has come
        assert server.take(peer(port)) is None

    run(act)


def test_a_connection_that_was_idle_for_long_is_not_taken(
    serve: Serve, server: KeptServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = serve().port

    async def act() -> None:
        await server.dial(peer(port))
        server.keep()
        monkeypatch.setattr(kept, "REUSE_SECONDS", 0.0)
        assert server.take(peer(port)) is None

    run(act)


def test_a_connection_that_ended_with_its_call_is_not_kept(
    serve: Serve, server: KeptServer
) -> None:
    port = serve(lambda _: None).port

    async def act() -> None:
        wire = await server.dial(peer(port))
        assert await wire.read() == b""
        gone = asyncio.Event()
        wire.on_lost = gone.set
        server.keep()
        await gone.wait()

    run(act)
