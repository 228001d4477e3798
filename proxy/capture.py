"""Records exchanges off the relay path: a queue, one thread, and a clock.

The relay puts an exchange on the queue and goes on; everything that takes time (decoding, parsing,
masking, hashing, compressing, writing) happens here. Whatever goes wrong with one exchange costs
that exchange its meaning, never its bytes, and never the agent its answer.
"""

from __future__ import annotations

import logging
import queue
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple, Protocol

from traceproof.proxy.consents import GOING_ON, Consents, always
from traceproof.proxy.exchange import Exchange
from traceproof.proxy.intake import Intake, IntakeContext
from traceproof.proxy.intakes import new_intake
from traceproof.proxy.websocket.intake import opens

_COURTESY = 0.02
"""Seconds to wait before a single piece of work: just then the relay wants the interpreter.

A request has come whole and its answer is about to begin, or an answer has ended and the agent asks
again at once. Where work is waiting behind this one, there is no use in waiting too.
"""

_SWITCH_INTERVAL = 0.0001
"""Seconds until the interpreter asks one thread to let another go on; Python's own are 0.005.

The relay gives the interpreter away with every system call, and would wait so long for each while
this thread works. Measured at 20 streams: first byte after 5 ms instead of 29, a quarter more
streams a second, at the same CPU time.
"""

log = logging.getLogger(__name__)

_TICK = 0.5
"""Seconds between looks at the calls in flight, so that what has arrived gets to disk."""

_FAULTS = 100
"""Faults that are told one by one; each is in the log."""


class _Work(NamedTuple):
    """What is to be done; `at_once` where somebody waits for it."""

    action: Callable[[], None]
    at_once: bool = False


class Place(NamedTuple):
    """Where an exchange is recorded, and whether it may be."""

    context: IntakeContext
    consents: Consents


class Sessions(Protocol):
    """Knows which session an exchange is of; all but `admits` is asked on the recorder's thread."""

    @property
    def busy(self) -> bool:
        """Whether `look` is to be called while no call is in flight too."""

    def admits(self, exchange: Exchange) -> bool:
        """Tell, on the relay's thread, whether an exchange that begins can be recorded at all."""

    def choose(self, exchange: Exchange) -> Place | None:
        """Return where an exchange is recorded, its request being whole; None if nowhere."""

    def done(self, exchange: Exchange) -> None:
        """Take note that an exchange has ended and nothing is left to record of it."""

    def look(self) -> None:
        """Do what is due; called about twice a second."""


class OneSession:
    """All exchanges are of one session."""

    busy = False

    def __init__(self, context: IntakeContext, consents: Consents = always) -> None:
        self._place = Place(context, consents)

    def admits(self, exchange: Exchange) -> bool:
        """Tell whether there is consent; a web socket may outlast the pause it is opened in."""
        return opens(exchange) or self._place.consents(exchange.started, GOING_ON)

    def choose(self, exchange: Exchange) -> Place | None:
        """Return the session, if there is consent."""
        return self._place if self.admits(exchange) else None

    def done(self, exchange: Exchange) -> None:
        """Do nothing."""

    def look(self) -> None:
        """Do nothing."""


class _Call(NamedTuple):
    """A call in flight."""

    intake: Intake
    consents: Consents


