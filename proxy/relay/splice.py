"""Two connections made one: raw bytes both ways, unread, each end at its own time.

For tunnels, and for what a connection becomes after 101 (web sockets). Reads nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from traceproof.proxy.relay.wire import Wire

Seen = Callable[[bytes], None]


def _unseen(_: bytes) -> None:
    """Look away."""


async def splice(
    client: Wire, server: Wire, sent: Seen = _unseen, received: Seen = _unseen
) -> None:
    """Pass bytes both ways until both sides have ended, or one is gone.

    Args:
        client: One side.
        server: The other; what waits on either goes first.
        sent: Called with the client's bytes once they have been passed on.
        received: Called with the server's.
    """
    over = asyncio.get_running_loop().create_future()

    def look() -> None:
        gone = client.lost or server.lost
        if (gone or (client.ended and server.ended)) and not over.done():
            over.set_result(None)

    try:
        _lead(client, server, sent, look)
        _lead(server, client, received, look)
        await over
    finally:
        client.leave()
        server.leave()


def _lead(one: Wire, other: Wire, seen: Seen, look: Callable[[], None]) -> None:
    """Lead what comes from one side to the other."""

    def take(data: bytes) -> None:
        other.write(data)
        seen(data)

    def end() -> None:
        other.finish()
        look()

    one.take, one.on_end, one.on_lost = take, end, look
    other.on_full, other.on_space = one.pause, one.resume
    if one.waiting:
        take(one.taken())
    if other.full:
        one.pause()
    if one.ended:
        end()
