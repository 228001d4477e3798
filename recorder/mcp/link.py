"""The way from a tee to the recorder: never waited for, given up when the recorder is stuck."""

from __future__ import annotations

import _socket
import time
from collections import deque

from traceproof.recorder.shim import wire

_PATIENCE = 5.0
"""Seconds without a packet taken until the recorder counts as stuck."""

_MOST = 128 << 20
"""Bytes that may wait for the recorder; beyond, it counts as stuck too."""

now = time.time_ns


class Link:
    """A connection to the recorder; once it is lost, all that is put on it is forgotten."""

    def __init__(self, connection: _socket.socket) -> None:
        self._connection: _socket.socket | None = connection
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._moved = time.monotonic()

    @classmethod
    def open(cls, path: str, hello: list[bytes]) -> Link | None:
        """Connect and say hello; None if there is no recorder to be reached."""
        connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
        connection.setblocking(False)
        try:
            connection.connect(path)
        except OSError:
            connection.close()
            return None
        link = cls(connection)
        for packet in hello:
            link.put(packet)
        return link if link.alive else None

    @property
    def alive(self) -> bool:
        """Whether the recorder is still there, as far as is known."""
        return self._connection is not None

    @property
    def number(self) -> int:
        """The descriptor; -1 once the recorder is lost."""
        return self._connection.fileno() if self._connection else -1

    @property
    def waits(self) -> bool:
        """Whether something waits for the recorder to take it."""
        return bool(self._waiting)

    def put(self, packet: bytes) -> None:
        """Send a packet, or keep it until the recorder has room."""
        if self._connection is None:
            return
        if not self._waiting:
            self._moved = time.monotonic()
        self._waiting.append(packet)
        self._size += len(packet)
        self.push()

    def push(self) -> None:
        """Send what waits as far as there is room."""
        while self._connection is not None and self._waiting:
            try:
                self._connection.send(self._waiting[0])
            except BlockingIOError:
                break
            except InterruptedError:
                continue
            except OSError:
                self.drop()
                return
            self._size -= len(self._waiting.popleft())
            self._moved = time.monotonic()
        if self._waiting and (self._size > _MOST or time.monotonic() - self._moved > _PATIENCE):
            self.drop()

    def listen(self) -> None:
        """Take what the recorder says, which is of no concern, or notice that it has gone."""
        if self._connection is None:
            return
        try:
            if not self._connection.recv(wire.MAX_PACKET):
                self.drop()
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self.drop()

    def drop(self) -> None:
        """Give the recorder up."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None
        self._waiting.clear()
        self._size = 0
