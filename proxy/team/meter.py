"""Counts what passes between the relay and the recorder, and how far the recorder is behind.

A sink around a sink. The relay's thread and the recorder's each write figures of their own, so none
needs a lock.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Iterable
from typing import NamedTuple

from traceproof.proxy.exchange import Chunk, Exchange, Sink
from traceproof.proxy.journal import STOPPED
from traceproof.proxy.results import failure


class Ended(NamedTuple):
    """An exchange that ended and waits for the recorder."""

    exchange: Exchange
    time: float
    size: int


class Meter:
    """A sink that passes everything on to another, and counts."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, str]] = Counter()
        """Exchanges that ended, by HTTP status ("0": no answer) and state."""
        self.bytes_in = 0
        """Bytes of requests."""
        self.bytes_out = 0
        """Bytes of answers."""
        self.refused = 0
        """Requests that were refused because they could not be recorded."""
        self.stopped = 0
        """Exchanges that the end of the proxy cut off."""
        self.begun = 0
        self.ended_count = 0
        self._waiting: deque[Ended] = deque()
        self._queued = 0
        self._recorded = 0
        self._sink: Sink | None = None

    def around(self, sink: Sink) -> Meter:
        """Pass everything on to this sink from now on."""
        self._sink = sink
        return self

    @property
    def live(self) -> int:
        """Exchanges under way."""
        return self.begun - self.ended_count

    @property
    def waiting(self) -> int:
        """Bytes of exchanges that ended and are not recorded yet."""
        return self._queued - self._recorded

    @property
    def lag(self) -> float:
        """Seconds since the oldest of them ended; 0 when none waits."""
        try:
            return max(time.monotonic() - self._waiting[0].time, 0.0)
        except IndexError:
            return 0.0

    # --- called by the relay ----------------------------------------------------------------------

    def request_started(self, exchange: Exchange) -> None:
        """Count a request."""
        self.begun += 1
        self._to.request_started(exchange)

    def request_ended(self, exchange: Exchange) -> None:
        """Pass it on."""
        self._to.request_ended(exchange)

    def response_started(self, exchange: Exchange) -> None:
        """Pass it on."""
        self._to.response_started(exchange)

    def ended(self, exchange: Exchange) -> None:
        """Count what passed, and how it ended."""
        self.ended_count += 1
        self.stopped += exchange.error == STOPPED
        sent = exchange.request_taken + _size(exchange.request_chunks)
        received = exchange.response_taken + _size(exchange.response_chunks)
        self.bytes_in += sent
        self.bytes_out += received
        state, _, _ = failure(exchange, complete=not exchange.error)
        self.requests[str(exchange.status), state] += 1
        self._waiting.append(Ended(exchange, time.monotonic(), sent + received))
        self._queued += sent + received
        self._to.ended(exchange)

    def refuses(self) -> bool | str:
        """Count a refusal."""
        refused = self._to.refuses()
        self.refused += bool(refused)
        return refused

    @property
    def _to(self) -> Sink:
        if self._sink is None:
            raise RuntimeError("the meter is around nothing")
        return self._sink

    # --- called by the recorder -------------------------------------------------------------------

    def recorded(self, exchange: Exchange) -> None:
        """Take note that the recorder is done with an exchange; it is the one that ended first."""
        if self._waiting and self._waiting[0].exchange is exchange:
            self._recorded += self._waiting.popleft().size


def _size(chunks: Iterable[Chunk]) -> int:
    return sum(len(chunk.data) for chunk in chunks)
