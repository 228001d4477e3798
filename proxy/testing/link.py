"""One client's connection, whatever is spoken on it: requests queue, answers go out in time.

How bytes become requests and answers become bytes is for those that build on it to say.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, cast

from traceproof.proxy.testing.answer import Answer
from traceproof.proxy.testing.calls import Call
from traceproof.proxy.testing.http1 import Head
from traceproof.proxy.testing.model import Exchanged

if TYPE_CHECKING:
    from traceproof.proxy.testing.server import Server

RESET = struct.pack("ii", 1, 0)
AT_ONCE_BYTES = 1 << 20


class Waiting(NamedTuple):
    """A request that waits for its answer; times in Unix nanoseconds."""

    head: Head
    body: bytes
    started: int
    ended: int


class Link(asyncio.Protocol, ABC):
    """A client's connection: answers its requests one after another."""

    _transport: asyncio.Transport

    def __init__(self, server: Server, number: int) -> None:
        self.number = number
        self._server = server
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Waiting] = deque()
        self._call: Call | None = None
        self._task: asyncio.Task[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._lost = self._loop.create_future()

    @abstractmethod
    def exchange(self, waiting: Waiting) -> Exchanged:
        """Find the answer to a request."""

    @abstractmethod
    def framed(self, answer: Answer) -> tuple[bytes, Sequence[bytes]]:
        """Return the bytes that start an answer, and those of each of its chunks."""

    @abstractmethod
    def script(self, answer: Answer) -> Sequence[bytes]:
        """Return all bytes of an answer that waits for nothing, one item a write."""

    @abstractmethod
    def finish(self, answer: Answer, *, keep: bool) -> None:
        """Go on after an answer has gone out; `keep` if the client wants the connection."""

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

    def ask(self, waiting: Waiting) -> None:
        """Take in a request that is whole."""
        self._waiting.append(waiting)
        self._advance()

    def _advance(self) -> None:
        """Answer the next request, unless an answer is under way."""
        while self._waiting and self._task is None and not self._transport.is_closing():
            self._answer(self._waiting.popleft())

    def _answer(self, waiting: Waiting) -> None:
        call = self._server.called(self, waiting)
        self._call = call
        keep = waiting.head.keep_alive
        if call.answer.at_once and call.answer.size <= AT_ONCE_BYTES:
            self._send(call, call.answer, keep=keep)
        else:
            self._task = self._loop.create_task(self._play(call, call.answer, keep=keep))

    def _send(self, call: Call, answer: Answer, *, keep: bool) -> None:
        """Send an answer that has nothing to wait for."""
        call.response_started = time.time_ns()
        *most, last = self.script(answer)
        for data in most:
            if self._transport.is_closing():
                return  # the client is gone, as connection_lost will note
            self._transport.write(data)
        self._end(call)  # before the last byte, so that who has the answer finds it so
        self._transport.write(last)
        self.finish(answer, keep=keep)

    async def _play(self, call: Call, answer: Answer, *, keep: bool) -> None:
        """Send an answer that waits: for its delays, the test's leave, or a slow client."""
        await asyncio.sleep(answer.first_delay)
        call.response_started = time.time_ns()
        head, writes = self.framed(answer)
        if not answer.silent:
            await self._write(head)
            for number, data in enumerate(writes):
                await self._pause(answer, number)
                call.sent = number + 1
                await self._write(data)
        await self._pause(answer, len(writes))
        self._end(call)
        self._task = None
        self.finish(answer, keep=keep)
        self._advance()

    async def _pause(self, answer: Answer, number: int) -> None:
        """Wait as the answer wants it before its write `number`."""
        if answer.each_delay and 0 < number < len(answer.chunks):
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

    def _break(self, answer: Answer) -> bool:
        """End the connection where the answer breaks off; tell whether it did."""
        if answer.ending == "reset":
            raw = self._transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            self._transport.abort()
        elif answer.ending == "closed":
            self._transport.close()
        return answer.ending != "complete"