class Capture:
    """A `Sink` that turns exchanges into spans.

    `refuses` says whether agents' calls must be refused because recording failed.
    """

    def __init__(
        self,
        sessions: Sessions | IntakeContext,
        *,
        consents: Consents = always,
        refuses: Callable[[], bool | str] = lambda: False,
    ) -> None:
        """Record in these sessions; or in one context, whenever it `consents`."""
        if isinstance(sessions, IntakeContext):
            sessions = OneSession(sessions, consents)
        self._sessions = sessions
        self._refuses = refuses
        self._queue: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        self._hurry = threading.Event()
        self._calls: dict[Exchange, _Call] = {}
        self._unrecorded: set[Exchange] = set()
        self._ticked = 0.0
        self.faults: list[str] = []
        """What went wrong while recording, one line each; the bytes are kept all the same."""
        self.fault_count = 0
        """How often that was, even where it is not listed."""
        self._thread = threading.Thread(target=self._run, name="traceproof-capture", daemon=True)
        self._thread.start()

    # --- called by the relay ----------------------------------------------------------------------

    def request_started(self, exchange: Exchange) -> None:
        """Note whether this exchange may be recorded."""
        if not self._sessions.admits(exchange):
            self._unrecorded.add(exchange)

    def request_ended(self, exchange: Exchange) -> None:
        """Queue the request."""
        if exchange not in self._unrecorded:
            self.run(lambda: self._begin(exchange))

    def response_started(self, exchange: Exchange) -> None:
        """Do nothing: the next look at the calls in flight sees it."""

    def ended(self, exchange: Exchange) -> None:
        """Queue the end."""
        self.run(lambda: self._end(exchange))

    def refuses(self) -> bool | str:
        """Tell the relay whether (and perhaps why) to refuse calls."""
        return self._refuses()

    # --- called by the recording ------------------------------------------------------------------

    def run(self, action: Callable[[], None], *, at_once: bool = False) -> None:
        """Run `action` on the recorder's thread, after what was queued before it.

        `at_once` says that somebody waits for it, so that no courtesy is due meanwhile.
        """
        self._queue.put(_Work(action, at_once))
        if at_once:
            self._hurry.set()

    def close(self) -> None:
        """Finish what is queued, end the calls still in flight as they are, and stop."""
        self.run(self._abandon)
        self._queue.put(None)
        self._thread.join()

    # --- on the recorder's thread -----------------------------------------------------------------

    def _run(self) -> None:
        sys.setswitchinterval(_SWITCH_INTERVAL)
        while self._step():
            if time.monotonic() - self._ticked >= _TICK:
                self._guard(self._look)

    def _step(self) -> bool:
        """Do what comes first in the queue; False when that is the end."""
        waits = self._calls or self._sessions.busy
        try:
            work = self._queue.get(timeout=_TICK if waits else None)
        except queue.Empty:
            return True
        if work is None:
            return False
        if work.at_once:
            self._hurry.clear()
        elif self._queue.empty():
            self._hurry.wait(_COURTESY)
        self._guard(work.action)
        return True

    def _guard(self, action: Callable[[], None]) -> bool:
        try:
            action()
        except Exception as error:  # noqa: BLE001 - whatever it was, the next exchange is recorded
            self._note(error)
            return False
        return True

    def _note(self, error: Exception) -> None:
        """Note what went wrong with one exchange."""
        log.error("recording failed for one exchange", exc_info=error)
        self.fault_count += 1
        if len(self.faults) < _FAULTS:
            self.faults.append(f"{type(error).__name__} while recording: see the log")

    def _begin(self, exchange: Exchange) -> None:
        place = self._sessions.choose(exchange)
        if place is None:
            self._unrecorded.add(exchange)
            return
        intake = new_intake(exchange, place.context, place.consents, self._note)
        self._calls[exchange] = _Call(intake, place.consents)
        if not self._guard(intake.begin):
            intake.distrust()

    def _end(self, exchange: Exchange) -> None:
        try:
            self._finish(exchange)
        finally:
            self._sessions.done(exchange)

    def _finish(self, exchange: Exchange) -> None:
        if exchange not in self._calls and exchange not in self._unrecorded:
            self._begin(exchange)
        if exchange in self._unrecorded:
            self._unrecorded.discard(exchange)
            return
        intake, consents = self._calls.pop(exchange)
        if not intake.agreed(consents, exchange.ended):
            intake.forget()
        elif not self._guard(intake.end):
            intake.distrust()
            intake.end()

    def _look(self) -> None:
        self._ticked = time.monotonic()
        for intake, consents in self._calls.values():
            if intake.agreed(consents, GOING_ON) and not self._guard(intake.look):
                intake.distrust()
        self._sessions.look()

    def _abandon(self) -> None:
        now = time.time_ns()
        for exchange in list(self._calls):
            exchange.error = exchange.error or "the recording ended first"
            exchange.ended = exchange.ended or now
            self._guard(partial(self._end, exchange))
