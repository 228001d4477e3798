"""Whether there is room to record in: a quota, a disk that takes bytes, and a bounded backlog.

It is told what was measured and says what follows; it measures nothing, and removes nothing ever.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

WARN_AT = 0.9
LAG_LIMIT = 256 << 20
"""Bytes that ended calls may have waiting before the next request is held back."""

LAG_MOST = 2 * LAG_LIMIT
"""Bytes from which on nothing more is taken: holding back did not help."""

LAG_SECONDS = 0.25
"""How old the oldest call may be that ended and is not recorded yet, before requests are held back.

What is held back leaves the machine to the recorder. So a call is on disk a second after it ended,
however busy the machine is.
"""

LAG_HOPELESS = 10.0
"""Seconds from which on holding back for its sake helps nobody: something else is wrong."""

LAG_STUCK = 60.0
"""Seconds from which on nothing is held back at all: the disk hangs, and agents must not."""

PAUSE = 0.05
"""Seconds that a request is held back at a time."""

_UNITS = {"": 1, "B": 1}
_UNITS |= {f"{unit}B": 1000**power for power, unit in enumerate("KMGT", 1)}
_UNITS |= {f"{unit}IB": 1024**power for power, unit in enumerate("KMGT", 1)}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)")
_STEP = 1000


class Room:
    """What is known of the room; `problem` says why nothing can be recorded now, or is empty."""

    def __init__(
        self,
        quota: int | None,
        *,
        on_failure: Literal["open", "closed"] = "open",
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.quota = quota
        self.used = 0
        self.problem = ""
        self._closed = on_failure == "closed"
        self._say = say
        self._warned = False

    def measure(self, used: int, trouble: str = "") -> None:
        """Take what the store holds in bytes, and what keeps it from being written, if anything."""
        self.used = used
        full = self.quota is not None and used >= self.quota
        self._set(f"the quota of {size(self.quota or 0)} is used up" if full else trouble)
        self._warn(full=full)

    def trouble(self, why: str) -> None:
        """Take note that writing has just failed; the next measurement tells if it goes on."""
        self._set(why)

    def hold(self, waiting: int, lag: float) -> float:
        """Return for how many seconds a request is to wait.

        Args:
            waiting: Bytes that wait to be recorded.
            lag: Seconds since the oldest of them came.
        """
        late = LAG_SECONDS < lag < LAG_HOPELESS
        much = waiting > LAG_LIMIT and lag < LAG_STUCK
        return PAUSE if late or much else 0.0

    def takes(self, waiting: int) -> bool:
        """Tell whether one more call can be recorded, given the bytes that wait already."""
        return not self.problem and waiting <= LAG_MOST

    def _set(self, problem: str) -> None:
        if problem and problem != self.problem:
            then = "are refused" if self._closed else "pass unrecorded"
            self._say(f"{problem}: from now on calls {then}")
        elif self.problem and not problem:
            self._say("there is room again: calls are recorded")
        self.problem = problem

    def _warn(self, *, full: bool) -> None:
        near = self.quota is not None and self.used >= WARN_AT * self.quota
        if near and not full and not self._warned:
            share = 100 * self.used / (self.quota or 1)
            self._say(f"{share:.0f} % of the quota of {size(self.quota or 0)} is used")
        self._warned = near


def parse_size(text: str) -> int:
    """Read a size such as `20GB` or `512 MiB`.

    >>> parse_size("20GB"), parse_size("1.5 KiB")
    (20000000000, 1536)

    Raises:
        ValueError: it is none, or nothing.
    """
    found = _SIZE.fullmatch(text.strip())
    unit = _UNITS.get(found[2].upper()) if found else None
    count = int(float(found[1]) * unit) if found and unit else 0
    if count <= 0:
        raise ValueError(f"a size is a number and a unit, such as 20GB or 512MiB, not {text!r}")
    return count


def size(count: int) -> str:
    """Return a size for people.

    >>> size(20_000_000_000), size(1_536)
    ('20.0 GB', '1.5 KB')
    """
    value, unit = float(count), "B"
    for larger in ("KB", "MB", "GB", "TB"):
        if value < _STEP:
            break
        value, unit = value / _STEP, larger
    return f"{count} B" if unit == "B" else f"{value:.1f} {unit}"
