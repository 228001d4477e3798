from __future__ import annotations

import asyncio

from traceproof.proxy.relay.splice import splice
from traceproof.proxy.relay.wire import Wire


def test_bytes_pass_both_ways_and_each_side_ends_at_its_own_time() -> None:
    sent: list[bytes] = []
    received: list[bytes] = []

    async def run() -> None:
        loop = asyncio.get_running_loop()
        accepted: asyncio.Queue[Wire] = asyncio.Queue()
        server = await loop.create_server(lambda: Wire(accepted.put_nowait), "127.0.0.1", 0)
        address = server.sockets[0].getsockname()[:2]
        (_, agent), (_, upstream) = [await loop.create_connection(Wire, *address) for _ in "ab"]
        near, far = await accepted.get(), await accepted.get()
        agent.write(b"first")
        near.unread(await near.read())
        passing = asyncio.ensure_future(splice(near, far, sent.append, received.append))

        agent.finish()
        assert await upstream.read() == b"first"
        assert await upstream.read() == b""
        upstream.write(b"answer")
        upstream.close()
        assert await agent.read() == b"answer"
        assert await agent.read() == b""

        async with asyncio.timeout(10):
            await passing
        for wire in (agent, near, far):
            wire.close()
        server.close()
        await server.wait_closed()

    asyncio.run(run())
    assert (b"".join(sent), b"".join(received)) == (b"first", b"answer")
