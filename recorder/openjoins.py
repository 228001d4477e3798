"""Commands that are not settled, and the tool calls that they may belong to: what is kept of each.

Which belongs to which, `traceproof.recorder.commandjoin` finds out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from traceproof.recorder.commandtext import Fit, Script, Wanted
from traceproof.recorder.shell.command import CommandStart

_MOMENT = 1_000_000_000
_NEW_PIDS = 1 << 14
"""Nanoseconds, and process ids: commands that are closer than both are told apart by the latter."""

_LINES = 5
"""Lines of a command's output that are looked for in a result."""


class Place(NamedTuple):
    """A tool call as a command can hang on it: its span, and the agent that asked."""

    span_id: str
    agent_id: str


@dataclass(eq=False, slots=True)
class Join:
    """Where one command belongs, as far as that is known.

    `how` is `exact` or `inferred` where there is a `place`, else "". `settled` says that it stays.
    """

    start: CommandStart
    script: Script
    askers: frozenset[str]
    """The model calls that were in flight when it began: their answers may ask for it."""
    open_tools: frozenset[str]
    """The tool calls that were open when it began."""
    waits_for: set[str]
    """Those of `askers` that are in flight still."""
    agent_span: str
    """The span of the agent's own that it names, which may come later; "" where it names none."""
    place: Place | None = None
    how: str = ""
    settled: bool = False
    ended: int = 0
    lines: tuple[str, ...] = ()
    """The first lines that it wrote, once it has ended."""
    ambiguous: bool = False
    """Whether another tool call would fit as well."""
    fit: Fit = Fit.NONE
    text: str = ""
    """What of the tool call it was taken for."""
    fits: dict[str, tuple[Fit, str]] = field(default_factory=dict)
    """How well it fits each tool call; looked at often, worked out once."""

    @property
    def is_sure(self) -> bool:
        """Whether only what the agent itself says could change where it belongs."""
        return not (self.waits_for or self.ambiguous) and self.fit > Fit.WITHIN

    def end(self, time: int, outputs: Iterable[str | bytes]) -> None:
        """Take its end, and what it wrote, as far as that is short."""
        texts = [output for output in outputs if isinstance(output, str)]
        lines = (line.strip() for text in texts for line in text.splitlines()[:_LINES])
        self.ended, self.lines = time, tuple(filter(None, lines))

    def fit_with(self, tool: AskedTool) -> tuple[Fit, str]:
        """Return how well it fits a tool call, and which of its texts."""
        known = self.fits.get(tool.place.span_id)
        if known is None:
            known = self.fits[tool.place.span_id] = tool.wanted.fit(self.script)
        return known


@dataclass(eq=False, slots=True)
class AskedTool:
    """A tool call that commands may belong to; `result` is what came of it, once it is over."""

    place: Place
    call_id: str
    chat_span_id: str
    wanted: Wanted
    over: bool = False
    result: str = ""
    taken: Counter[str] = field(default_factory=Counter)
    """For how many commands each of its texts has been taken."""
    firm: Counter[str] = field(default_factory=Counter)
    """And for how many of those it stays so."""


def in_order(joins: list[Join]) -> list[Join]:
    """Sort commands by when they were started.

    Those of one moment are told by their process ids: which of two processes comes first to say
    when it began is chance. Where ids begin anew there is no telling.
    """
    by_time = sorted(joins, key=lambda join: join.start.started)
    ordered: list[Join] = []
    while by_time:
        start = by_time[0].start.started
        together = [join for join in by_time if join.start.started < start + _MOMENT]
        by_time = by_time[len(together) :]
        pids = [join.start.pid for join in together]
        if max(pids) - min(pids) < _NEW_PIDS:
            together.sort(key=lambda join: join.start.pid)
        ordered += together
    return ordered


def tells(tool: AskedTool, join: Join) -> int:
    """Tell whether a call's result has what a command wrote: 1, -1 if it has not, else 0."""
    if not (tool.result and join.lines):
        return 0
    return 1 if all(line in tool.result for line in join.lines) else -1
