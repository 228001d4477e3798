"""The first bytes of a client connection: what it wants, and so who serves it.

Requests that are read go to our own HTTP/1.1 relay, a CONNECT for any other host to a raw tunnel;
clients that speak HTTP/2 alone, and plain requests to hosts that are not read, to mitmproxy.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import ssl
from collections.abc import Coroutine
from typing import NamedTuple, TypeAlias, cast

from traceproof.proxy.clienthello import Hello, parse_hello
from traceproof.proxy.destination import Lane
from traceproof.proxy.errors import error_bytes, reason
from traceproof.proxy.fallback import Fallback
from traceproof.proxy.handler import Handler
from traceproof.proxy.hosts import is_address, plain
from traceproof.proxy.relay.admission import Refused, admit_user
from traceproof.proxy.relay.agent import Agent, Relaying
from traceproof.proxy.relay.aim import Peer
from traceproof.proxy.relay.contexts import Contexts
from traceproof.proxy.relay.head import RequestHead
from traceproof.proxy.relay.reader import RequestReader
from traceproof.proxy.relay.splice import splice
from traceproof.proxy.relay.tlswire import TlsSession
from traceproof.proxy.relay.wire import Wire
from traceproof.proxy.routes import Origin

log = logging.getLogger("traceproof.proxy")

CONNECT = b"CONNECT "
TLS = b"\x16\x03"
PREFACE = b"PRI * HTTP/2.0\r\n"
ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
PLAIN = "this proxy is reached without TLS: its URL begins with http://"
LAST_WORDS_SECONDS = 0.05
"""How long we go on at the end: what an agent said as it ended is in our sockets already."""
HELLO_SECONDS = 1.0
"""How long we wait for a client to speak first on a connection to an IP address."""

FIRST_SECONDS = 60.0
"""How long we wait for each thing that a client says before its first request."""

_PORT = re.compile("[0-9]{1,5}")

_Server: TypeAlias = Agent | Handler | None


class Target(NamedTuple):
    """The host and port of a CONNECT."""

    host: str
    port: int


def parse_target(text: bytes) -> Target | None:
    """Return what a CONNECT request asks for; None if it is malformed.

    >>> parse_target(b"api.anthropic.com:443")
    Target(host='api.anthropic.com', port=443)
    """
    if not text.isascii():
        return None
    host, _, port = text.decode().rpartition(":")
    if not plain(host) or not _PORT.fullmatch(port) or not 0 < int(port) < 65536:  # noqa: PLR2004
        return None
    return Target(plain(host), int(port))


class Front:
    """Takes client connections, and knows those that are open."""

    def __init__(self, relaying: Relaying, contexts: Contexts, fallback: Fallback) -> None:
        self._relaying = relaying
        self._contexts = contexts
        self._fallback = fallback
        self._open: dict[asyncio.Task[None], _Server] = {}

    @property
    def connections(self) -> int:
        """How many client connections are open."""
        return len(self._open)

    def forward(self, wire: Wire) -> None:
        """Serve a client that takes us for its proxy."""
        asyncio.ensure_future(self._keep(self._proxy(wire), wire))  # noqa: RUF006 (_keep keeps it)

    def reverse(self, origin: Origin, wire: Wire) -> None:
        """Serve a client that takes us for a model API."""
        work = self._stand_in(wire, Lane(origin, reverse=True))
        asyncio.ensure_future(self._keep(work, wire))  # noqa: RUF006 (_keep keeps it)

    async def settle(self) -> None:
        """Take what clients have said and closed of themselves, then close what is idle."""
        if tasks := list(self._open):
            await asyncio.wait(tasks, timeout=LAST_WORDS_SECONDS)
        self._relaying.distrust.closing()
        self._relaying.draining = True
        for server in list(self._open.values()):
            if isinstance(server, Agent):
                server.close_if_idle()

    async def close(self, seconds: float) -> None:
        """End all connections; what does not end in time is cut off."""
        for task, server in list(self._open.items()):
            if not isinstance(server, Handler) or not server.close():
                task.cancel()
        if tasks := list(self._open):
            _, late = await asyncio.wait(tasks, timeout=seconds)
            for task in late:
                task.cancel()

    async def _keep(self, work: Coroutine[None, None, None], wire: Wire) -> None:
        task = cast("asyncio.Task[None]", asyncio.current_task())
        self._open[task] = None
        try:
            await work
        except Refused as refused:
            await _refuse(wire, refused.response)
        except OSError as error:
            log.debug("client connection ended: %s", error)
        except asyncio.CancelledError:
            # by `close` alone
            log.debug("client connection cut off: the proxy stops")
        except Exception:
            # Whatever it is, it costs this connection and no other.
            log.exception("fault in the proxy")
        finally:
            del self._open[task]
            wire.cut()

    def _serving(self, server: Agent | Handler) -> None:
        self._open[cast("asyncio.Task[None]", asyncio.current_task())] = server

    async def _proxy(self, wire: Wire) -> None:
        first = await _peek(wire, len(CONNECT))
        if first.startswith(TLS):
            raise Refused(error_bytes(400, PLAIN))
        if not first.startswith(CONNECT):
            await self._relayed(wire, None)
            return
        head = await _connect_head(wire)
        if head is None:
            return
        target = parse_target(head.target)
        if target is None:
            raise Refused(error_bytes(400, "malformed CONNECT"))
        user = admit_user(head, self._relaying.access)
        if self._relaying.destinations.hosts.decrypts(target.host):
            wire.write(ESTABLISHED)
            await self._decrypted(wire, target, target.host, user)
        elif is_address(target.host):
            await self._unnamed(wire, target, user)
        else:
            await self._tunnelled(wire, target)

    async def _stand_in(self, wire: Wire, lane: Lane) -> None:
        if (await _peek(wire, len(PREFACE))).startswith(PREFACE):
            await self._http2(wire, lane, decrypt=False)
        else:
            await self._relayed(wire, lane)

    async def _unnamed(self, wire: Wire, target: Target, user: str) -> None:
        """Serve a CONNECT to an IP address: the name in TLS tells what it is for."""
        wire.write(ESTABLISHED)
        hello: Hello | None = None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(HELLO_SECONDS):
                hello = await _hello(wire)
        name = plain(hello.name) if hello else ""
        if self._relaying.destinations.hosts.decrypts(name):
            await self._decrypted(wire, target, name, user)
        else:
            await self._tunnelled(wire, target, established=True)

    async def _decrypted(self, wire: Wire, target: Target, host: str, user: str) -> None:
        async with asyncio.timeout(FIRST_SECONDS):
            hello = await _hello(wire)
        if hello is None:
            return
        scheme = "https" if hello.secure else "http"
        lane = Lane(Origin(scheme, host, target.port), False, target, hello.name, user)
        if hello.http2_alone:
            await self._http2(wire, lane, decrypt=True)
        elif not hello.secure:
            await self._relayed(wire, lane)
        elif await self._secured(wire, hello, target):
            try:
                await self._relayed(wire, lane, alpn=hello.http1)
            finally:
                self._relaying.distrust.left(wire)

    async def _secured(self, wire: Wire, hello: Hello, target: Target) -> bool:
        """Do our side of the TLS handshake; return whether the client went along."""
        distrust, host = self._relaying.distrust, hello.name or target.host
        try:
            context = self._contexts.serving((hello.name, target.host))
            async with asyncio.timeout(FIRST_SECONDS):
                await wire.secure(TlsSession(context, server_side=True))
        except ssl.SSLError as error:
            distrust.failed(host, str(error))
            return False
        except EOFError:
            distrust.gave_up(host)
            return False
        distrust.established(wire, host)
        return True

    async def _relayed(self, wire: Wire, lane: Lane | None, *, alpn: bool = False) -> None:
        agent = Agent(wire, self._relaying, lane, alpn=alpn)
        self._serving(agent)
        elsewhere = await agent.serve()
        if elsewhere is not None:
            handler = self._fallback.plain(wire, elsewhere.user)
            self._serving(handler)
            await handler.handle_client()

    async def _http2(self, wire: Wire, lane: Lane, *, decrypt: bool) -> None:
        handler = self._fallback.http2(wire, lane, decrypt=decrypt)
        self._serving(handler)
        await handler.handle_client()

    async def _tunnelled(self, wire: Wire, target: Target, *, established: bool = False) -> None:
        relaying = self._relaying
        relaying.journal.tunnelled[target.host] += 1
        proxy = relaying.destinations.proxies.choose("https", *target)
        peer = Peer(target.host, target.port, False, "", False, proxy)
        try:
            server = await relaying.dialler.dial(peer)
        except OSError as error:
            if established:
                raise
            message = f"{target.host}:{target.port}: {reason(str(error))}"
            raise Refused(error_bytes(502, message)) from None
        if not established:
            wire.write(ESTABLISHED)
        try:
            await splice(wire, server)
        finally:
            server.close()


async def _peek(wire: Wire, count: int) -> bytes:
    """Return the first bytes that come, or all there are, and leave them there."""
    data = b""
    async with asyncio.timeout(FIRST_SECONDS):
        while len(data) < count and (more := await wire.read()):
            data += more
    wire.unread(data)
    return data


async def _connect_head(wire: Wire) -> RequestHead | None:
    """Read a CONNECT request's head; None if it never becomes whole."""
    reader = RequestReader()
    async with asyncio.timeout(FIRST_SECONDS):
        while data := await wire.read():
            read = reader.feed(data)
            if read.heads:
                wire.unread(reader.rest)
                return read.heads[0]
            if read.problem:
                raise Refused(error_bytes(read.problem.status, str(read.problem)))
    return None


async def _hello(wire: Wire) -> Hello | None:
    """Return what a client says first, and leave it there; None if it leaves instead."""
    data = b""
    try:
        while more := await wire.read():
            data += more
            if hello := parse_hello(data):
                return hello
    finally:
        wire.unread(data)
    return None


async def _refuse(wire: Wire, response: bytes) -> None:
    wire.write(response)
    await wire.linger()
