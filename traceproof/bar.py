"""A progress bar on stderr, for long work: on a terminal alone, and gone when the work has ended.

What is said of the work may be other people's text: no control character of it gets through.
"""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from traceproof import render

_BRIEF = 72
"""Characters of what is being done, so that the bar has room beside it."""


class Bar:
    """Shows how far it is, and says lines that stay; a context manager."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or render.console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
            transient=True,
        )
        self._task = self._progress.add_task("", total=None)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def say(self, text: str) -> None:
        """Print a line that stays."""
        self._console.print(Text(render.clean(text)), soft_wrap=True)

    def doing(self, text: str) -> None:
        """Say what is being done just now, on a terminal."""
        self._progress.update(self._task, description=render.brief(render.clean(text), _BRIEF))
