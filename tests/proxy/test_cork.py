from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from traceproof.proxy.cork import Corked


def talk(act: Callable[[Corked], Awaitable[None]]) -> list[bytes]:
    """Return what each read of the other side brings while `act` writes."""
    reads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(100):
            reads.append(data)
        writer.close()
        await writer.wait_closed()

    async def run() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
        await act(Corked(writer))
        await reader.read()
        writer.close()
        await writer.wait_closed()
        server.close()
        await server.wait_closed()

    asyncio.run(run())
    return reads


def test_writes_wait_for_the_uncorking_and_leave_together_in_order() -> None:
    async def act(corked: Corked) -> None:
        for piece in (b"one ", b"two ", b"three"):
            corked.write(piece)
        await corked.drain()
        corked.uncork()
        corked.write_eof()

    assert talk(act) == [b"one two three"]


def test_what_waits_is_sent_before_the_sending_side_closes() -> None:
    async def act(corked: Corked) -> None:
        corked.write(b"last words")
        corked.write_eof()

    assert b"".join(talk(act)) == b"last words"


def test_what_waits_is_sent_before_the_connection_closes() -> None:
    async def act(corked: Corked) -> None:
        corked.write(b"last words")
        corked.close()

    assert b"".join(talk(act)) == b"last words"
