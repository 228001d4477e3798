"""TLS as bytes in, bytes out, on the standard library's `ssl`: it owns no socket.

Lighter than mitmproxy's TLS layer on pyOpenSSL, and than asyncio's own: what one read brings is
decrypted at once and handed on in one piece.
"""

from __future__ import annotations

import contextlib
import ssl

_RECORD = 16 * 1024
"""Bytes of a record at most; OpenSSL gives out one at a time."""


class TlsSession:
    """One side of a TLS connection."""

    def __init__(
        self, context: ssl.SSLContext, *, server_side: bool = False, name: str | None = None
    ) -> None:
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._ssl = context.wrap_bio(
            self._in, self._out, server_side=server_side, server_hostname=name
        )
        self.established = False
        self.ended = False
        """Whether the other side has said that it sends no more."""
        self.error: ssl.SSLError | None = None
        """Why nothing more can be read, once that is so."""

    def start(self) -> None:
        """Begin the handshake, or go on with it.

        Raises:
            ssl.SSLError: It failed; `outgoing` says so to the other side.
        """
        with contextlib.suppress(ssl.SSLWantReadError):
            self._ssl.do_handshake()
            self.established = True

    def receive(self, data: bytes) -> bytes:
        """Take bytes from the network and return what they hold for us, up to an `error`.

        Raises:
            ssl.SSLError: The handshake failed.
        """
        self._in.write(data)
        if not self.established:
            self.start()
            if not self.established:
                return b""
        return self._read()

    def send(self, data: bytes | memoryview) -> bytes:
        """Return bytes as they go to the network."""
        rest = memoryview(data)
        while rest:
            rest = rest[self._ssl.write(rest) :]
        return self._out.read()

    def outgoing(self) -> bytes:
        """Return what TLS itself has to say: a handshake, an alert, a ticket."""
        return self._out.read() if self._out.pending else b""

    def close(self) -> bytes:
        """Return what says that we send no more."""
        with contextlib.suppress(ssl.SSLError):
            self._ssl.unwrap()
        return self._out.read()

    def _read(self) -> bytes:
        pieces: list[bytes] = []
        try:
            while self._in.pending or self._ssl.pending():
                piece = self._ssl.read(_RECORD)
                if not piece:
                    self.ended = True
                    break
                pieces.append(piece)
        except ssl.SSLWantReadError:
            pass  # the rest of a record is still to come
        except ssl.SSLZeroReturnError:
            self.ended = True
        except ssl.SSLError as error:
            self.error = error
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)
