from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable

import pytest

from traceproof.proxy.authority import Authority
from traceproof.proxy.relay.contexts import Contexts
from traceproof.proxy.relay.tlswire import TlsSession
from traceproof.proxy.relay.wire import HOLD, Wire
from traceproof.proxy.trust import TrustFiles

Act = Callable[[Wire, Wire], Awaitable[None]]
PATIENCE = 10.0


async def end(wire: Wire) -> bytes:
    """Return all that comes until the end."""
    data = b""
    while more := await wire.read():
        data += more
    return data


def talk(act: Act) -> None:
    """Let two ends of a connection act."""

    async def run() -> None:
        loop = asyncio.get_running_loop()
        accepted: asyncio.Future[Wire] = loop.create_future()
        server = await loop.create_server(lambda: Wire(accepted.set_result), "127.0.0.1", 0)
        address = server.sockets[0].getsockname()[:2]
        _, one = await loop.create_connection(Wire, *address)
        other = await accepted
        async with asyncio.timeout(PATIENCE):
            await act(one, other)
        one.abort()
        other.abort()
        server.close()
        await server.wait_closed()

    asyncio.run(run())


def test_bytes_wait_until_they_are_read() -> None:
    async def act(one: Wire, other: Wire) -> None:
        one.write(b"hello")
        data = await other.read()
        other.unread(data)
        assert other.waiting
        assert other.taken() == b"hello"
        one.close()
        assert await other.read() == b""
        assert other.ended

    talk(act)


def test_bytes_go_at_once_to_who_takes_them() -> None:
    async def act(one: Wire, other: Wire) -> None:
        took: asyncio.Queue[bytes] = asyncio.Queue()
        over = asyncio.Event()
        other.take, other.on_end = took.put_nowait, over.set
        one.write(b"hello")
        assert await took.get() == b"hello"
        one.finish()
        await over.wait()
        other.leave()
        other.write(b"still here")
        assert await one.read() == b"still here"
        one.write(b"nothing more after the end")
        other.close()
        assert await end(one) == b""

    talk(act)


def test_who_does_not_read_makes_the_other_side_wait() -> None:
    async def act(one: Wire, other: Wire) -> None:
        full, space = asyncio.Event(), asyncio.Event()
        one.on_full, one.on_space = full.set, space.set
        data = b"x" * (64 * HOLD)
        one.write(data)
        assert full.is_set()
        one.finish()
        assert len(await end(other)) == len(data)
        await space.wait()

    talk(act)


def test_a_reset_is_an_end_with_a_reason() -> None:
    async def act(one: Wire, other: Wire) -> None:
        one.write(b"x")
        await asyncio.sleep(0)
        other.write(b"never read")
        other.abort()
        await end(one)
        assert one.ended
        other.write(b"to nobody")

    talk(act)


def contexts(authority: Authority, trust: TrustFiles) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    trusting = ssl.create_default_context(cadata=authority.pem.decode())
    return trusting, Contexts(authority, trust.roots).serving(("a.example",))


@pytest.mark.parametrize("depth", [1, 2])
def test_tls_may_be_spoken_inside_tls(authority: Authority, trust: TrustFiles, depth: int) -> None:
    client, server = contexts(authority, trust)

    async def act(one: Wire, other: Wire) -> None:
        for _ in range(depth):
            await asyncio.gather(
                one.secure(TlsSession(client, name="a.example")),
                other.secure(TlsSession(server, server_side=True)),
            )
        said = bytes(range(256)) * 1000
        one.write(said)
        one.finish()
        assert await end(other) == said
        other.write(b"heard")
        other.close()
        assert await end(one) == b"heard"

    talk(act)


def test_what_is_said_right_after_the_handshake_is_not_lost(
    authority: Authority, trust: TrustFiles
) -> None:
    client, server = contexts(authority, trust)

    async def act(one: Wire, other: Wire) -> None:
        async def speak() -> None:
            await one.secure(TlsSession(client, name="a.example"))
            one.write(b"at once")

        await asyncio.gather(speak(), other.secure(TlsSession(server, server_side=True)))
        assert await other.read() == b"at once"

    talk(act)


def test_who_leaves_in_the_handshake_is_an_end_of_file(
    authority: Authority, trust: TrustFiles
) -> None:
    _, server = contexts(authority, trust)

    async def act(one: Wire, other: Wire) -> None:
        one.close()
        with pytest.raises(EOFError):
            await other.secure(TlsSession(server, server_side=True))

    talk(act)


def test_a_connection_may_be_given_up_to_streams() -> None:
    async def act(one: Wire, other: Wire) -> None:
        one.write(b"before ")
        other.unread(await other.read())
        reader, writer = other.to_streams()
        one.write(b"after")
        one.finish()
        assert await reader.read() == b"before after"
        writer.write(b"answer")
        writer.close()
        assert await end(one) == b"answer"
        await writer.wait_closed()

    talk(act)


def test_lingering_takes_what_still_comes_and_ends() -> None:
    async def act(one: Wire, other: Wire) -> None:
        one.write(b"x" * 4_000_000)
        other.write(b"no")
        lingering = asyncio.ensure_future(other.linger())
        assert await end(one) == b"no"
        one.close()
        await lingering

    talk(act)


def test_what_is_put_back_makes_the_other_side_wait_too() -> None:
    """A client that sends requests faster than they are answered is not read ever further."""

    async def act(one: Wire, other: Wire) -> None:
        one.write(b"x" * (64 * HOLD))
        for _ in range(30):
            other.unread(await other.read())
            other.leave()
            await asyncio.sleep(0)
        assert HOLD < len(other.taken()) < 4 * HOLD

    talk(act)


def test_an_end_that_tls_did_not_say_is_ragged(authority: Authority, trust: TrustFiles) -> None:
    client, server = contexts(authority, trust)

    async def act(one: Wire, other: Wire) -> None:
        await asyncio.gather(
            one.secure(TlsSession(client, name="a.example")),
            other.secure(TlsSession(server, server_side=True)),
        )
        one.write(b"all?")
        one.cut()
        assert await end(other) == b"all?"
        assert other.ragged
        other.close()
        assert await end(one) == b""
        assert not one.ragged

    talk(act)


def test_what_came_before_a_fault_in_tls_is_taken(authority: Authority, trust: TrustFiles) -> None:
    client, server = contexts(authority, trust)

    async def act(one: Wire, other: Wire) -> None:
        session = TlsSession(client, name="a.example")
        securing = asyncio.ensure_future(other.secure(TlsSession(server, server_side=True)))
        session.start()
        while not session.established:
            one.write(session.outgoing())
            session.receive(await one.read())
        one.write(session.outgoing())
        await securing
        one.write(session.send(b"good") + b"this is no record")
        assert await end(other) == b"good"
        assert isinstance(other.error, ssl.SSLError)

    talk(act)


def test_nothing_is_sent_after_a_fault_that_came_with_the_end_of_the_handshake(
    authority: Authority, trust: TrustFiles
) -> None:
    client, server = contexts(authority, trust)

    async def act(one: Wire, other: Wire) -> None:
        session = TlsSession(client, name="a.example")
        securing = asyncio.ensure_future(other.secure(TlsSession(server, server_side=True)))
        session.start()
        while not session.established:
            one.write(session.outgoing())
            session.receive(await one.read())
        one.write(session.outgoing() + session.send(b"good") + b"this is no record")
        await securing
        other.write(b"to nobody")
        other.close()
        assert await end(other) == b"good"
        assert isinstance(other.error, ssl.SSLError)

    talk(act)
