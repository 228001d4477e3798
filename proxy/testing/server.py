"""The sockets of the scripted model: asyncio connections that read requests and send answers.

What to answer is `model.py`'s business; here is only when the bytes go out and how a connection
ends.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Sequence

from traceproof.proxy.testing.answer import Answer
from traceproof.proxy.testing.calls import Call, CallLog
from traceproof.proxy.testing.handshake import ACCEPTED, agreed
from traceproof.proxy.testing.http1 import Event, Head, RequestReader
from traceproof.proxy.testing.link import Link, Waiting
from traceproof.proxy.testing.model import Exchanged, Model
from traceproof.proxy.testing.talk import Talk

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
BACKLOG = 1024


class Server:
    """Listens, and keeps what the connections share. All of it lives in one event loop."""

    def __init__(self, model: Model, log: CallLog) -> None:
        self.model = model
        self.log = log
        self.connections: set[Link] = set()
        self.numbers = 0
        self.failure: Exception | None = None
        """The first error in a script's own functions."""
        self._held: list[asyncio.Future[None]] = []
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int, tls: ssl.SSLContext | None) -> int:
        """Listen and return the port.

        Raises:
            OSError: The address cannot be listened on.
        """
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Connection(self), host, port, ssl=tls, backlog=BACKLOG
        )
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop listening and break off every connection."""
        if self._server:
            self._server.close()
        lost = [connection.abort() for connection in self.connections]
        await asyncio.gather(*lost)
        if self._server:
            await self._server.wait_closed()

    def called(self, link: Link, waiting: Waiting) -> Call:
        """Find the answer to a request and note the call; what a script raises is kept too."""
        try:
            understood = link.exchange(waiting)
        except Exception as error:
            self.failure = self.failure or error
            raise
        call = Call(link.number, understood, waiting.started, waiting.ended)
        self.log.add(call)
        return call

    async def held(self) -> None:
        """Wait for leave to go on."""
        leave = asyncio.get_running_loop().create_future()
        self._held.append(leave)
        self.log.hold(1)
        try:
            await leave
        finally:
            self.log.hold(-1)

    def release(self) -> None:
        """Give leave to all answers that are held now."""
        for leave in self._held:
            if not leave.done():
                leave.set_result(None)
        self._held.clear()


class Connection(Link):
    """A client that speaks HTTP."""

    _head: Head

    def __init__(self, server: Server) -> None:
        super().__init__(server, server.numbers)
        server.numbers += 1
        self._reader = RequestReader()
        self._started = 0

    def data_received(self, data: bytes) -> None:
        """Read requests and answer those that are whole."""
        try:
            events = self._reader.feed(data)
        except ValueError:
            self._transport.write(BAD_REQUEST)
            self._transport.close()
            return
        for event in events:
            self._take(event)

    def _take(self, event: Event) -> None:
        if isinstance(event, Head):
            self._head, self._started = event, time.time_ns()
            if event.expects_continue and self._call is None:
                self._transport.write(CONTINUE)
        else:
            self.ask(Waiting(self._head, event.data, self._started, time.time_ns()))

    def exchange(self, waiting: Waiting) -> Exchanged:
        """Find the answer to a request."""
        return self._server.model.exchange(waiting.head, waiting.body)

    def framed(self, answer: Answer) -> tuple[bytes, Sequence[bytes]]:
        """Return the head, and the body as HTTP frames it."""
        return answer.head, answer.writes

    def script(self, answer: Answer) -> Sequence[bytes]:
        """Return the writes of an answer that waits for nothing."""
        return answer.script

    def finish(self, answer: Answer, *, keep: bool) -> None:
        """End the connection where the answer or the client wants that, or change protocols."""
        if answer.status == ACCEPTED:
            self._server.connections.discard(self)
            parameters = agreed(self._head) if self._server.model.deflate else None
            Talk(self._server, self.number, self._head, parameters).take_over(self._transport)
        elif not self._break(answer) and (answer.framing == "close" or not keep):
            self._transport.close()
