"""How far long work has come, on a terminal; nothing in a pipe."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.text import Text

from traceproof import render

_EVERY = 0.1


class Progress:
    """One line on stderr that is written over, and is gone at the end; a context manager."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or render.console(stderr=True)
        self._shown = self._console.is_terminal
        self._status = self._console.status("", spinner="dots") if self._shown else None
        self._due = 0.0

    def __enter__(self) -> Self:
        if self._status is not None:
            self._status.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._status is not None:
            self._status.stop()

    def say(self, text: str, *, now: bool = False) -> None:
        """Show a text, at most ten times a second unless `now`."""
        if self._status is None or (time.monotonic() < self._due and not now):
            return
        self._due = time.monotonic() + _EVERY
        self._status.update(Text(render.brief(text)))  # plain text would be read as markup
