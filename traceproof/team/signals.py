"""The signals that end a shared proxy, for a main thread that has nothing to do but wait for them.

The system may hand a signal to any thread, and Python's handlers run in the main thread alone, once
that runs at all: asleep on a lock, it would never hear of one. So they come through a socket.
"""

from __future__ import annotations

import signal
import socket
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Self

ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Signals:
    """Hears signals from its beginning to its end; what `nohup` has ignored stays ignored."""

    def __init__(self) -> None:
        self._here, self._there = socket.socketpair()
        self._there.setblocking(False)
        self._before = -1
        self._handlers = {
            number: handler
            for number in ENDING
            if (handler := signal.getsignal(number)) is not signal.SIG_IGN
        }

    def __enter__(self) -> Self:
        fileno = self._there.fileno()
        self._before = signal.set_wakeup_fd(fileno, warn_on_full_buffer=False)
        for number in self._handlers:
            signal.signal(number, _heard)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._before)
        self._here.close()
        self._there.close()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the next signal, or for `wake`; tell whether it came in so many seconds."""
        self._here.settimeout(seconds)
        try:
            self._here.recv(1)
        except (TimeoutError, BlockingIOError):
            return False
        return True

    def wake(self) -> None:
        """End a wait, from any thread; after the end it does nothing."""
        with suppress(OSError):
            self._there.send(b"\0")


def _heard(_: int, __: FrameType | None) -> None:
    """Do nothing: that there is a handler has the signal come through the socket."""
