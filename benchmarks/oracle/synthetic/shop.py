"""A shop, for tests that depend on what is around them; what they share is here on purpose."""

from __future__ import annotations

import threading
from datetime import date

SETTINGS: dict[str, str] = {}
PLUGINS: list[str] = []


def a_year_on(day: date) -> date:
    """Return the same day of the next year; there is none for 29 February, which is the bug."""
    return day.replace(year=day.year + 1)


class Stock:
    """How much there is; `add` loses updates of other threads, which is the bug."""

    def __init__(self) -> None:
        self.items = 0
        self.lock = threading.Lock()

    def add(self, times: int) -> None:
        """Read, compute and write back, with room for another thread in between."""
        for _ in range(times):
            self.items = plus_one(self.items)

    def add_safely(self, times: int) -> None:
        """Do the same with nobody in between."""
        for _ in range(times):
            with self.lock:
                self.items = plus_one(self.items)


def plus_one(number: int) -> int:
    """Return one more: a call, at whose beginning Python may switch threads."""
    return number + 1
