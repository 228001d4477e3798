"""One accepted connection: its socket, where it stands, and who takes what it says."""

from __future__ import annotations

import hmac
import logging
import math
import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress

from traceproof.recorder.shell.connection import Connection, Hello, Packet
from traceproof.recorder.shell.peers import PASS, RECORD, Fields, Peer, PeerFactory
from traceproof.recorder.shim import wire

log = logging.getLogger(__name__)

SILENCE = 5.0
"""Seconds that a connection has for its hello."""

DEADLINE = 0.25
"""Seconds after which a hello is answered, whatever became of it."""

_BURST = 16
"""Packets that are taken at a time, so that nobody else waits long."""


class Link:
    """A connection; used from the listener's thread, but for `answer`."""

    def __init__(self, sock: socket.socket, token: bytes, kinds: Mapping[str, PeerFactory]) -> None:
        self.turn = 0
        """When it was served last, against others."""
        self.kind = ""
        """What it connected for, once it has said so."""
        self.due = time.monotonic() + SILENCE
        """When something must be done about it, by the monotonic clock."""
        self._socket = sock
        self._token = token
        self._kinds = kinds
        self._connection = Connection()
        self._peer: Peer | None = None
        self._lock = threading.Lock()
        self._answered = False

    @property
    def greeted(self) -> bool:
        """Whether it has said hello."""
        return self._connection.greeted

    def fileno(self) -> int:
        """Return the socket's descriptor."""
        return self._socket.fileno()

    def answer(self, fields: Fields = RECORD) -> None:
        """Answer the hello, from any thread; only the first answer goes out."""
        with self._lock:
            if self._answered or self._socket.fileno() < 0:
                return
            self._answered, self.due = True, math.inf
            packet = wire.encode(wire.GO, time.time_ns(), wire.encode_fields(list(fields)))
            with suppress(OSError):  # it did not wait: the next read sees that
                self._socket.send(packet, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)

    def read(self) -> bool:
        """Take some of what has come; False when the connection is over and all is ended.

        Raises:
            ValueError: what came is not our protocol.
        """
        packets: list[Packet] = []
        why = ""
        for _ in range(_BURST):
            try:
                data = self._socket.recv(wire.MAX_PACKET + 1, socket.MSG_DONTWAIT)
            except BlockingIOError:
                break
            except ConnectionResetError:
                continue  # it left our answer unread; what it said is still to come
            except OSError as error:
                why = error.strerror or str(error)
                break
            if not data:
                why = "the shim has gone"
                break
            self._feed(data, packets)
        return self._hand_on(packets, why)

    def late(self) -> bool:
        """Do what is due; False where no hello came in time."""
        if self.greeted:
            self.answer()
        return self.greeted

    def look(self) -> None:
        """Put on record what has come."""
        if self._peer is not None:
            self._peer.look()

    def break_off(self, why: str) -> None:
        """End what it is about because the connection is gone."""
        peer, self._peer = self._peer, None
        if peer is not None:
            peer.hung_up(why)

    def end(self) -> None:
        """End what it is about because the recording is over."""
        peer, self._peer = self._peer, None
        if peer is not None:
            peer.close()

    def close(self) -> None:
        """Close the socket."""
        with self._lock:
            self._socket.close()

    def _feed(self, data: bytes, packets: list[Packet]) -> None:
        said = self._connection.feed(data)
        if isinstance(said, Packet):
            packets.append(said)
        elif said is not None:
            self._greet(said)

    def _greet(self, hello: Hello) -> None:
        if not hmac.compare_digest(hello.bytes("token"), self._token):
            raise ValueError("its hello has not the folder's token")
        self.due = time.monotonic() + DEADLINE
        self.kind = hello.kind
        take = self._kinds.get(hello.kind)
        if take is None:
            self.answer(PASS)
        else:
            self._peer = take(hello, self.answer)

    def _hand_on(self, packets: list[Packet], why: str) -> bool:
        if self._peer is None:
            return not why and not self.greeted
        if packets and self._peer.packets(packets):
            self._peer = None
            return False
        if why:
            self.break_off(why)
        return not why
