"""Times as a transcript tells them, and an order where it tells none."""

from __future__ import annotations

from datetime import UTC, datetime

_STEP = 1_000
"""Nanoseconds between things of which only the order is known."""

_LATEST = (1 << 63) - 1


class Clock:
    """Turns told times into times of spans; `first` and `last` are those it gave.

    What has no time of its own comes right after what was before it. `base` (Unix nanoseconds) is
    the beginning where nothing at all has a time.
    """

    def __init__(self, base: int) -> None:
        self._base = base
        self._now = 0
        self.first = base
        self.last = 0
        self.told = self.untold = 0

    def read(self, time: int) -> int:
        """Return the time of the next thing; 0 is none."""
        if 0 < time <= _LATEST:
            self.told += 1
            self._now = time
        else:
            self.untold += 1
            self._now = (self._now or self._base) + _STEP
        seen = self.told + self.untold > 1
        self.first = min(self.first, self._now) if seen else self._now
        self.last = max(self.last, self._now)
        return self._now

    def let_pass(self, duration: int) -> None:
        """Move on by some nanoseconds, where durations are told and times are not."""
        self._now = (self._now or self._base) + max(0, duration)

    @property
    def worth(self) -> str:
        """Say what the times are worth: `told`, `partial` or `order`."""
        if not self.told:
            return "order"
        return "partial" if self.untold > self.told else "told"


def from_iso(value: object) -> int:
    """Read a time such as `2026-01-31T12:00:00.123Z`; what is none, or in 2262 or later, is 0."""
    if not isinstance(value, str):
        return 0
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return 0
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    try:
        since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    except OverflowError:
        return 0
    time = (since.days * 86_400 + since.seconds) * 10**9 + since.microseconds * 1_000
    return time if 0 < time <= _LATEST else 0


def from_seconds(value: object) -> int:
    """Read a number of seconds (since 1970, or of a duration); what is none is 0."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    if not 0 < value < _LATEST / 10**9:  # NaN is not either
        return 0
    return int(value * 10**6) * 1_000 if isinstance(value, float) else value * 10**9
