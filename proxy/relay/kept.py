"""The server connection of a client connection, kept from one call to the next.

One at a time, as HTTP/1.1 answers in order; whether a call may be repeated is its maker's affair.
"""

from __future__ import annotations

import time

from traceproof.proxy.relay.aim import Peer
from traceproof.proxy.relay.dial import Dialler
from traceproof.proxy.relay.wire import Wire

REUSE_SECONDS = 60.0
"""How long a connection may have been idle to be used again: servers forget them, some silently."""


class KeptServer:
    """A server connection, if there is one."""

    def __init__(self, dialler: Dialler) -> None:
        self._dialler = dialler
        self._wire: Wire | None = None
        self._peer: Peer | None = None
        self._since = 0.0

    def take(self, peer: Peer) -> Wire | None:
        """Return the kept connection if it leads to `peer` and is fit for another call."""
        wire = self._wire
        if wire is None:
            return None
        fresh = time.monotonic() - self._since < REUSE_SECONDS
        # What a server says unasked is that it is about to close.
        if peer == self._peer and fresh and not wire.ended and not wire.waiting:
            wire.leave()
            return wire
        self.drop()
        return None

    async def dial(self, peer: Peer) -> Wire:
        """Connect anew.

        Raises:
            OSError: See `Dialler.dial`.
        """
        self.drop()
        self._wire, self._peer = await self._dialler.dial(peer), peer
        return self._wire

    def keep(self) -> None:
        """Keep the connection, until the server ends it."""
        self._since = time.monotonic()
        if self._wire is None:
            return
        self._wire.on_end = self.drop
        if self._wire.ended:
            self.drop()

    def drop(self) -> None:
        """End the connection."""
        wire, self._wire = self._wire, None
        if wire is None:
            return
        if wire.unsent:
            wire.abort()
        else:
            wire.close()
