"""Timers for work that may wait a moment but not longer.

Any number of them share one thread. They know nothing of what they call.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)


class TimerThread:
    """The thread of some timers: started when the first is armed, asleep while none is."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._armed: list[tuple[float, int, FlushTimer]] = []
        self._numbers = itertools.count()
        self._running: FlushTimer | None = None
        self._stopped = False
        self._thread: threading.Thread | None = None

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread is not None and self._thread.is_alive()

    def stop(self) -> None:
        """Stop for good; returns once nothing is running any more."""
        with self._condition:
            self._stopped = True
            self._condition.notify_all()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def arm(self, timer: FlushTimer, interval: float) -> None:
        """Have a timer called after so many seconds, unless it is set."""
        with self._condition:
            if self._stopped or timer.stopped or timer.armed:
                return
            timer.armed = True
            due = time.monotonic() + interval
            heapq.heappush(self._armed, (due, next(self._numbers), timer))
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="traceproof-flush", daemon=True
                )
                self._thread.start()
            elif self._armed[0][2] is timer:
                self._condition.notify_all()

    def forget(self, timer: FlushTimer) -> None:
        """Drop a timer; returns once its function is not running any more."""
        with self._condition:
            timer.stopped = True
            self._armed = [entry for entry in self._armed if entry[2] is not timer]
            heapq.heapify(self._armed)
            while self._running is timer and threading.current_thread() is not self._thread:
                self._condition.wait()

    def _run(self) -> None:
        while timer := self._next():
            try:
                timer.call()
            except Exception:
                # One that fails must not keep the others from being called.
                log.exception("a timer's work failed")
            with self._condition:
                self._running = None
                self._condition.notify_all()

    def _next(self) -> FlushTimer | None:
        """Wait until a timer is due; None when all were stopped."""
        with self._condition:
            while not self._stopped:
                left = self._armed[0][0] - time.monotonic() if self._armed else None
                if left is not None and left <= 0:
                    timer = heapq.heappop(self._armed)[2]
                    timer.armed = False
                    self._running = timer
                    return timer
                self._condition.wait(left)
        return None


class FlushTimer:
    """Calls a function some seconds after it was armed.

    On `thread`, which others may share; else on a thread of its own.
    """

    def __init__(
        self, interval: float, call: Callable[[], object], thread: TimerThread | None = None
    ) -> None:
        self.call = call
        self.armed = False
        self.stopped = False
        self._interval = interval
        self._thread = thread or TimerThread()
        self._shared = thread is not None

    def arm(self) -> None:
        """Set the timer, unless it is set."""
        if not self.armed:
            self._thread.arm(self, self._interval)

    def stop(self) -> None:
        """Stop for good; returns once the function is not running any more."""
        self._thread.forget(self)
        if not self._shared:
            self._thread.stop()
