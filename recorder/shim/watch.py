"""The process the agent started, while the shell runs as its child.

To the agent it is the shell: what is sent to it alone is sent on, it stops and goes on when the
shell does, and it ends as the shell ends. What is sent to the whole process group has reached the
shell already: a sentinel in the group, which takes no signal, tells which it was. All signals are
blocked here and read one by one, so nothing is lost and nothing interrupts.
"""

from __future__ import annotations

import os
import select

from traceproof.recorder.shim import signals, sockets, wire
from traceproof.recorder.shim.body import Body, read
from traceproof.recorder.shim.forked import ForkedBody
from traceproof.recorder.shim.relay import LEAVING, RESIZE, RUNS, STOPPED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from resource import struct_rusage

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
        self._body = body
        self._control = control
        self._relay = relay
        self._terminal = terminal

    def run(self) -> tuple[int, bytes]:
        """Wait for the shell.

        Returns:
            Its wait status, and the fields that tell how it ended.
        """
        import resource  # noqa: F401, PLC0415  # `wait4` would load it while the agent waits

        while True:
            number, sender = signals.next_signal()
            if number == signals.SIGCONT and sender == self._relay:
                continue  # the shell runs already
            if number != signals.SIGCHLD:
                self._forward(number)
                continue
            pid, status, usage = os.wait4(self._body.pid, os.WNOHANG | os.WUNTRACED)
            if not pid:
                continue
            if os.WIFSTOPPED(status):
                self._stop(os.WSTOPSIG(status))
                continue
            return status, _fields(status, usage)

    def _stop(self, number: int) -> None:
        self._tell(STOPPED)
        stop(number)
        self._tell(RUNS)

    def _tell(self, what: bytes) -> None:
        try:
            sockets.send_now(self._control, what)
        except OSError:  # the relay was killed
            return

    def _forward(self, number: int) -> None:
        """Send a signal on to the shell, unless it was sent to the whole group, the shell's too."""
        to_all = number in _sent_to(self._body.sentinel)
        if to_all:
            self._renew_sentinel()
        if not to_all:
            os.kill(self._body.pid, number)
        elif self._terminal and number == signals.SIGWINCH:
            self._tell(RESIZE)
        elif self._terminal:
            os.killpg(self._body.pid, number)

    def _renew_sentinel(self) -> None:
        try:
            self._body.renew_sentinel()
        except OSError:  # no more processes: until there are, what comes again is taken as shared
            return


def wait_only(pid: int) -> int:
    """Wait for a process and nothing else; return its wait status."""
    return os.waitpid(pid, 0)[1]


def stop(number: int) -> None:
    """Stop this process, as the shell stopped."""
    if number == signals.SIGSTOP:
        os.kill(os.getpid(), number)
        return
    signals.default(number)
    os.kill(os.getpid(), number)
    signals.release(number)


def finish(control: sockets.Socket, relay: int, fields: bytes) -> None:
    """Tell the relay how the shell ended, and wait until the agent has its output.

    Args:
        control: The socket to the relay.
        relay: Its pid.
        fields: How the shell ended.
    """
    try:
        sockets.send_now(control, fields)
    except OSError:  # it was killed
        return
    if drained(control) == LEAVING:
        os.waitpid(relay, 0)


def drained(control: sockets.Socket) -> bytes:
    """Wait until the agent has what the shell wrote, or someone wants this process to end.

    Returns:
        What the relay said; empty: nothing.
    """
    poll = select.poll()
    poll.register(control, select.POLLIN)
    deadly = {signals.SIGTERM, signals.SIGINT, signals.SIGHUP, signals.SIGQUIT}
    while not poll.poll(_LOOK):
        if deadly.intersection(signals.pending()):
            return b""
    try:
        return control.recv(1)
    except OSError:
        return b""


def end_as(status: int) -> None:
    """End this process as a wait status says."""
    if os.WIFEXITED(status):
        os._exit(os.WEXITSTATUS(status))
    number = os.WTERMSIG(status)
    if os.WCOREDUMP(status):
        _forbid_core()
    if number != signals.SIGKILL:
        signals.default(number)
    os.kill(os.getpid(), number)
    signals.release(number)
    os._exit(128 + number)


def _forbid_core() -> None:
    import resource  # noqa: PLC0415

    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, most))


def _fields(status: int, usage: struct_rusage) -> bytes:
    how = (b"code", os.WEXITSTATUS(status))
    if os.WIFSIGNALED(status):
        how = (b"signal", os.WTERMSIG(status))
    used = (
        (b"utime_us", int(usage.ru_utime * 1e6)),
        (b"stime_us", int(usage.ru_stime * 1e6)),
        (b"maxrss_kb", usage.ru_maxrss),
    )
    return wire.encode_fields([(name, b"%d" % value) for name, value in (how, *used)])


def _sent_to(pid: int) -> list[int]:
    """Return the signals that wait for a process."""
    found = 0
    for line in read(f"/proc/{pid}/status").splitlines():
        if line.startswith(b"ShdPnd:"):
            found = int(line.split()[1], 16)
    return signals.numbers(found)
