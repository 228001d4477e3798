"""Stands for a server towards the agent: what is sent to this process reaches it, and it ends so.

A signal to the whole process group reaches the server without us. The relay, which is of the group
too and is sent nothing by itself, tells that it was one.
"""

from __future__ import annotations

import _socket
import os
import resource
import select
import signal
import time
from collections.abc import Callable

_FORWARDED = (
    signal.SIGHUP,
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGTERM,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGALRM,
    signal.SIGCONT,
    signal.SIGTSTP,
    signal.SIGWINCH,
)
_TOLD_WITHIN = 0.02
"""Seconds in which the relay says that it got the same signal."""

_DRAINED_WITHIN = 5.0
"""Seconds in which the agent takes what the server wrote before it ended."""

CHILD = b"C"
"""To the relay: the server's process id follows."""
ENDED = b"E"
"""To the relay: fields of its end follow."""
DRAINED = b"D"
"""From the relay: the agent has all that the server wrote."""


def run(
    relay: Callable[[_socket.socket], None], server: Callable[[], None], close: list[int]
) -> None:
    """Start the relay and the server, wait, and end as the server does; does not return.

    Args:
        relay: Carries the bytes, in a child of its own; gets a socket to this process.
        server: Becomes the server, in another child.
        close: Descriptors that are theirs alone.
    """
    ours, theirs = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
    taken = [each for each in _FORWARDED if signal.getsignal(each) != signal.SIG_IGN]
    before = signal.pthread_sigmask(signal.SIG_BLOCK, taken)
    if not os.fork():
        _as_child(lambda: _relay(relay, ours, theirs, taken))
    theirs.close()
    child = os.fork()
    if not child:
        _as_child(lambda: _server(server, taken, before))
    _let_go(close)
    stand = _Stand(child, ours)
    ours.send(CHILD + str(child).encode())
    for number in taken:
        signal.signal(number, stand.forward)
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    stand.wait()


class _Stand:
    """This process, once both children run."""

    def __init__(self, child: int, control: _socket.socket) -> None:
        self._child = child
        self._control = control
        self._ended = False
        self._group: list[int] = []
        self._drained = False

    def forward(self, number: int, _frame: object) -> None:
        """Send the server what was sent to this process alone."""
        until = time.monotonic() + _TOLD_WITHIN
        while number not in self._group and self._listen(until):
            pass
        if number in self._group:
            self._group.remove(number)
        elif not self._ended:
            try:
                os.kill(self._child, number)
            except OSError:
                return

    def wait(self) -> None:
        """Wait for the server, and end as it did."""
        _, status, used = os.wait4(self._child, 0)
        self._ended = True
        code = os.waitstatus_to_exitcode(status)
        how = b"code\0%d" % code if code >= 0 else b"signal\0%d" % -code
        peak = b"maxrss_kb\0%d\0" % used.ru_maxrss
        times = b"utime_us\0%d\0stime_us\0%d\0" % (used.ru_utime * 1e6, used.ru_stime * 1e6)
        try:
            self._control.send(ENDED + how + b"\0" + times + peak)
        except OSError:
            self._drained = True
        until = time.monotonic() + _DRAINED_WITHIN
        while not self._drained and self._listen(until):
            pass
        _end_as(code)

    def _listen(self, until: float) -> bool:
        """Take one message of the relay; False if none came in time."""
        left = until - time.monotonic()
        if left <= 0 or not select.select([self._control], [], [], left)[0]:
            return False
        try:
            said = self._control.recv(16)
        except OSError:
            said = b""
        if not said or said == DRAINED:
            self._drained = True
            return bool(said)
        self._group.append(said[0])
        return True


def _as_child(action: Callable[[], None]) -> None:
    """Do something in a child, which ends with it whatever happens."""
    code = 1
    try:
        action()
        code = 0
    finally:
        os._exit(code)


def _relay(
    relay: Callable[[_socket.socket], None],
    ours: _socket.socket,
    theirs: _socket.socket,
    taken: list[signal.Signals],
) -> None:
    """Be the relay: tell of signals, and be ended by none that is meant for the server."""
    ours.close()
    theirs.setblocking(False)

    def tell(number: int, _frame: object) -> None:
        try:
            theirs.send(bytes([number]))
        except OSError:
            return

    for number in taken:
        signal.signal(number, tell)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, taken)
    relay(theirs)


def _server(server: Callable[[], None], taken: list[signal.Signals], before: set[int]) -> None:
    for number in taken:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    server()


def _let_go(close: list[int]) -> None:
    """Close what is the children's, so that the agent learns when they close it."""
    for number in close:
        os.close(number)
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)
    os.close(null)


def _end_as(code: int) -> None:
    if code < 0:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # the server has left its own
        signal.signal(-code, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [-code])
        os.kill(os.getpid(), -code)
        code = 128 - code
    os._exit(code)
