"""The sessions of a shared proxy: opened at their first call, closed when idle or at the end.

One that comes back after it was closed gets a new file, which is linked to the earlier one.
"""

from __future__ import annotations

import logging
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain
from threading import Lock

from traceproof.proxy.capture import Place
from traceproof.proxy.consents import GOING_ON
from traceproof.proxy.exchange import Exchange
from traceproof.proxy.team.joining import Joined, Joiner, Key
from traceproof.proxy.team.meter import Meter
from traceproof.proxy.team.room import Room
from traceproof.proxy.websocket.intake import opens
from traceproof.recorder import secrets
from traceproof.recorder.consent import State
from traceproof.recorder.flushtimer import TimerThread
from traceproof.recorder.secrets import Secret
from traceproof.recorder.span import Link
from traceproof.resource import resource
from traceproof.team.opened import Opened, Opening
from traceproof.team.settings import TeamSettings

MOST_OPEN = 2_000
"""Sessions that are open at once; for one more, the one that was quiet for longest is closed."""

MOST_EARLIER = 10_000
"""Closed sessions remembered, so that one that comes back can be linked."""

QUIET = 20.0
"""Seconds without a call after which a session gives memory back."""

CLOSERS = 4
"""Threads that close files: each waits for the disk, and calls must not wait for that."""

log = logging.getLogger(__name__)


@dataclass
class Totals:
    """What is counted over all sessions."""

    sessions: int = 0
    calls: int = 0
    lost: int = 0
    """Spans of closed sessions that were dropped, and files that are not whole."""
    unrecorded: Counter[str] = field(default_factory=Counter)
    """Calls that passed without a record: `no room`, `lag`, or `consent`."""


