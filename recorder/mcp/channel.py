"""One direction between an agent and a server: bytes that go on first, and a copy of them.

What is open may not be ours alone, so nothing is set that others would see. Who is to be served
next is `traceproof.recorder.mcp.relay`'s business.
"""

from __future__ import annotations

import _socket
import os
import select

from traceproof.recorder.mcp.link import Link, now
from traceproof.recorder.shim import wire

_AT_ONCE = 65536
_GONE = select.POLLERR | select.POLLHUP | select.POLLNVAL


class Target:
    """Where bytes go without waiting, though what is open there may not be ours alone."""

    def __init__(self, number: int, kind: str) -> None:
        """Take over a descriptor of a kind; only a pipe of its own open file is set not to wait."""
        self.number = number
        self._connection = _socket.socket(fileno=number) if kind == "socket" else None
        if kind == "pipe":
            again = os.open(f"/proc/self/fd/{number}", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            os.dup2(again, number, inheritable=False)
            os.close(again)

    def put(self, data: bytes) -> int:
        """Write what there is room for; returns how many bytes that were.

        Raises:
            BlockingIOError: there is no room.
            OSError: nobody reads any more.
        """
        if self._connection is not None:
            return self._connection.send(data, _socket.MSG_DONTWAIT)
        return os.write(self.number, data)

    def close(self) -> None:
        """Close the descriptor."""
        if self._connection is not None:
            self._connection.detach()
            self._connection = None
        os.close(self.number)


class Lines:
    """The copy of one direction: packets that end where a line ends."""

    def __init__(self, link: Link, last: bytes, piece: bytes) -> None:
        self._link = link
        self._last = last
        self._piece = piece
        self._rest = b""

    def feed(self, data: bytes) -> None:
        """Copy bytes as they went by."""
        if not self._link.alive:
            return
        when = now()
        start = 0
        while (end := data.find(b"\n", start)) >= 0:
            self._whole(self._rest + data[start:end], when)
            self._rest, start = b"", end + 1
        self._rest += data[start:]
        while len(self._rest) >= wire.MAX_PAYLOAD:
            part, self._rest = self._rest[: wire.MAX_PAYLOAD], self._rest[wire.MAX_PAYLOAD :]
            self._link.put(wire.encode(self._piece, when, part))

    def finish(self) -> None:
        """Copy what came after the last line's end."""
        if self._rest:
            self._whole(self._rest, now())
            self._rest = b""

    def _whole(self, line: bytes, when: int) -> None:
        for packet in wire.pieces(line, self._last, self._piece, when):
            self._link.put(packet)


class Plain:
    """The copy of a stream that has no lines: stderr."""

    def __init__(self, link: Link, kind: bytes) -> None:
        self._link = link
        self._kind = kind

    def feed(self, data: bytes) -> None:
        """Copy bytes as they went by."""
        self._link.put(wire.encode(self._kind, now(), data))

    def finish(self) -> None:
        """Do nothing: all is copied."""


class Channel:
    """One direction: from one descriptor to another, at most one read ahead."""

    def __init__(self, source: int, target: Target, copy: Lines | Plain) -> None:
        self._source = source
        self._target: Target | None = target
        self.pending = b""
        self._copy = copy

    @property
    def open(self) -> bool:
        """Whether something may still come or go."""
        return self._target is not None

    def watch(self, poll: select.poll) -> None:
        """Ask for what can be done next."""
        if self._source >= 0 and not self.pending:
            poll.register(self._source, select.POLLIN)
        if self._target is not None:
            poll.register(self._target.number, select.POLLOUT if self.pending else 0)

    def take(self, events: dict[int, int]) -> None:
        """Do what can be done."""
        if self._target is not None:
            event = events.get(self._target.number, 0)
            if event & select.POLLOUT:
                self._write()
            elif event & _GONE:
                self.close()
        if self._source in events and not self.pending:
            self._read()

    def close(self) -> None:
        """End it for both sides."""
        self._copy.finish()
        self.pending = b""
        if self._source >= 0:
            os.close(self._source)
        if self._target is not None:
            self._target.close()
        self._source, self._target = -1, None

    def _read(self) -> None:
        """Take what has come, pass it on as far as there is room, then copy it."""
        try:
            data = os.read(self._source, _AT_ONCE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self.pending = data
        if not data:
            os.close(self._source)
            self._source = -1
        self._write()
        if data:
            self._copy.feed(data)

    def _write(self) -> None:
        while self.pending and self._target is not None:
            try:
                done = self._target.put(self.pending)
            except BlockingIOError:
                return
            except OSError:
                self.close()
                return
            self.pending = self.pending[done:]
        if self._source < 0:
            self.close()
