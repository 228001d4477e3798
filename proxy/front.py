"""The first bytes of a client connection: what it wants, and so who serves it.

A CONNECT for a model API goes to mitmproxy's TLS and HTTP layers, one for any other host to a raw
tunnel, a plain request to mitmproxy's HTTP layer. Parses the CONNECT line and no more.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import NamedTuple, cast

from mitmproxy.net.tls import starts_like_tls_record
from mitmproxy.proxy.layers.tls import parse_client_hello

from traceproof.proxy.addon import Relay
from traceproof.proxy.destination import Destinations, Lane
from traceproof.proxy.handler import (
    Handler,
    Hooks,
    Replay,
    error_bytes,
    reason,
    relay_options,
)
from traceproof.proxy.hosts import is_address, plain
from traceproof.proxy.routes import Origin
from traceproof.proxy.tunnel import Stream, dialled, splice

log = logging.getLogger("traceproof.proxy")

CONNECT = b"CONNECT "
ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
_BLOCK = 65536
LAST_WORDS_SECONDS = 0.05
"""How long we go on at the end: what an agent said as it ended is in our sockets already."""
HELLO_SECONDS = 1.0
"""How long we wait for a client to speak first on a connection to an IP address."""


class Target(NamedTuple):
    """The host and port of a CONNECT."""

    host: str
    port: int


def parse_connect(head: bytes) -> Target | None:
    r"""Return what a CONNECT request's head asks for; None if it is malformed.

    >>> parse_connect(b"CONNECT api.anthropic.com:443 HTTP/1.1\r\n\r\n")
    Target(host='api.anthropic.com', port=443)
    """
    words = head.partition(b"\r\n")[0].decode("latin-1").split()
    if len(words) != 3 or not words[2].startswith("HTTP/1."):  # noqa: PLR2004 (as HTTP has it)
        return None
    host, _, port = words[1].rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:  # noqa: PLR2004
        return None
    return Target(plain(host), int(port))


def parse_server_name(data: bytes) -> str | None:
    """Return the name in a TLS ClientHello, empty if there is none; None if more is needed."""
    if not starts_like_tls_record(data):
        return ""
    try:
        hello = parse_client_hello(data)
    except ValueError:
        return ""
    return (hello.sni or "") if hello else None


class Front:
    """Takes client connections, and knows those that are open."""

    def __init__(self, relay: Relay, destinations: Destinations, hooks: Hooks, roots: Path) -> None:
        self._relay = relay
        self._destinations = destinations
        self._hooks = hooks
        self._roots = roots
        self._options = relay_options()
        self.on_closing: Callable[[], None] = lambda: None
        """Called when what clients have said and closed of themselves has been taken."""
        self._open: dict[asyncio.Task[None], Handler | None] = {}

    async def forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a client that takes us for its proxy."""
        await self._keep(self._proxy(Stream(reader, writer)), writer)

    async def reverse(
        self, origin: Origin, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Serve a client that takes us for a model API."""
        lane = Lane(origin, reverse=True)
        address = (origin.host, origin.port)
        stream = Stream(reader, writer)
        await self._keep(self._relayed(stream, b"", lane, address, decrypt=False), writer)

    async def close(self, seconds: float) -> None:
        """End all connections; what does not end in time is cut off."""
        if tasks := list(self._open):
            await asyncio.wait(tasks, timeout=LAST_WORDS_SECONDS)
        self.on_closing()
        for task, handler in list(self._open.items()):
            if handler is None or not handler.close():
                task.cancel()
        if tasks := list(self._open):
            _, late = await asyncio.wait(tasks, timeout=seconds)
            for task in late:
                task.cancel()

    async def _keep(self, work: Coroutine[None, None, None], writer: asyncio.StreamWriter) -> None:
        task = cast("asyncio.Task[None]", asyncio.current_task())
        self._open[task] = None
        try:
            await work
        except (OSError, EOFError, asyncio.LimitOverrunError) as error:
            log.debug("client connection ended: %s", error)
        except asyncio.CancelledError:
            # by `close` alone; before Python 3.12 asyncio's streams take it for an error
            log.debug("client connection cut off: the proxy stops")
        finally:
            del self._open[task]
            writer.close()

    async def _proxy(self, stream: Stream) -> None:
        head = await stream.reader.readexactly(len(CONNECT))
        if head != CONNECT:
            await self._relayed(stream, head)
            return
        target = parse_connect(head + await stream.reader.readuntil(b"\r\n\r\n"))
        if target is None:
            await _refuse(stream, 400, "malformed CONNECT")
        elif self._destinations.hosts.decrypts(target.host):
            stream.writer.write(ESTABLISHED)
            await self._decrypted(stream, target, target.host)
        elif is_address(target.host):
            await self._unnamed(stream, target)
        else:
            await self._tunnelled(stream, target)

    async def _decrypted(
        self, stream: Stream, target: Target, name: str, first: bytes = b""
    ) -> None:
        first = first or await stream.reader.read(_BLOCK)
        secure = starts_like_tls_record(first)
        lane = Lane(Origin("https" if secure else "http", name, target.port))
        await self._relayed(stream, first, lane, target, decrypt=secure)

    async def _unnamed(self, stream: Stream, target: Target) -> None:
        """Serve a CONNECT to an IP address: the name in TLS tells what it is for."""
        stream.writer.write(ESTABLISHED)
        first = await _first_bytes(stream.reader)
        name = parse_server_name(first) or ""
        if self._destinations.hosts.decrypts(name):
            await self._decrypted(stream, target, name, first)
        else:
            await self._tunnelled(stream, target, first, established=True)

    async def _tunnelled(
        self, stream: Stream, target: Target, first: bytes = b"", *, established: bool = False
    ) -> None:
        self._relay.tunnelled[target.host] += 1
        proxy = self._destinations.proxies.choose("https", *target)
        try:
            self._relay.check_address(*target)
            async with dialled(*target, proxy, self._roots) as upstream:
                if not established:
                    stream.writer.write(ESTABLISHED)
                upstream.writer.write(first)
                established = True
                await splice(stream, upstream)
        except OSError as error:
            if not established:
                await _refuse(stream, 502, f"{target.host}:{target.port}: {reason(str(error))}")

    async def _relayed(
        self,
        stream: Stream,
        first: bytes,
        lane: Lane | None = None,
        address: tuple[str, int] | None = None,
        *,
        decrypt: bool = False,
    ) -> None:
        """Hand a connection to mitmproxy's layers, with the bytes already read from it."""
        begin = partial(self._relay.requestheaders, lane=lane)
        hooks: Hooks = {**self._hooks, "requestheaders": begin}
        handler = Handler(Replay(first, stream.reader), stream.writer, self._options, hooks)
        if lane and address:
            handler.speak_for(address, secure=lane.origin.scheme == "https", decrypt=decrypt)
        else:
            handler.speak_plain()
        self._open[cast("asyncio.Task[None]", asyncio.current_task())] = handler
        await handler.handle_client()


async def _first_bytes(reader: asyncio.StreamReader) -> bytes:
    """Return what a client says first, a ClientHello whole; empty if it waits for the server."""
    data = b""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(HELLO_SECONDS):
            while chunk := await reader.read(_BLOCK):
                data += chunk
                if parse_server_name(data) is not None:
                    break
    return data


async def _refuse(stream: Stream, status: int, message: str) -> None:
    stream.writer.write(error_bytes(status, message))
    await stream.writer.drain()
