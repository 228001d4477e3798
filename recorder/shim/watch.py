"""The process the agent started, while the shell runs as its child.

To the agent it is the shell: what is sent to it alone is sent on, it stops and goes on when the
shell does, and it ends as the shell ends. What is sent to the whole process group has reached the
shell already.
"""

from __future__ import annotations

import os
import select

from traceproof.recorder.shim import proc, signals, sockets, wire
from traceproof.recorder.shim.body import Body
from traceproof.recorder.shim.forked import ForkedBody
from traceproof.recorder.shim.happening import Happening
from traceproof.recorder.shim.itself import Itself
from traceproof.recorder.shim.outer import Outer
from traceproof.recorder.shim.relay import LEAVING, RESIZE, RUNS, STOPPED

_LOOK = 20


class Watch:
    """The wait for a shell.

    Args:
        body: The process that is the shell now.
        control: The socket to the relay.
        relay: Its pid.
        terminal: Whether the shell has a terminal of ours, and so a session of its own.
    """

    def __init__(
        self, body: Body | ForkedBody, control: sockets.Socket, relay: int, *, terminal: bool
    ) -> None:
        self._outer = body.outer
        self._shell = body.pid
        self._control = control
        self._relay = relay
        self._terminal = terminal
        self._stopped_by: int = signals.SIGSTOP

    def run(self) -> tuple[int, bytes]:
        """Wait for the shell.

        Returns:
            Its wait status, and the fields that tell how it ended.

        Raises:
            EOFError: the process that the agent started was killed.
        """
        while True:
            now = self._outer.happens()
            if now.status is not None and not os.WIFSTOPPED(now.status):
                return now.status, _fields(now.status, now.used)  # it can be sent nothing more
            if self._is_echo(now):
                self._outer.was_sent_to_all(now.signal)  # if that was merged with it, it is heard
            elif now.signal not in (0, signals.SIGCHLD):
                self._forward(now.signal)
            if now.status is not None:
                self._stopped_by = os.WSTOPSIG(now.status)
                self._stop()
            elif now.signal == signals.SIGCONT and proc.is_stopped(self._shell):
                self._stop()  # the relay meant the stop before this one

    def _stop(self) -> None:
        self._tell(STOPPED)
        self._outer.stop(self._stopped_by)
        self._tell(RUNS)

    def _is_echo(self, now: Happening) -> bool:
        """Tell whether we are to go on because the shell does already."""
        return now.signal == signals.SIGCONT and now.sender == self._relay

    def _tell(self, what: bytes) -> None:
        try:
            sockets.send_now(self._control, what)
        except OSError:  # the relay was killed
            return

    def _forward(self, number: int) -> None:
        """Send a signal on to the shell, unless it was sent to the whole group, the shell's too."""
        if not self._outer.was_sent_to_all(number):
            os.kill(self._shell, number)
        elif self._terminal and number == signals.SIGWINCH:
            self._tell(RESIZE)
        elif self._terminal:
            os.killpg(self._shell, number)


def finish(control: sockets.Socket, relay: int, fields: bytes, outer: Outer | Itself) -> None:
    """Tell the relay how the shell ended, and wait until the agent has its output.

    Args:
        control: The socket to the relay.
        relay: Its pid.
        fields: How the shell ended.
        outer: The process that the agent started.
    """
    try:
        sockets.send_now(control, fields)
        if _drained(control, outer) == LEAVING:
            os.waitpid(relay, 0)
    except OSError:  # it was killed
        return


def _drained(control: sockets.Socket, outer: Outer | Itself) -> bytes:
    """Wait until the agent has what the shell wrote, or someone wants that process to end.

    Returns:
        What the relay said; empty: nothing.
    """
    poll = select.poll()
    poll.register(control, select.POLLIN)
    deadly = {signals.SIGTERM, signals.SIGINT, signals.SIGHUP, signals.SIGQUIT}
    try:
        while not poll.poll(_LOOK):
            if deadly.intersection(outer.pending()):
                return b""
        return control.recv(1)
    except OSError:
        return b""


def _fields(status: int, used: tuple[int, int, int]) -> bytes:
    how = (b"code", os.WEXITSTATUS(status))
    if os.WIFSIGNALED(status):
        how = (b"signal", os.WTERMSIG(status))
    names = (b"utime_us", b"stime_us", b"maxrss_kb")
    fields = (how, *zip(names, used, strict=True))
    return wire.encode_fields([(name, b"%d" % value) for name, value in fields])
