"""The process that carries a command's output to the agent, and then to the recorder.

It goes on for as long as anything holds the output open, also after the shell has ended. It has a
session of its own, so that what ends the command's processes does not end it in mid-stream.
"""

from __future__ import annotations

import os
import select
import time

from traceproof.recorder.shim import signals, sockets, wire
from traceproof.recorder.shim.body import keep_only
from traceproof.recorder.shim.channel import Channel, inward, outward
from traceproof.recorder.shim.outlet import Outlet
from traceproof.recorder.shim.stops import Stops
from traceproof.recorder.shim.streams import Streams
from traceproof.recorder.shim.tail import Follower

DRAINED, LEAVING = b"d", b"x"
"""What the relay says once the agent has all that was written before the shell ended: that it goes
on, or that it is about to exit."""

START, RESIZE, STOPPED, RUNS = b"g", b"w", b"s", b"r"
"""What it is told: the command is recorded, the agent's terminal has another size, the shell has
stopped and so will the process that waits for it, which runs again."""

KILLED = wire.encode_fields([(b"signal", b"%d" % signals.SIGKILL)])
"""How a shell ends whose parent is killed."""

_UNKNOWN = b"how the shell ended is not known: its parent was killed"
_MOMENT = 1.0
_LOOK = 0.1
_UNREAD = 1.0


