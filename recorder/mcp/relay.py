"""Carries bytes between an agent and a server, and a copy of each line to the recorder.

The agent's and the server's bytes go first, as they come; a line's copy is cut into packets as it
comes too, so that a message of any size takes no memory. Runs until both sides have closed.
"""

from __future__ import annotations

import _socket
import os
import select
import signal
from contextlib import suppress

from traceproof.recorder.mcp import stand
from traceproof.recorder.mcp.channel import Channel, Lines, Plain, Target
from traceproof.recorder.mcp.link import Link, now
from traceproof.recorder.shim import wire

KINDS = ("pipe", "socket")
ERRORS = 2
_MESSAGE = 4096
_KILLED = b"signal\0009\0"
_TICK = 1000
"""Milliseconds until a recorder that takes nothing is looked at again."""


def pair(kind: str, *, to_server: bool) -> tuple[int, int]:
    """Return a connection like the agent's own: the relay's end, and the server's."""
    if kind == "socket":
        ours, theirs = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_STREAM)
        return ours.detach(), theirs.detach()
    reads, writes = os.pipe()
    return (writes, reads) if to_server else (reads, writes)


def run(
    control: _socket.socket, link: Link, ours: dict[int, int], close: set[int], kinds: list[str]
) -> None:
    """Relay until nothing is left to do.

    Args:
        control: To the process that stands for the server.
        link: To the recorder.
        ours: The relay's end of the connection to the server, by the agent's descriptor.
        close: The server's ends.
        kinds: What the agent's descriptors are.
    """
    for number in close:
        os.close(number)
    _close_others({0, 1, ERRORS, control.fileno(), link.number, *ours.values()})
    Relay(control, link, ours, kinds).run()
    link.put(wire.encode(wire.DRAINED, now(), wire.encode_fields([(b"outlived", b"0")])))
    while link.waits:
        select.select([], [link.number], [], 1.0)
        link.push()


def _close_others(keep: set[int]) -> None:
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - pathlib is slow to import
        if int(name) not in keep:
            try:
                os.close(int(name))
            except OSError:
                continue


class Relay:
    """All directions, the recorder, and the process that stands for the server."""

    def __init__(
        self, control: _socket.socket, link: Link, ours: dict[int, int], kinds: list[str]
    ) -> None:
        self._control: _socket.socket | None = control
        self._link = link
        asked = Lines(link, wire.FROM_CLIENT, wire.FROM_CLIENT_PIECE)
        said = Lines(link, wire.FROM_SERVER, wire.FROM_SERVER_PIECE)
        self._in = Channel(0, Target(ours[0], kinds[0]), asked)
        self._out = [Channel(ours[1], Target(1, kinds[1]), said)]
        if ERRORS in ours:
            copy = Plain(link, wire.STDERR)
            self._out.append(Channel(ours[ERRORS], Target(ERRORS, kinds[ERRORS]), copy))
        else:
            os.close(ERRORS)
        self._server = -1
        self._ended = False

    def run(self) -> None:
        """Relay until the server's side is closed, and what it wrote is passed on."""
        while any(channel.open for channel in self._out) or not self._ended:
            self._turn()
        self._say_drained()
        self._in.close()

    def _turn(self) -> None:
        poll = select.poll()
        for channel in (self._in, *self._out):
            channel.watch(poll)
        if self._control is not None:
            poll.register(self._control.fileno(), select.POLLIN)
        if self._link.alive:
            wanted = select.POLLIN | (select.POLLOUT if self._link.waits else 0)
            poll.register(self._link.number, wanted)
        # what a server that has ended wrote is there at once
        events = dict(poll.poll(0 if self._ended else _TICK))
        if not events and self._ended:
            self._say_drained()
            events = dict(poll.poll(_TICK))
        self._take(events)

    def _take(self, events: dict[int, int]) -> None:
        if self._control is not None and self._control.fileno() in events:
            self._hear(self._control)
        for channel in (self._in, *self._out):
            channel.take(events)
        if events.get(self._link.number, 0) & ~select.POLLOUT:
            self._link.listen()
        if self._link.waits:
            self._link.push()

    def _hear(self, control: _socket.socket) -> None:
        """Take what the process that stands for the server says."""
        try:
            said = control.recv(_MESSAGE)
        except BlockingIOError:
            return
        except OSError:
            said = b""
        if said[:1] == stand.CHILD:
            with suppress(OSError):  # it has ended, or the system is older than Linux 5.3
                self._server = os.pidfd_open(int(said[1:]))
        elif said[:1] == stand.ENDED:
            self._ended = True
            self._link.put(wire.encode(wire.ENDED, now(), said[1:]))
        elif not said:
            self._left_alone()

    def _left_alone(self) -> None:
        """End the server where what stood for it was killed, as the server would have been."""
        self._control = None
        if not self._ended and self._server >= 0:
            with suppress(OSError):
                signal.pidfd_send_signal(self._server, signal.SIGKILL)
            self._link.put(wire.encode(wire.ENDED, now(), _KILLED))
        self._ended = True

    def _say_drained(self) -> None:
        if self._control is None or any(channel.pending for channel in self._out):
            return
        with suppress(OSError):
            self._control.send(stand.DRAINED)
        self._control.close()
        self._control = None
