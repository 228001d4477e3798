"""What came of a step replay, step by step, and of the whole.

Pure. A replay in which too much had to be normalised is none: its answer is `differs`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final, Literal, TypeAlias

import msgspec

from traceproof.replay.steps.compare import Line, Use
from traceproof.replay.steps.plan import Kind
from traceproof.replay.steps.rules import LEAVING_OUT, RULES

Status: TypeAlias = Literal["same", "normalised", "differs", "skipped"]

THRESHOLD: Final = 0.5
"""The share of the compared bytes of output that rules may touch; above it the answer is no."""


Difference: TypeAlias = Literal["missing", "extra", "content", "mode", "kind"]


class Path(msgspec.Struct, frozen=True, kw_only=True):
    """A path of the workspace that is not as recorded."""

    path: str
    what: Difference
    recorded: str = ""
    replayed: str = ""
    """Git's mode and hash; empty for nothing."""


class Step(msgspec.Struct, kw_only=True):
    """One step."""

    number: int
    kind: Kind
    name: str
    """The command, or what made a change and the paths."""
    status: Status = "same"
    why: str = ""
    """Why it was skipped, or what differs first, in words."""
    span: str = ""
    tool: str = ""
    agent: str = ""
    snapshots: tuple[int, ...] = ()
    """What it changed, as `traceproof checkout --step` counts."""
    exit_recorded: str = ""
    exit_replayed: str = ""
    """The code, or the signal."""
    seconds_recorded: float = 0.0
    seconds_replayed: float = 0.0
    lines: list[Line] = []
    """The first line that differs, for each stream where one does."""
    bytes: int = 0
    """Of the recorded output: what was compared."""
    rules: list[Use] = []
    tree_recorded: str = ""
    tree_replayed: str = ""
    """Empty where it was not compared."""
    paths: list[Path] = []
    after: list[int] = []
    """Skipped steps before a step that differs: it may depend on them."""
    notes: list[str] = []

    @property
    def share(self) -> float:
        """The share of the compared bytes that rules touched."""
        return share(self.rules, self.bytes)


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule, and how often it was needed in all."""

    rule: str
    meaning: str
    count: int
    bytes: int
    share: float
    """Of the compared bytes; 0 for what leaves lines out of the comparison."""


class Report(msgspec.Struct, kw_only=True):
    """The whole."""

    answer: Literal["same", "normalised", "differs", "nothing"]
    """`nothing`: no step could be replayed."""
    reason: str
    first: int | None
    """The first step that differs."""
    steps: list[Step]
    counts: dict[Status, int]
    bytes: int
    share: float
    threshold: float
    rules: list[Rule]
    notes: list[str] = []
    trace: str = ""
    workspace: str = ""
    commit: str = ""
    start: str = ""
    """The hash of the tree that the first step began with."""
    sandbox: str = ""
    isolation: str = ""
    image: str = ""
    """The engine's id of what the box was started from, or its folder."""
    environment: str = ""
    """The digest of the environment's lock."""

    @property
    def is_yes(self) -> bool:
        """Whether all that could be replayed came out as recorded."""
        return self.answer in ("same", "normalised")


def report(steps: Sequence[Step], notes: Sequence[str] = ()) -> Report:
    """Put the steps together."""
    size = sum(step.bytes for step in steps)
    rules = list(_totals(steps, size))
    part = share([use for step in steps for use in step.rules], size)
    counts = Counter(step.status for step in steps)
    none: dict[Status, int] = {"same": 0, "normalised": 0, "differs": 0, "skipped": 0}
    first = next((step for step in steps if step.status == "differs"), None)
    answer: Literal["same", "normalised", "differs", "nothing"]
    if first is not None:
        answer, reason = "differs", f"step {first.number} differs: {first.why}"
    elif counts["skipped"] == len(steps):
        answer, reason = "nothing", "no step could be replayed"
    elif part > THRESHOLD:
        answer = "differs"
        reason = (
            f"{part:.0%} of the output was normalised away, and {THRESHOLD:.0%} is the most that "
            "may be: what is left shows too little"
        )
    else:
        answer = "normalised" if counts["normalised"] else "same"
        reason = _told(counts)
    return Report(
        answer=answer,
        reason=reason,
        first=first.number if first else None,
        steps=list(steps),
        counts=none | counts,
        bytes=size,
        share=part,
        threshold=THRESHOLD,
        rules=rules,
        notes=list(notes),
    )


def share(uses: Sequence[Use], size: int) -> float:
    """Return which share of what was compared the rules touched.

    Lines that were left out are no part of it; if nothing else is there, it is all of it.
    """
    touched = sum(use.bytes for use in uses if use.rule not in LEAVING_OUT)
    left_out = any(use.bytes for use in uses if use.rule in LEAVING_OUT)
    return touched / size if size else float(left_out)


def _totals(steps: Sequence[Step], size: int) -> list[Rule]:
    counts, sizes = Counter[str](), Counter[str]()
    for step in steps:
        for use in step.rules:
            counts[use.rule] += use.count
            sizes[use.rule] += use.bytes
    return [
        Rule(
            rule=name,
            meaning=meaning,
            count=counts[name],
            bytes=sizes[name],
            share=sizes[name] / size if size and name not in LEAVING_OUT else 0.0,
        )
        for name, meaning in RULES.items()
    ]


def _told(counts: Counter[Status]) -> str:
    parts = [f"{counts[status]} {status}" for status in ("same", "normalised") if counts[status]]
    skipped = f", {counts['skipped']} skipped" if counts["skipped"] else ""
    return " and ".join(parts) + skipped