class TeamSessions:
    """Chooses, opens and closes sessions; used from the recorder's thread but for `admits`."""

    def __init__(
        self,
        settings: TeamSettings,
        *,
        meter: Meter,
        room: Room,
        secrets_of: Callable[[str], list[Secret]],
        most: int = MOST_OPEN,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Record into the settings' store; `secrets_of` gives the token of a user.

        At `most` so many sessions are open, if there are not more calls under way.
        """
        self.totals = Totals()
        self._settings = settings
        self._meter = meter
        self._room = room
        self._secrets_of = secrets_of
        self._most = min(most, MOST_OPEN)
        self._clock = clock
        self._known = secrets.from_environment(settings.environment)
        self._timers = TimerThread()
        self._opening = Opening(settings, resource(), self._timers, self._failing)
        self._joiner = Joiner()
        self._open: dict[Key, Opened] = {}
        self._in_flight: dict[Exchange, tuple[Joined, Opened]] = {}
        self._earlier: OrderedDict[Key, Link] = OrderedDict()
        self._excluded: set[Key] = set()
        self._closer = ThreadPoolExecutor(CLOSERS, "traceproof-close")
        self._closing: dict[Opened, Future[bool]] = {}
        self._counting = Lock()  # the relay's thread counts too

    @property
    def busy(self) -> bool:
        """Whether a session is open, which may have to be closed."""
        return bool(self._open or self._closing)

    @property
    def count(self) -> int:
        """How many sessions are open."""
        return len(self._open)

    @property
    def lost(self) -> int:
        """How many spans were dropped."""
        there = [*list(self._open.values()), *list(self._closing)]
        return self.totals.lost + sum(each.writer.lost for each in there)

    @property
    def problem(self) -> OSError | None:
        """What keeps a session's bytes from the disk, if anything does.

        What a disk has lost for good keeps nothing else from it.
        """
        found = (each.writer.blocked for each in list(self._open.values()))
        return next(filter(None, found), None)

    def admits(self, _exchange: Exchange) -> bool:
        """Tell, on the relay's thread, whether there is room for one more call."""
        takes = self._room.takes(self._meter.waiting)
        if not takes:
            self._unrecorded("lag")
        return takes

    def choose(self, exchange: Exchange) -> Place | None:
        """Return the session of an exchange, opened if need be; None where it is not recorded."""
        if exchange in self._in_flight:  # asked again, after a fault of the recorder
            _, known = self._in_flight[exchange]
            return Place(known.context, known.consents)
        joined = self._joiner.join(exchange, self._open.keys())
        session = self._open.get(joined.key) or self._begin(exchange, joined)
        if session is None or not _consents(session, exchange):
            self._unrecorded("consent")
            return None
        session.calls += 1
        session.resting = False
        self.totals.calls += 1
        self._in_flight[exchange] = joined, session
        return Place(session.context, session.consents)

    def done(self, exchange: Exchange) -> None:
        """Take note of the end of an exchange."""
        self._meter.recorded(exchange)
        joined, session = self._in_flight.pop(exchange, (None, None))
        if joined is not None and session is not None:
            session.calls -= 1
            session.used = self._clock()
            session.ended = max(session.ended, exchange.ended)
            self._joiner.ended(exchange, joined)

    def look(self) -> None:
        """Close what has been idle for long, and let rest what is quiet."""
        self._reap()
        now = self._clock()
        for session in list(self._open.values()):
            quiet = now - session.used if not session.calls else 0.0
            if quiet > self._settings.idle and self._may_end(session):
                self._end(session)
            elif quiet > QUIET:
                session.rest()

    def close(self) -> None:
        """Close every session; the recorder must have stopped."""
        for session in list(self._open.values()):
            self._end(session)
        self._closer.shutdown()
        self._reap()
        self._timers.stop()

    def _begin(self, exchange: Exchange, joined: Joined) -> Opened | None:
        """Open a session; None where its file cannot be made, or it was excluded for good."""
        key = joined.key
        if key in self._excluded:
            return None
        if len(self._open) >= self._most:
            self._make_way()
        known = chain(self._known, self._secrets_of(key.user))
        try:
            session = Opened(self._opening, joined, exchange.started, known, self._earlier.get(key))
        except OSError as error:
            log.warning("a session could not be opened: %s", error)
            self._failing(error)
            return None
        session.used = self._clock()
        self._open[key] = session
        self.totals.sessions += 1
        return session

    def _make_way(self) -> None:
        """End the session that has been quiet for longest, if there is one without a call."""
        quiet = [each for each in self._open.values() if not each.calls and self._may_end(each)]
        if quiet:
            self._end(min(quiet, key=lambda session: session.used))

    def _may_end(self, session: Opened) -> bool:
        """Tell whether a session may be ended that has no calls.

        Not while it is paused, which is no idleness; nor while the disk takes nothing, since what
        waits to be written would be lost.
        """
        return session.state is not State.PAUSED and session.writer.blocked is None

    def _end(self, session: Opened) -> None:
        """End a session, whatever goes wrong with it, and have its file closed."""
        del self._open[session.key]
        self._joiner.forget(session.key)
        if session.state is State.EXCLUDED:
            self._excluded.add(session.key)
        elif session.key.join == "exact":
            self._earlier[session.key] = session.link
            if len(self._earlier) > MOST_EARLIER:
                self._earlier.popitem(last=False)
        try:
            session.end()
        except Exception:
            log.exception("a session did not end well: %s", session.writer.path)
            self.totals.lost += 1
        self._closing[session] = self._closer.submit(session.close)

    def _reap(self) -> None:
        """Take note of the files that have been closed."""
        for session, closed in list(self._closing.items()):
            if closed.done():
                del self._closing[session]
                try:
                    whole = closed.result()
                except Exception:
                    log.exception("a trace could not be closed: %s", session.writer.path)
                    whole = False
                self.totals.lost += session.writer.lost + (not whole)

    def _unrecorded(self, otherwise: str) -> None:
        """Count a call that passes without a record, by why that is so."""
        with self._counting:
            self.totals.unrecorded["no room" if self._room.problem else otherwise] += 1

    def _failing(self, error: OSError) -> None:
        self._room.trouble(f"{self._settings.store.traces_path}: {error.strerror or error}")


def _consents(session: Opened, exchange: Exchange) -> bool:
    """Tell whether a call may be recorded; a web socket may outlast the pause it is opened in."""
    if session.consents(exchange.started, GOING_ON):
        return True
    return opens(exchange) and session.state is State.PAUSED
