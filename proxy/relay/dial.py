"""Connections to servers: through the environment's proxy where there is one, TLS verified.

It neither keeps nor re-uses them, and sends no request.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable

from traceproof.proxy.relay.aim import Peer
from traceproof.proxy.relay.contexts import Contexts
from traceproof.proxy.relay.reader import ResponseReader
from traceproof.proxy.relay.tlswire import TlsSession
from traceproof.proxy.relay.wire import Wire
from traceproof.proxy.upstream import UpstreamProxy


class Dialler:
    """Dials for every connection of a proxy."""

    def __init__(self, contexts: Contexts, check: Callable[[str, int], None]) -> None:
        self._contexts = contexts
        self._check = check
        """Raises OSError for an address that must not be dialled."""

    async def dial(self, peer: Peer) -> Wire:
        """Connect to a server.

        Raises:
            OSError: It could not be reached, the proxy refused, or it is not who it should be. One
                line says which.
        """
        self._check(peer.host, peer.port)
        proxy = peer.proxy
        if proxy:
            self._check_proxy(proxy)
        wire = await _connect(*(proxy.host, proxy.port) if proxy else (peer.host, peer.port))
        try:
            if proxy:
                await self._pass(wire, proxy, peer)
            if peer.secure:
                await self._secure(wire, peer.name, alpn=peer.alpn)
        except BaseException:
            wire.abort()
            raise
        return wire

    def _check_proxy(self, proxy: UpstreamProxy) -> None:
        try:
            self._check(proxy.host, proxy.port)
        except OSError as error:
            raise OSError(f"the proxy {proxy.host}:{proxy.port}: {error}") from None

    async def _pass(self, wire: Wire, proxy: UpstreamProxy, peer: Peer) -> None:
        if proxy.scheme == "https":
            await self._secure(wire, proxy.host, alpn=False)
        await _ask(wire, proxy, peer)

    async def _secure(self, wire: Wire, name: str, *, alpn: bool) -> None:
        try:
            session = TlsSession(self._contexts.dialling(alpn=alpn), name=name)
            await wire.secure(session)
        except ssl.SSLCertVerificationError as error:
            raise OSError(f"Certificate verify failed: {error.verify_message}") from None
        except ssl.SSLError as error:
            raise OSError(f"TLS failed: {error.reason or error}") from None
        except ValueError:
            raise OSError(f"no certificate can be verified for {name!r}") from None
        except EOFError:
            raise OSError("the server closed the connection during the TLS handshake") from None


async def _connect(host: str, port: int) -> Wire:
    loop = asyncio.get_running_loop()
    _, wire = await loop.create_connection(Wire, host, port)
    return wire


async def _ask(wire: Wire, proxy: UpstreamProxy, peer: Peer) -> None:
    authority = f"[{peer.host}]:{peer.port}" if ":" in peer.host else f"{peer.host}:{peer.port}"
    head = f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n"
    if proxy.authorization:
        head += f"Proxy-Authorization: {proxy.authorization}\r\n"
    wire.write(head.encode() + b"\r\n")
    where = f"the proxy {proxy.host}:{proxy.port}"
    answer = ResponseReader("CONNECT")
    while True:
        data = await wire.read()
        if not data:
            raise OSError(f"{where} did not answer CONNECT")
        read = answer.feed(data)
        for head_ in read.heads:
            if not head_.interim:
                _admit(where, head_.status, head_.raw)
                wire.unread(read.wire + answer.rest)
                return
        if read.problem:
            raise OSError(f"{where} did not answer CONNECT: {read.problem}")


def _admit(where: str, status: int, raw: bytes) -> None:
    if not 200 <= status < 300:  # noqa: PLR2004 (as HTTP has it)
        shown = raw.partition(b"\r\n")[0].decode("latin-1").partition(" ")[2]
        raise OSError(f"{where} refused CONNECT: {shown}")
