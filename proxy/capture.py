"""Records exchanges off the relay path: a queue, one thread, and a clock.

The relay puts an exchange on the queue and goes on; everything that takes time (decoding, parsing,
masking, hashing, compressing, writing) happens here. Whatever goes wrong with one exchange costs
that exchange its meaning, never its bytes, and never the agent its answer.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable

from traceproof.proxy.exchange import Exchange
from traceproof.proxy.intake import Intake, IntakeContext

_COURTESY = 0.02
"""Seconds to wait before a single piece of work: just then the relay wants the interpreter.

A request has come whole and its answer is about to begin, or an answer has ended and the agent asks
again at once. Where work is waiting behind this one, there is no use in waiting too.
"""

GOING_ON = 2**63 - 1
"""The end of what has not ended; a clock that was set back does not come before it."""

log = logging.getLogger(__name__)

_TICK = 0.5
"""Seconds between looks at the calls in flight, so that what has arrived gets to disk."""


class Capture:
    """A `Sink` that turns exchanges into spans.

    `consents` says whether what happened between two moments (Unix nanoseconds) may be kept, where
    `GOING_ON` is the end of what is still under way;
    `refuses` whether agents' calls must be refused because recording failed.
    """

    def __init__(
        self,
        context: IntakeContext,
        *,
        consents: Callable[[int, int], bool] = lambda _start, _end: True,
        refuses: Callable[[], bool] = lambda: False,
    ) -> None:
        self._context = context
        self._consents = consents
        self._refuses = refuses
        self._queue: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._calls: dict[Exchange, Intake] = {}
        self._unrecorded: set[Exchange] = set()
        self._ticked = 0.0
        self.faults: list[str] = []
        """What went wrong while recording, one line each; the bytes are kept all the same."""
        self._thread = threading.Thread(target=self._run, name="traceproof-capture", daemon=True)
        self._thread.start()

    # --- called by the relay ----------------------------------------------------------------------

    def request_started(self, exchange: Exchange) -> None:
        """Note whether this exchange may be recorded."""
        if not self._consents(exchange.started, GOING_ON):
            self._unrecorded.add(exchange)

    def request_ended(self, exchange: Exchange) -> None:
        """Queue the request."""
        if exchange not in self._unrecorded:
            self._queue.put(lambda: self._begin(exchange))

    def response_started(self, exchange: Exchange) -> None:
        """Do nothing: the next look at the calls in flight sees it."""

    def ended(self, exchange: Exchange) -> None:
        """Queue the end."""
        self._queue.put(lambda: self._end(exchange))

    def refuses(self) -> bool:
        """Tell the relay whether to refuse calls."""
        return self._refuses()

    # --- called by the recording ------------------------------------------------------------------

    def run(self, action: Callable[[], None]) -> None:
        """Run `action` on the recorder's thread, after what was queued before it."""
        self._queue.put(action)

    def close(self) -> None:
        """Finish what is queued, end the calls still in flight as they are, and stop."""
        self._queue.put(self._abandon)
        self._queue.put(None)
        self._thread.join()

    # --- on the recorder's thread -----------------------------------------------------------------

    def _run(self) -> None:
        while self._step():
            if time.monotonic() - self._ticked >= _TICK:
                self._guard(self._look)

    def _step(self) -> bool:
        """Do what comes first in the queue; False when that is the end."""
        try:
            action = self._queue.get(timeout=_TICK if self._calls else None)
        except queue.Empty:
            return True
        if action is None:
            return False
        if self._queue.empty():
            time.sleep(_COURTESY)
        self._guard(action)
        return True

    def _guard(self, action: Callable[[], None]) -> bool:
        try:
            action()
        except Exception as error:
            log.exception("recording failed for one exchange")
            self.faults.append(f"{type(error).__name__} while recording: see the log")
            return False
        return True

    def _begin(self, exchange: Exchange) -> None:
        if not self._consents(exchange.started, GOING_ON):
            self._unrecorded.add(exchange)
            return
        intake = Intake(exchange, self._context)
        self._calls[exchange] = intake
        if not self._guard(intake.begin):
            intake.distrust()

    def _end(self, exchange: Exchange) -> None:
        if exchange not in self._calls and exchange not in self._unrecorded:
            self._begin(exchange)
        if exchange in self._unrecorded:
            self._unrecorded.discard(exchange)
            return
        intake = self._calls.pop(exchange)
        if not self._consents(exchange.started, exchange.ended):
            intake.forget()
        elif not self._guard(intake.end):
            intake.distrust()
            intake.end()

    def _look(self) -> None:
        self._ticked = time.monotonic()
        for exchange, intake in self._calls.items():
            if self._consents(exchange.started, GOING_ON) and not self._guard(intake.look):
                intake.distrust()

    def _abandon(self) -> None:
        now = time.time_ns()
        for exchange in list(self._calls):
            exchange.error = exchange.error or "the recording ended first"
            exchange.ended = exchange.ended or now
            self._end(exchange)
