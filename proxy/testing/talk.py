"""A connection that has become a web socket: each message is a request, each answer messages."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from traceproof.proxy.testing.answer import Answer
from traceproof.proxy.testing.dialogue import Dialogue
from traceproof.proxy.testing.frames import Frames
from traceproof.proxy.testing.http1 import Head
from traceproof.proxy.testing.link import Link, Waiting
from traceproof.proxy.testing.messages import Messages
from traceproof.proxy.testing.model import Exchanged

if TYPE_CHECKING:
    from traceproof.proxy.testing.server import Server


class Talk(Link):
    """A client that speaks over a web socket.

    Args:
        server: The server.
        number: The connection's number.
        head: The request that asked for the web socket.
        parameters: What was agreed on compression, None for none.
    """

    def __init__(
        self, server: Server, number: int, head: Head, parameters: Sequence[str] | None
    ) -> None:
        super().__init__(server, number)
        self._head = head
        self._frames = Frames(parameters)
        self._dialogue = Dialogue(server.model, head)
        self._started = 0

    def take_over(self, transport: asyncio.Transport) -> None:
        """Read from now on what comes on a connection."""
        self.connection_made(transport)
        transport.set_protocol(self)

    def data_received(self, data: bytes) -> None:
        """Read messages and answer those that are whole."""
        self._started = self._started or time.time_ns()
        for payload in self._frames.feed(data):
            self.ask(Waiting(self._head, payload, self._started, time.time_ns()))
        if not self._frames.started:
            self._started = 0
        replies, self._frames.replies = self._frames.replies, b""
        self._transport.write(replies)
        if self._frames.closed:
            self._transport.close()

    def exchange(self, waiting: Waiting) -> Exchanged:
        """Find the answer to a message."""
        return self._dialogue.exchange(waiting.body)

    def framed(self, answer: Answer) -> tuple[bytes, Sequence[bytes]]:
        """Return the frames; nothing comes before them."""
        return b"", self._frames.writes(cast("Messages", answer))

    def script(self, answer: Answer) -> Sequence[bytes]:
        """Return the writes of an answer that waits for nothing."""
        _, writes = self.framed(answer)
        step = answer.burst or max(len(writes), 1)
        joined = [b"".join(writes[at : at + step]) for at in range(0, len(writes), step)]
        return [b""] if answer.silent or not joined else joined

    def finish(self, answer: Answer, *, keep: bool) -> None:  # noqa: ARG002
        """End the connection where the answer breaks off."""
        self._break(answer)
