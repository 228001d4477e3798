"""A timer for work that may wait a moment but not longer.

It knows nothing of what it calls.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class FlushTimer:
    """Calls a function some seconds after it was armed; sleeps without a timeout otherwise."""

    def __init__(self, interval: float, call: Callable[[], object]) -> None:
        self._interval = interval
        self._call = call
        self._condition = threading.Condition()
        self._due = 0.0
        self._stopped = False
        self._thread: threading.Thread | None = None

    def arm(self) -> None:
        """Set the timer, unless it is set."""
        if self._due:
            return
        with self._condition:
            if self._stopped or self._due:
                return
            self._due = time.monotonic() + self._interval
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="traceproof-flush", daemon=True
                )
                self._thread.start()
            self._condition.notify()

    def stop(self) -> None:
        """Stop for good; returns once the function is not running any more."""
        with self._condition:
            self._stopped = True
            self._condition.notify()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def _run(self) -> None:
        while self._wait():
            self._call()

    def _wait(self) -> bool:
        """Wait until the timer is due; False when it was stopped."""
        with self._condition:
            while not self._stopped:
                left = self._due - time.monotonic() if self._due else None
                if left is not None and left <= 0:
                    self._due = 0.0
                    return True
                self._condition.wait(left)
        return False
