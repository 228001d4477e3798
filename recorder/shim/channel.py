"""One output stream on its way from the command to the agent: read, deliver, then record.

It never waits: the agent's end is written to only as far as it takes, and what the agent has not
taken holds the command up, as it would have without us.
"""

from __future__ import annotations

import fcntl
import os

from traceproof.recorder.shim import sockets
from traceproof.recorder.shim.streams import Stream
from traceproof.recorder.shim.terminal import Terminal

CHUNK = 65536
_ATOMIC = 4096
_FIONREAD = 0x541B


class Channel:
    """A stream, in the relay's process.

    Args:
        kind: Kind of the packets that carry it; empty: it is not recorded.
        source: Where what is written arrives.
        target: Where it goes.
        socket: The target, where that is a socket.
        limit: How much to write at a time.
        reopens: Whether it may go on after nobody had it open, as a terminal may.

    Attributes:
        kind: The same.
        source: The same; -1 once there will be no more.
        target: The same.
        pending: Bytes that the target has yet to take.
        rests: Whether nobody has it open now, and it may go on.
        reopens: The same.
    """

    def __init__(
        self,
        kind: bytes,
        source: int,
        target: int,
        socket: sockets.Socket | None = None,
        limit: int = CHUNK,
        *,
        reopens: bool = False,
    ) -> None:
        self.kind = kind
        self.source = source
        self.target = target
        self.pending = b""
        self.rests = False
        self.reopens = reopens
        self._socket = socket
        self._limit = limit
        os.set_blocking(source, False)

    @property
    def ended(self) -> bool:
        """Whether nothing more will come through."""
        return self.source < 0 and not self.pending

    def descriptors(self) -> set[int]:
        """Return those it needs."""
        return {self.source, self.target}

    def read(self) -> None:
        """Take what the command wrote; to be called when there is something, or its end."""
        self.rests = False
        try:
            self.pending = os.read(self.source, CHUNK)
        except BlockingIOError:
            return
        except OSError:  # nobody has the terminal open, or a socket was closed with unread input
            self.rests = self.reopens
        if not self.pending and not self.rests:
            self.close()

    def write(self) -> bytes:
        """Deliver what the agent takes now; return it."""
        part = memoryview(self.pending)[: self._limit]
        try:
            if self._socket is not None:
                count = sockets.send_now(self._socket, part)
            else:
                count = os.write(self.target, part)
        except BlockingIOError:
            return b""
        except OSError:
            self.close()
            return b""
        sent, self.pending = self.pending[:count], self.pending[count:]
        return sent

    def close(self) -> None:
        """End it on both sides, so that the command's next write fails, and the agent sees it."""
        self.pending = b""
        if self.source < 0:
            return
        os.close(self.source)
        self.source = -1
        if self._socket is not None:
            self._socket.close()
        else:
            os.close(self.target)

    def ahead(self) -> int:
        """Return how many bytes the agent has yet to get of what was written until now."""
        if self.source < 0:
            return 0
        answer = fcntl.ioctl(self.source, _FIONREAD, bytes(4))
        return len(self.pending) + int.from_bytes(answer, "little")


def outward(stream: Stream) -> Channel:
    """Return the way of a stream to the agent."""
    if stream.is_socket:
        socket = sockets.Socket(fileno=os.dup(stream.agent))
        return Channel(stream.kind, stream.source, socket.fileno(), socket)
    try:
        target = _again(stream.agent, os.O_WRONLY)
        return Channel(stream.kind, stream.source, target, reopens=os.isatty(target))
    except OSError:  # then what always fits a pipe that can be written to is all we write
        return Channel(stream.kind, stream.source, os.dup(stream.agent), limit=_ATOMIC)


def inward(terminal: Terminal) -> Channel:
    """Return the way of what is typed to the command."""
    return Channel(b"", _again(terminal.outer, os.O_RDONLY), os.dup(terminal.master))


def _again(descriptor: int, access: int) -> int:
    """Open what is behind a descriptor once more, so that its flags are ours alone."""
    flags = access | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
    return os.open(f"/proc/self/fd/{descriptor}", flags)
