"""One connection's bytes, both ways, with TLS or without; the relay's only socket code.

What comes is handed to whoever takes it (`take`), or waits until somebody reads it. Knows no HTTP.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import Callable
from typing import cast

from traceproof.proxy.relay.tlswire import TlsSession

HOLD = 256 * 1024
"""Bytes that wait for a reader before the other side is made to wait."""

LINGER_SECONDS = 2.0
"""How long we listen to a client that goes on sending what we have refused already."""


def _nothing() -> None:
    """Do nothing."""


class Wire(asyncio.Protocol):
    """A connection; `made` is called with it when it is there."""

    def __init__(self, made: Callable[[Wire], None] = lambda _: None) -> None:
        self._made = made
        self._layers: list[TlsSession] = []
        self._waiting: list[bytes] = []
        self._held = 0
        self._paused = False
        self._finished = False
        self._reader: asyncio.Future[None] | None = None
        self._transport: asyncio.Transport
        self.take: Callable[[bytes], None] | None = None
        """Gets what comes, at once; None lets it wait for `read`."""
        self.on_end: Callable[[], object] = _nothing
        """Called when nothing more will come."""
        self.on_lost: Callable[[], object] = _nothing
        """Called when the connection is gone."""
        self.on_full: Callable[[], object] = _nothing
        """Called when the other side does not keep up with what is written."""
        self.on_space: Callable[[], object] = _nothing
        """Called when it does again."""
        self.ended = False
        """Whether nothing more will come."""
        self.lost = False
        """Whether the connection is gone altogether."""
        self.full = False
        """Whether the other side does not keep up with what is written."""
        self.error: Exception | None = None
        """Why it ended, if not as it should."""
        self.ragged = False
        """Whether it ended without TLS having said so: what was said last may be missing."""

    # --- reading ----------------------------------------------------------------------------------

    @property
    def waiting(self) -> bool:
        """Whether bytes have come that nobody has taken."""
        return bool(self._waiting)

    async def read(self) -> bytes:
        """Return what has come; empty at the end."""
        while not self._waiting and not self.ended:
            self._reader = asyncio.get_running_loop().create_future()
            try:
                await self._reader
            finally:
                self._reader = None
        return self.taken()

    def taken(self) -> bytes:
        """Take what waits."""
        data = self._waiting[0] if len(self._waiting) == 1 else b"".join(self._waiting)
        self._waiting.clear()
        if self._held > HOLD:
            self.resume()
        self._held = 0
        return data

    def unread(self, data: bytes) -> None:
        """Put bytes back, before what waits."""
        if data:
            self._waiting.insert(0, data)
            self._count(len(data))

    def leave(self) -> None:
        """Take no more: what comes waits for `read`, and nobody is called."""
        self.take = None
        self.on_end = self.on_lost = self.on_full = self.on_space = _nothing
        if self._held <= HOLD:
            self.resume()

    def pause(self) -> None:
        """Make the other side wait."""
        if not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def resume(self) -> None:
        """Let the other side go on."""
        if self._paused:
            self._paused = False
            self._transport.resume_reading()

    # --- writing ----------------------------------------------------------------------------------

    @property
    def secured(self) -> bool:
        """Whether it is TLS, in which an end that was not said shows."""
        return bool(self._layers)

    @property
    def unsent(self) -> bool:
        """Whether the other side has yet to take what was written."""
        return bool(self._transport.get_write_buffer_size())

    def write(self, data: bytes | memoryview) -> None:
        """Send bytes."""
        if data and not self._finished and not self._transport.is_closing():
            self._send(data, len(self._layers))

    def finish(self) -> None:
        """Say that nothing more will be sent; what comes is still taken."""
        if not self.lost and not self._transport.is_closing():
            self._say_end()
            self._finished = True
            if self._transport.can_write_eof():
                with contextlib.suppress(OSError):  # the other side has reset the connection
                    self._transport.write_eof()

    def close(self) -> None:
        """Send what was written, and end."""
        if not self.lost and not self._transport.is_closing():
            self._say_end()
            self._transport.close()

    async def linger(self) -> None:
        """End so that what was written is not lost to a reset while the other side still sends."""
        self.finish()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS):
                while await self.read():
                    pass
        self.close()

    def cut(self) -> None:
        """Send what was written, and end as a connection does that breaks."""
        if not self.lost:
            self._transport.close()

    def abort(self) -> None:
        """End at once."""
        if not self.lost:
            self._transport.abort()

    def reset(self) -> None:
        """End at once, and so that nobody can take it for an end as it should be."""
        if sock := self._transport.get_extra_info("socket"):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.abort()

    # --- TLS, and other protocols -----------------------------------------------------------------

    async def secure(self, session: TlsSession) -> None:
        """Do a TLS handshake, and speak TLS from then on.

        Raises:
            ssl.SSLError: It failed.
            EOFError: The other side ended in the middle of it.
        """
        early = b""
        try:
            session.start()
            while not session.established:
                self.write(session.outgoing())
                data = await self.read()
                if not data:
                    raise EOFError("the connection ended during the TLS handshake")
                early = session.receive(data)
        finally:
            self.write(session.outgoing())
        since = self.taken()
        self._layers.append(session)
        self.unread(early)
        if since:
            self._take_in(since, len(self._layers) - 1)
        if session.ended or session.error:
            self._end(session.error)
        if session.error:
            self.cut()

    def to_streams(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Give the connection up to a reader and a writer; TLS must not have begun."""
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(loop=loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        held = self.taken()
        self._transport.set_protocol(protocol)
        protocol.connection_made(self._transport)
        if held:
            reader.feed_data(held)
        if self.ended:
            reader.feed_eof()
        return reader, asyncio.StreamWriter(self._transport, protocol, reader, loop)

    # --- called by asyncio ------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)
        if sock := transport.get_extra_info("socket"):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._made(self)

    def data_received(self, data: bytes) -> None:
        """Take bytes in."""
        if self._layers:
            self._take_in(data, 0)
        elif self.take is not None:
            self.take(data)
        else:
            self._hold(data)

    def eof_received(self) -> bool:
        """Note that the other side sends no more; we may have something to say still."""
        if not self.ended:
            self.ragged = self.secured
        self._end(None)
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Note the end."""
        if isinstance(exc, ConnectionError) and not self.ended:
            self._salvage()
        self.lost = True
        self._end(exc)
        self.on_lost()
        self.on_space()

    def _salvage(self) -> None:
        """Take what had come when a write failed; asyncio reads no more then.

        A server may answer, and close, before it has heard everything.
        """
        sock = self._transport.get_extra_info("socket")
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(sock.fileno())) as last:
            while data := last.recv(HOLD, socket.MSG_DONTWAIT):
                self.data_received(data)

    def pause_writing(self) -> None:
        """Pass it on."""
        self.full = True
        self.on_full()

    def resume_writing(self) -> None:
        """Pass it on."""
        self.full = False
        self.on_space()

    # ----------------------------------------------------------------------------------------------

    def _take_in(self, data: bytes, first: int) -> None:
        """Take bytes through the layers of TLS from the `first` on."""
        ended, error = False, None
        for depth, layer in enumerate(self._layers[first:], first):
            data = layer.receive(data)
            ended, error = ended or layer.ended, error or layer.error
            if not self._finished:
                self._send(layer.outgoing(), depth)
            if not data:
                break
        if data and self.take is not None:
            self.take(data)
        elif data:
            self._hold(data)
        if ended or error:
            self._end(error)
        if error:
            self.cut()

    def _hold(self, data: bytes) -> None:
        self._waiting.append(data)
        self._count(len(data))
        self._wake()

    def _count(self, size: int) -> None:
        self._held += size
        if self._held > HOLD:
            self.pause()

    def _send(self, data: bytes | memoryview, depth: int) -> None:
        if not data:
            return
        for layer in reversed(self._layers[:depth]):
            data = layer.send(data)
        self._transport.write(data)

    def _say_end(self) -> None:
        for depth in reversed(range(len(self._layers))):
            self._send(self._layers[depth].close(), depth)

    def _end(self, error: Exception | None) -> None:
        if self.ended:
            return
        self.ended, self.error = True, error
        self._wake()
        self.on_end()

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)
