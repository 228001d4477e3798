"""A client connection that speaks HTTP/1.1: its requests, one after the other, and their answers.

A request is taken in whole, handed over, and then sent (docs/decisions/0016); its server connection
is kept for the next one. What is not ours to read is given back with its bytes.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, field

from traceproof.proxy.access import Access
from traceproof.proxy.destination import Destinations, Lane
from traceproof.proxy.distrust import Distrust
from traceproof.proxy.errors import error_bytes, explain
from traceproof.proxy.exchange import Chunk, Exchange
from traceproof.proxy.journal import CLIENT_DISCONNECTED, CRASHED, Journal, readable, text
from traceproof.proxy.relay.admission import Admitted, Elsewhere, Refused, admit
from traceproof.proxy.relay.aim import Aim, aim
from traceproof.proxy.relay.call import Call, Outcome
from traceproof.proxy.relay.dial import Dialler
from traceproof.proxy.relay.head import Malformed, RequestHead
from traceproof.proxy.relay.kept import KeptServer
from traceproof.proxy.relay.reader import Read, RequestReader
from traceproof.proxy.relay.wire import Wire

log = logging.getLogger("traceproof.proxy")

BODY_LIMIT = 1 << 30
"""Bytes of a request's body, which is held in memory; model APIs take files of half a GiB."""

HEAD_SECONDS = 60.0
"""How long a head may take to come, once it has begun."""

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@dataclass
class Relaying:
    """What all connections of a proxy share."""

    journal: Journal
    destinations: Destinations
    dialler: Dialler
    distrust: Distrust
    access: Access | None = None
    draining: bool = False
    """Whether the proxy stops: a connection ends with the call it is on."""


class _Left(Exception):  # noqa: N818 (not an error)
    """The client has gone."""


@dataclass
class _Request:
    """A request on its way in."""

    head: RequestHead
    aim: Aim
    exchange: Exchange
    wire: list[bytes] = field(default_factory=list)
    """What followed the head."""
    body: list[bytes] = field(default_factory=list)
    """What of it is body."""
    taken: int = 0
    """Bytes of what followed the head."""

    @property
    def idempotent(self) -> bool:
        """Whether it may be sent again where nobody knows if it arrived."""
        named = self.head.values(b"idempotency-key")
        return bool(named) or self.head.method in ("GET", "HEAD", "OPTIONS", "PUT", "DELETE")