class Relay:
    """The state of one relay.

    Args:
        streams: What to carry.
        link: The connection to the recorder.
        control: The socket to the process that the agent started.
        stops: How to let that process go on once the shell does.
    """

    def __init__(
        self, streams: Streams, link: sockets.Socket, control: sockets.Socket, stops: Stops
    ) -> None:
        self._stops = stops
        self._channels = [outward(stream) for stream in streams.inner]
        self._terminal = streams.terminal
        self._input = inward(streams.terminal) if streams.terminal else None
        self._followers = [Follower(tail) for tail in streams.tails]
        self._outlet = Outlet(link)
        self._control: sockets.Socket | None = control
        self._ahead: dict[Channel, int] = {}
        self._over = False
        self._said = False
        self._moved = 0.0
        self._outlived = False

    def run(self) -> None:
        """Carry until everything has ended, and the recorder has it."""
        while self._control is not None or not self._done():
            self._round()
            self._follow()
            self._close_terminal()
            self._answer()
        self._last_word()
        while self._outlet.waits:
            self._round()

    def descriptors(self) -> set[int]:
        """Return the descriptors that it needs."""
        found = {self._outlet.link.fileno(), self._stops.handle}
        if self._control is not None:
            found.add(self._control.fileno())
        for channel in self._all():
            found.update(channel.descriptors())
        if self._terminal is not None:
            found.update({self._terminal.outer, self._terminal.master})
        for follower in self._followers:
            found.update(follower.descriptors())
        return found

    def _done(self) -> bool:
        channels = all(channel.ended for channel in self._channels)
        return channels and all(follower.ended for follower in self._followers)

    def _round(self) -> None:
        """Wait for one event, or a moment, and deal with it."""
        self._stops.look()
        poll = select.poll()
        if self._control is not None:
            poll.register(self._control, select.POLLIN)
        link = -1
        if self._outlet.open:
            link = self._outlet.link.fileno()
            poll.register(link, select.POLLIN | (select.POLLOUT if self._outlet.waits else 0))
        for channel in self._all():
            if channel.kind or channel.pending:
                poll.register(channel.target, select.POLLOUT if channel.pending else 0)
            if not channel.pending and not channel.rests and not self._outlet.full:
                poll.register(channel.source, select.POLLIN)
        ready = dict(poll.poll(self._wait()))
        if ready.get(link, 0) & ~select.POLLOUT:
            self._outlet.listen()
        self._outlet.flush()
        for channel in self._all():
            self._carry(channel, ready)
        self._outlet.settle()
        if self._control is not None and self._control.fileno() in ready:
            self._hear(self._control)

    def _live(self) -> list[Channel]:
        return [channel for channel in self._channels if channel.source >= 0]

    def _all(self) -> list[Channel]:
        """Return every open channel; what is typed is of no use once there is no command."""
        live = self._live()
        if self._input is None or self._input.source < 0:
            return live
        if live:
            return [*live, self._input]
        self._input.close()
        return []

    def _close_terminal(self) -> None:
        """Let go of the terminals, once nothing more will come from the inner one."""
        if self._terminal is not None and not self._live():
            self._terminal.restore()
            self._terminal.close()
            self._terminal = None

    def _wait(self) -> float | None:
        """Return how long to wait for an event, in milliseconds."""
        if self._outlet.holds:
            return _MOMENT
        if self._stops.stopped or (self._over and self._control is not None):
            return _LOOK * 1000
        if any(channel.rests for channel in self._live()):
            return _LOOK * 1000
        if self._outlet.waits or not all(follower.ended for follower in self._followers):
            return _LOOK * 1000
        return None

    def _carry(self, channel: Channel, ready: dict[int, int]) -> None:
        if ready.get(channel.target, 0) & (select.POLLERR | select.POLLHUP):
            channel.close()
            return
        if channel.source in ready or channel.rests:
            channel.read()
        sent = channel.write() if channel.pending else b""
        if sent and channel.kind:
            self._moved = time.monotonic()
            self._outlet.join(channel.kind, sent)
            if channel in self._ahead:
                self._ahead[channel] -= len(sent)

    def _follow(self) -> None:
        for follower in self._followers:
            if not self._outlet.open:
                follower.give_up()
            while not follower.ended and not self._outlet.full and (data := follower.read()):
                self._outlet.join(follower.kind, data)

    def _hear(self, control: sockets.Socket) -> None:
        """Take note of what happened to the shell, or to the process that waits for it."""
        said = control.recv(wire.MAX_PAYLOAD)
        if said == RESIZE and self._terminal is not None:
            self._terminal.resize()
            return
        if said in (STOPPED, RUNS):
            self._stops.stopped = said == STOPPED
            return
        if said:
            self._outlet.put(wire.ENDED, said)
        else:
            self._close_control()
            if self._stops.shell_ended():
                self._outlet.put(wire.ENDED, KILLED)
            else:
                self._outlet.put(wire.FAULT, _UNKNOWN)
        for follower in self._followers:
            follower.stop()
        self._over = True
        for channel in self._live():
            channel.reopens = False
        self._ahead = {channel: channel.ahead() for channel in self._live()}
        self._moved = time.monotonic()

    def _answer(self) -> None:
        """Tell the process that waits for us that it can exit."""
        if self._control is None or not self._over:
            return
        waiting = [channel for channel in self._live() if self._ahead.get(channel, 0) > 0]
        if waiting and time.monotonic() - self._moved < _UNREAD:
            return
        for channel in self._live():
            if not channel.pending:
                channel.read()  # its end, if this is it
        if self._terminal is not None and any(channel.pending for channel in self._live()):
            return
        self._close_terminal()
        self._outlived = bool(self._live())
        if self._done():
            self._last_word()
        leaving = self._done() and not self._outlet.waits
        self._say(self._control, LEAVING if leaving else DRAINED)
        self._close_control()

    def _say(self, control: sockets.Socket, what: bytes) -> None:
        try:
            sockets.send_now(control, what)
        except OSError:  # it was killed, or waits no longer
            return

    def _last_word(self) -> None:
        if self._said:
            return
        self._said = True
        outlived, lost = b"1" if self._outlived else b"0", b"%d" % self._outlet.lost
        fields = [(b"outlived", outlived), (b"lost", lost)]
        self._outlet.put(wire.DRAINED, wire.encode_fields(fields))

    def _close_control(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control = None


def start(
    streams: Streams, link: sockets.Socket, control: sockets.Socket, shell: int, parent: int
) -> int:
    """Fork the relay; return its pid.

    Args:
        streams: What to carry.
        link: The connection to the recorder.
        control: Its end of the socket to this process.
        shell: The pid of the shell.
        parent: That of the process that the agent started.
    """
    stops = Stops(shell, parent)
    pid = os.fork()
    if pid:
        return pid
    try:
        os.setsid()
        relay = Relay(streams, link, control, stops)
        keep_only(relay.descriptors())
        if control.recv(1):  # not before: the recorder's answer is for our parent
            relay.run()
    finally:
        os._exit(0)
