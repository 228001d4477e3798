"""The sockets of the scripted model: asyncio connections that read requests and send answers.

What to answer is `model.py`'s business; here is only when the bytes go out and how a connection
ends.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import time
from collections import deque
from typing import NamedTuple, cast

from traceproof.proxy.testing.answer import Answer
from traceproof.proxy.testing.calls import Call, CallLog
from traceproof.proxy.testing.http1 import Event, Head, RequestReader
from traceproof.proxy.testing.model import Model

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
RESET = struct.pack("ii", 1, 0)
AT_ONCE_BYTES = 1 << 20
BACKLOG = 1024


class Waiting(NamedTuple):
    """A request that waits for its answer; times in Unix nanoseconds."""

    head: Head
    body: bytes
    started: int
    ended: int


class Server:
    """Listens, and keeps what the connections share. All of it lives in one event loop."""

    def __init__(self, model: Model, log: CallLog) -> None:
        self.model = model
        self.log = log
        self.connections: set[Connection] = set()
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

    def called(self, connection: int, waiting: Waiting) -> Call:
        """Find the answer to a request and note the call; what a script raises is kept too."""
        try:
            understood = self.model.exchange(waiting.head, waiting.body)
        except Exception as error:
            self.failure = self.failure or error
            raise
        call = Call(connection, understood, waiting.started, waiting.ended)
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


class Connection(asyncio.Protocol):
    """One client: reads its requests, answers them one after another."""

    _head: Head
    _transport: asyncio.Transport

    def __init__(self, server: Server) -> None:
        self._server = server
        self._loop = asyncio.get_running_loop()
        self._reader = RequestReader()
        self._started = 0
        self._waiting: deque[Waiting] = deque()
        self._call: Call | None = None
        self._task: asyncio.Task[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._lost = self._loop.create_future()
        self.number = server.numbers
        server.numbers += 1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=0)
        self._server.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Give up what is being sent; a client that goes away is no error here."""
        self._server.connections.discard(self)
        self._waiting.clear()
        if self._task:
            self._task.cancel()
        if self._call:
            self._server.log.end(self._call, "client closed", time.time_ns())
        if not self._lost.done():
            self._lost.set_result(None)

    def abort(self) -> asyncio.Future[None]:
        """Break off; the future is done once the connection is gone."""
        self._transport.abort()
        return self._lost

    def pause_writing(self) -> None:
        """Let a long answer wait until the client reads."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Let it go on."""
        self._writable.set()

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
            waiting = Waiting(self._head, event.data, self._started, time.time_ns())
            self._waiting.append(waiting)
            self._advance()

    def _advance(self) -> None:
        """Answer the next request, unless an answer is under way."""
        while self._waiting and self._task is None and not self._transport.is_closing():
            self._answer(self._waiting.popleft())

    def _answer(self, waiting: Waiting) -> None:
        call = self._server.called(self.number, waiting)
        self._call = call
        keep = waiting.head.keep_alive
        if call.answer.at_once and call.answer.size <= AT_ONCE_BYTES:
            self._send(call, call.answer, keep=keep)
        else:
            self._task = self._loop.create_task(self._play(call, call.answer, keep=keep))

    def _send(self, call: Call, answer: Answer, *, keep: bool) -> None:
        """Send an answer that has nothing to wait for."""
        call.response_started = time.time_ns()
        *most, last = answer.script
        for data in most:
            if self._transport.is_closing():
                return  # the client is gone, as connection_lost will note
            self._transport.write(data)
        self._end(call)  # before the last byte, so that who has the answer finds it so
        self._transport.write(last)
        self._finish(answer, keep=keep)

    async def _play(self, call: Call, answer: Answer, *, keep: bool) -> None:
        """Send an answer that waits: for its delays, the test's leave, or a slow client."""
        await asyncio.sleep(answer.first_delay)
        call.response_started = time.time_ns()
        if not answer.silent:
            await self._write(answer.head)
            for number, data in enumerate(answer.writes):
                await self._pause(answer, number)
                call.sent = number + 1
                await self._write(data)
        await self._pause(answer, len(answer.writes))
        self._end(call)
        self._task = None
        self._finish(answer, keep=keep)
        self._advance()

    async def _pause(self, answer: Answer, number: int) -> None:
        """Wait as the answer wants it before its write `number`."""
        if answer.each_delay and 0 < number < len(answer.writes):
            await asyncio.sleep(answer.each_delay)
        if answer.hold == number:
            await self._server.held()

    async def _write(self, data: bytes) -> None:
        if self._transport.is_closing():
            await asyncio.shield(self._lost)  # connection_lost ends this task
        self._transport.write(data)
        await self._writable.wait()

    def _end(self, call: Call) -> None:
        call.sent = 0 if call.answer.silent else len(call.answer.chunks)
        self._call = None
        broken = call.answer.silent or call.answer.ending != "complete"
        self._server.log.end(call, "dropped" if broken else "complete", time.time_ns())

    def _finish(self, answer: Answer, *, keep: bool) -> None:
        """End the connection where the answer or the client wants that."""
        if answer.ending == "reset":
            raw = self._transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            self._transport.abort()
        elif answer.ending == "closed" or answer.framing == "close" or not keep:
            self._transport.close()
