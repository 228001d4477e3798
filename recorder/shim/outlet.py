"""The recorder's end of a recording: packets go out when it takes them, and never hold anyone up.

A recorder that takes nothing for five seconds is given up, and what it has not got is counted.
"""

from __future__ import annotations

import time

from traceproof.recorder.shim import sockets, wire

PATIENCE = 5.0
_FULL = 4 << 20
_TOGETHER = 1_000_000
"""What is written within as many nanoseconds may arrive as if it had been written at once."""


class Outlet:
    """What waits to be sent to the recorder.

    Args:
        link: The connection to it.

    Attributes:
        open: Whether it is still there.
        lost: How many bytes of output did not reach it.
    """

    def __init__(self, link: sockets.Socket) -> None:
        self.link = link
        self.open = True
        self.lost = 0
        self._waiting: list[bytes] = []
        self._size = 0
        self._since = 0.0
        self._joined: list[bytes] = []
        self._kind, self._when, self._length = b"", 0, 0

    @property
    def waits(self) -> bool:
        """Whether there is something to send."""
        return bool(self._waiting)

    @property
    def holds(self) -> bool:
        """Whether there is something that more may be joined to, for a millisecond."""
        return bool(self._joined)

    @property
    def full(self) -> bool:
        """Whether more is to wait than memory should be used for."""
        return self._size > _FULL

    def join(self, kind: bytes, payload: bytes) -> None:
        """Send output in one packet with what of it comes next, if that is soon."""
        if kind != self._kind or self._length + len(payload) > wire.MAX_PAYLOAD:
            self.release()
        if not self._joined:
            self._kind, self._when, self._length = kind, time.time_ns(), 0
        self._joined.append(payload)
        self._length += len(payload)

    def settle(self) -> None:
        """Send what has been held for long enough."""
        if self._joined and abs(time.time_ns() - self._when) >= _TOGETHER:
            self.release()

    def release(self) -> None:
        """Send what has been held."""
        if self._joined:
            payload = b"".join(self._joined)
            self._joined.clear()
            self._send(self._kind, self._when, payload)

    def put(self, kind: bytes, payload: bytes) -> None:
        """Send a packet, now or when there is room."""
        self.release()
        self._send(kind, time.time_ns(), payload)

    def _send(self, kind: bytes, when: int, payload: bytes) -> None:
        if not self.open:
            self._lose(kind, payload)
            return
        packet = wire.encode(kind, when, payload)
        if not self._waiting:
            self._since = time.monotonic()
        self._waiting.append(packet)
        self._size += len(packet)
        self.flush()

    def flush(self) -> None:
        """Send what the recorder takes now."""
        try:
            while self._waiting:
                sockets.send_now(self.link, self._waiting[0])
                self._size -= len(self._waiting.pop(0))
                self._since = time.monotonic()
        except BlockingIOError:
            if time.monotonic() - self._since > PATIENCE:
                self.give_up()
        except OSError:
            self.give_up()

    def listen(self) -> None:
        """Read what the recorder says, which comes too late, or see that it is gone."""
        try:
            if not self.link.recv(wire.MAX_PACKET):
                self.give_up()
        except BlockingIOError:
            return
        except OSError:
            self.give_up()

    def give_up(self) -> None:
        """Stop sending."""
        self.open = False
        self.link.close()
        for packet in self._waiting:
            kind, _, payload = wire.decode(packet)
            self._lose(kind, payload)
        self._waiting.clear()
        self._size = 0

    def _lose(self, kind: bytes, payload: bytes) -> None:
        if kind in (wire.STDOUT, wire.STDERR, wire.MERGED):
            self.lost += len(payload)