class Agent:
    """One client connection."""

    def __init__(
        self, wire: Wire, relaying: Relaying, lane: Lane | None, *, alpn: bool = False
    ) -> None:
        self._wire = wire
        self._relaying = relaying
        self._journal = relaying.journal
        self._lane = lane
        self._alpn = alpn
        self._requests = RequestReader()
        self._server = KeptServer(relaying.dialler)
        self._idle = True
        """Whether no request has begun."""
        self._exchange: Exchange | None = None

    def close_if_idle(self) -> None:
        """End the connection if no request has begun on it."""
        if self._idle:
            self._wire.close()

    async def serve(self) -> Elsewhere | None:
        """Serve requests until the connection ends, or one comes that is not ours to read.

        The latter's bytes are put back.
        """
        try:
            while await self._serve_one():
                pass
        except Elsewhere as elsewhere:
            return elsewhere
        except _Left:
            self._wire.abort()
        except Exception:
            # Whatever it is, it costs this connection and no other.
            log.exception("fault in the relay")
            if self._exchange is not None:
                self._journal.end(self._exchange, CRASHED)
            self._wire.cut()
        finally:
            self._server.drop()
        return None

    async def _serve_one(self) -> bool:
        """Serve a request; return whether the connection goes on."""
        try:
            request = await self._take()
        except Refused as refused:
            return await self._refuse(refused.response)
        except Malformed as problem:
            return await self._refuse(error_bytes(problem.status, str(problem)))
        if request is None:
            self._wire.close()
            return False
        return await self._pass(request)

    # --- the request ------------------------------------------------------------------------------

    async def _take(self) -> _Request | None:
        """Take the next request in, whole; None if there is none."""
        read = await self._begun()
        if read is None:
            return None
        self._idle = False
        self._relaying.distrust.heard(self._wire)
        head = read.heads[0]
        try:
            admitted = self._admitted(head)
            await self._wait_for_recorder()
        except Elsewhere:
            self._wire.unread(head.raw + read.wire + self._requests.rest)
            raise
        request = self._open(head, admitted)
        try:
            await self._take_body(request, read)
        except (Malformed, _Left) as problem:
            self._keep_part(request)
            self._journal.end(request.exchange, str(problem) or CLIENT_DISCONNECTED)
            raise
        return request

    async def _begun(self) -> Read[RequestHead] | None:
        self._idle, self._exchange = True, None
        self._wire.unread(self._requests.proceed())
        while data := await self._wire.read():
            read = self._requests.feed(data)
            if read.heads:
                return read
            if read.problem:
                raise read.problem
            if self._requests.begun:
                return await self._rest_of_head()
        return None

    async def _rest_of_head(self) -> Read[RequestHead] | None:
        try:
            async with asyncio.timeout(HEAD_SECONDS):
                while data := await self._wire.read():
                    read = self._requests.feed(data)
                    if read.heads:
                        return read
                    if read.problem:
                        raise read.problem
        except TimeoutError:
            raise Malformed("the headers took too long to come", 408) from None
        return None

    def _admitted(self, head: RequestHead) -> Admitted:
        relaying = self._relaying
        admitted = admit(head, self._lane, relaying.destinations.hosts, relaying.access)
        if refusal := self._journal.refusal():
            raise Refused(error_bytes(503, refusal))
        return admitted

    async def _wait_for_recorder(self) -> None:
        """Hold a request back while the recording lags far behind."""
        access = self._relaying.access
        while access is not None and (seconds := access.delay()):  # noqa: ASYNC110 (none tells when)
            await asyncio.sleep(seconds)

    def _open(self, head: RequestHead, admitted: Admitted) -> _Request:
        lane, path = admitted
        aimed, target = aim(self._relaying.destinations, lane, head, path, alpn=self._alpn)
        exchange = Exchange(
            method=head.method,
            scheme=lane.origin.scheme,
            host=lane.origin.host,
            port=lane.origin.port,
            path=text(path),
            http_version=f"HTTP/1.{head.minor}",
            request_headers=readable(_without_credentials(head)),
            started=time.time_ns(),
            upstream=target.shown,
            user=lane.user,
        )
        self._exchange = exchange
        self._journal.begin(exchange)
        return _Request(head, aimed, exchange)

    async def _take_body(self, request: _Request, read: Read[RequestHead]) -> None:
        waits = request.head.waits
        size = request.head.length() or 0
        while True:
            request.wire.append(read.wire)
            request.body.append(read.body)
            request.taken += len(read.wire)
            if max(size, request.taken) > BODY_LIMIT:
                raise Malformed(f"the body is larger than {BODY_LIMIT >> 20} MiB", 413)
            if read.problem:
                raise read.problem
            if read.ended:
                break
            if waits:
                self._wire.write(_CONTINUE)
                waits = False
            data = await self._wire.read()
            if not data:
                raise _Left
            read = self._requests.feed(data)
        self._wire.unread(self._requests.proceed())

    def _keep_part(self, request: _Request) -> None:
        if part := b"".join(request.body):
            request.exchange.request_chunks.append(Chunk(time.time_ns(), part))

    # --- the answer -------------------------------------------------------------------------------

    async def _pass(self, request: _Request) -> bool:
        """Send a request on, relay its answer, and return whether the connection goes on."""
        body = b"".join(request.body)
        # What has no chunks is the same bytes with its framing and without.
        sent = body if request.wire == request.body else b"".join(request.wire)
        self._journal.request_ended(request.exchange, body)
        request.wire.clear()
        request.body.clear()
        outcome = await self._call(request, sent)
        if outcome.error:
            return await self._fail(request, outcome)
        self._journal.end(request.exchange)
        if outcome.persists and not self._relaying.draining:
            return True
        if outcome.ragged:
            self._wire.cut()
        else:
            self._wire.close()
        return False

    async def _call(self, request: _Request, body: bytes) -> Outcome:
        """Make a call; once more, where a kept connection turns out to have been closed."""
        while True:
            try:
                server, kept = await self._dialled(request.aim)
            except OSError as error:
                return Outcome(error=str(error) or type(error).__name__)
            except _Left:
                return Outcome(error=CLIENT_DISCONNECTED, ours=True)
            call = Call(self._wire, server, request.head, request.exchange, self._journal)
            outcome = await call.run(request.aim.head, body)
            if outcome.reusable:
                self._server.keep()
                return outcome
            self._server.drop()
            stale = kept and outcome.error and not (outcome.heard or outcome.ours)
            if not (stale and request.idempotent):
                return outcome

    async def _dialled(self, aimed: Aim) -> tuple[Wire, bool]:
        """Return a server connection, and whether it was kept from another call."""
        if server := self._server.take(aimed.peer):
            return server, True
        dialling = asyncio.ensure_future(self._server.dial(aimed.peer))
        self._wire.on_end = dialling.cancel
        try:
            if self._wire.ended:
                dialling.cancel()
            return await dialling, False
        except asyncio.CancelledError:
            if self._wire.ended:
                raise _Left from None
            raise
        finally:
            self._wire.leave()

    async def _fail(self, request: _Request, outcome: Outcome) -> bool:
        """Tell a client of an error if it can still be told, else cut it off."""
        aimed, error = request.aim, outcome.error
        message = error if outcome.ours else explain(aimed.host, aimed.port, error)
        told = not outcome.begun and error != CLIENT_DISCONNECTED
        if told:
            self._wire.write(error_bytes(502, message))
        self._journal.end(request.exchange, message)
        if error == CLIENT_DISCONNECTED:
            self._wire.abort()
        elif told:
            await self._wire.linger()
        elif outcome.open_ended and not self._wire.secured:
            self._wire.reset()  # any other end would be taken for the answer's
        else:
            self._wire.cut()
        return False

    async def _refuse(self, response: bytes) -> bool:
        self._wire.write(response)
        await self._wire.linger()
        return False


def _without_credentials(head: RequestHead) -> list[tuple[bytes, bytes]]:
    return [row for row in head.fields if row[0].lower() != b"proxy-authorization"]
