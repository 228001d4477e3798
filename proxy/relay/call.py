"""One request on its server connection, and the answer on its way back.

Each read of the server goes to the client first, as it came; then the exchange keeps what of it is
body. Dials nothing, and knows nothing of the request but its method.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass

from traceproof.proxy.errors import reason
from traceproof.proxy.exchange import Chunk, Exchange
from traceproof.proxy.journal import CLIENT_DISCONNECTED, CRASHED, Journal, readable
from traceproof.proxy.relay.head import SWITCHING, RequestHead, ResponseHead
from traceproof.proxy.relay.reader import Read, ResponseReader
from traceproof.proxy.relay.splice import splice
from traceproof.proxy.relay.wire import Wire

log = logging.getLogger("traceproof.proxy")

CUT_OFF = "peer closed connection without sending complete message body"
NO_ANSWER = "server closed connection"
UNREADABLE = "Cannot parse HTTP response"

_SLICE = 256 * 1024
"""Bytes of a request that are sent at a time: large ones must not keep others waiting."""


@dataclass(slots=True)
class Outcome:
    """How a call went."""

    error: str = ""
    """Why it is not whole."""
    ours: bool = False
    """Whether the error is not the server's, so that it is told without the server's name."""
    heard: bool = False
    """Whether the server has said anything."""
    begun: bool = False
    """Whether the client has been sent anything of the answer itself."""
    reusable: bool = False
    """Whether the server connection can take another request."""
    persists: bool = False
    """Whether the client connection can."""
    open_ended: bool = False
    """Whether the answer has no end but that of its connection."""
    ragged: bool = False
    """Whether that end may not be the answer's, as TLS did not say so."""


class Call:
    """One request and its answer."""

    def __init__(
        self, client: Wire, server: Wire, head: RequestHead, exchange: Exchange, journal: Journal
    ) -> None:
        self._client = client
        self._server = server
        self._head = head
        self._exchange = exchange
        self._journal = journal
        self._answer = ResponseReader(head.method)
        self._final: ResponseHead | None = None
        self._outcome = Outcome()
        self._unsent = memoryview(b"")
        """What of the request the server has yet to have room for."""
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(self, head: bytes, body: bytes) -> Outcome:
        """Send the request and relay what comes back, until that is over or somebody leaves."""
        client, server = self._client, self._server
        try:
            server.take, server.on_end = self._came, self._server_ended
            client.on_end = self._client_left
            client.on_full, client.on_space = server.pause, server.resume
            if client.full:
                server.pause()
            server.on_space = self._push
            self._unsent = memoryview(body)[_SLICE:]
            server.write(head + body[:_SLICE])
            self._push()
            if server.ended:
                self._server_ended()
            if client.ended:
                self._client_left()
            await self._over
        finally:
            server.leave()
            client.leave()
        if self._final is not None and self._final.status == SWITCHING and not self._outcome.error:
            await self._switched()
        return self._outcome

    def _push(self) -> None:
        """Send on as much of the request as the server has room for."""
        while self._unsent and not self._server.full:
            part, self._unsent = self._unsent[:_SLICE], self._unsent[_SLICE:]
            self._server.write(part)

    def _came(self, data: bytes) -> None:
        self._outcome.heard = True
        try:
            self._relay(self._answer.feed(data))
        except Exception:
            # Whatever it is: an exception here would leave the client waiting for ever.
            log.exception("fault in the relay")
            self._outcome.ours = True
            self._finish(CRASHED)

    def _relay(self, read: Read[ResponseHead]) -> None:
        final: ResponseHead | None = None
        out: list[bytes] = []
        for head in read.heads:
            if not head.interim:
                final = self._final = head
            elif not self._head.minor:
                continue  # HTTP/1.0 knows no interim answers
            out.append(head.raw)
        unasked = final is not None and final.status == SWITCHING and not self._head.upgrades
        if unasked:
            self._finish("the server switched protocols unasked")
            return
        if out or self._final is not None:
            self._client.write(b"".join((*out, read.wire)) if out else read.wire)
        self._note(final, read)

    def _note(self, final: ResponseHead | None, read: Read[ResponseHead]) -> None:
        """Keep what has been relayed."""
        exchange = self._exchange
        if final is not None:
            self._outcome.begun = True
            self._journal.response_started(exchange, final.status, readable(final.fields))
        if read.body:
            exchange.response_chunks.append(Chunk(time.time_ns(), read.body))
        if read.problem:
            self._finish(f"{UNREADABLE}: {read.problem}")
        elif read.ended:
            self._finish()

    def _server_ended(self) -> None:
        # An end that is an error is not the end of an answer that has no other.
        if self._answer.eof() and self._server.error is None:
            self._outcome.ragged = self._server.ragged
            self._finish()
        elif self._final is not None:
            self._finish(CUT_OFF)
        else:
            self._finish(self._gone())

    def _gone(self) -> str:
        why = self._server.error
        return f"{NO_ANSWER} ({reason(str(why))})" if why else NO_ANSWER

    def _client_left(self) -> None:
        self._outcome.ours = True
        self._finish(CLIENT_DISCONNECTED)

    def _finish(self, error: str = "") -> None:
        if self._over.done():
            return
        self._server.take = None
        outcome, final = self._outcome, self._final
        delimited = self._answer.delimited
        outcome.error, outcome.open_ended = error, not delimited
        if not error and final is not None:
            outcome.persists = delimited and final.persists and self._head.persists
            outcome.reusable = (
                delimited
                and bool(final.minor)
                and final.persists
                and self._head.persists
                and not self._answer.rest
                and not self._server.ended
                and not (self._unsent or self._server.unsent)
            )
        self._over.set_result(None)

    async def _switched(self) -> None:
        """Pass on what follows 101 as the bytes it is."""
        exchange = self._exchange
        outcome = self._outcome
        outcome.persists = outcome.reusable = False
        self._server.unread(self._answer.rest)
        await splice(
            self._client,
            self._server,
            lambda data: exchange.request_chunks.append(Chunk(time.time_ns(), data)),
            lambda data: exchange.response_chunks.append(Chunk(time.time_ns(), data)),
        )
        if self._server.error:
            outcome.error = self._gone()
