"""Signals that end a program, as exceptions in its main thread, so that it can clear up.

The first one raises; those that come while it clears up do not, until somebody insists. What there
is to clear up is the business of the `with` and `finally` within.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SIGNAL = 128
"""Added to a signal's number, as shells do."""

_INSISTING = 4
"""So many signals end even the clearing up."""


@contextmanager
def interruptible() -> Iterator[None]:
    """Raise on SIGINT, SIGTERM and SIGHUP, unless they are ignored here; in the main thread alone.

    Raises:
        KeyboardInterrupt: SIGINT came.
        SystemExit: another one came; its code is 128 and the signal's number.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    count = 0

    def heard(number: int, _frame: FrameType | None) -> None:
        nonlocal count
        count += 1
        if count not in (1, _INSISTING):
            return
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(_SIGNAL + number)

    before = {number: signal.getsignal(number) for number in _SIGNALS}
    try:
        for number, handler in before.items():
            if handler is not signal.SIG_IGN:
                signal.signal(number, heard)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
