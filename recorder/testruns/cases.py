"""What a test run came to: its cases and its counts, whichever tool ran it.

Plain values, no names of the trace format: replay and verify read them as the recorder does.
"""

from __future__ import annotations

from collections import Counter
from enum import StrEnum

import msgspec


class Status(StrEnum):
    """How a case ended, in the finest words that the tools have in common."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    """It did not come to a verdict: set-up, tear-down, collection or compilation failed."""
    SKIPPED = "skipped"
    XFAILED = "xfailed"
    """It failed, as was expected of it."""
    XPASSED = "xpassed"
    """It passed, which was not expected, and the tool lets that pass."""
    UNKNOWN = "unknown"
    """It began, and nothing tells how it ended."""

    @property
    def passes(self) -> bool | None:
        """Whether this counts as a pass; None where it is neither a pass nor a failure."""
        if self in (Status.SKIPPED, Status.UNKNOWN):
            return None
        return self not in (Status.FAILED, Status.ERROR)


class Verdict(StrEnum):
    """How a run as a whole ended: OpenTelemetry's `test.suite.run.status`."""

    SUCCESS = "success"
    FAILURE = "failure"
    SKIPPED = "skipped"
    """Nothing was run."""
    ABORTED = "aborted"
    TIMED_OUT = "timed_out"


class Case(msgspec.Struct):
    """One case of a run.

    `seconds` is what the tool says it took. `message` is short: why it failed or was skipped.
    `phase` says where an error was: `setup`, `teardown`, `collect`. `attempts` counts how often it
    ran, where the tool ran it again. `ended` is in Unix nanoseconds, 0 where that is not known.
    """

    name: str
    status: Status
    seconds: float | None = None
    message: str = ""
    file: str = ""
    line: int = 0
    phase: str = ""
    attempts: int = 1
    ended: int = 0


class Run(msgspec.Struct):
    """One run of a test tool.

    `cases` may be fewer than `counts` says: many tools name only what failed. `counts` is by status
    and comes from the tool's own summary where there is one; `summary` says so. `verdict` is None
    where nothing tells. `facts` is what else the tool said, by plain names: `collected`, `seed`, ….
    `started` and `ended` are in Unix nanoseconds, 0 where they are not known.
    """

    framework: str
    version: str = ""
    cases: list[Case] = []
    counts: dict[Status, int] = {}
    summary: bool = False
    verdict: Verdict | None = None
    seconds: float | None = None
    facts: dict[str, str | int | float | bool | list[str]] = {}
    started: int = 0
    ended: int = 0

    @property
    def total(self) -> int:
        """How many cases there were, as far as is known."""
        return sum(self.counts.values())


def count(cases: list[Case]) -> dict[Status, int]:
    """Count cases by how they ended; what there was none of is left out."""
    return dict(Counter(case.status for case in cases))


def counted(counts: dict[Status, int]) -> dict[Status, int]:
    """Return counts without the zeros."""
    return {status: number for status, number in counts.items() if number}


def verdict_of(counts: dict[Status, int]) -> Verdict | None:
    """Tell a run's verdict from a summary's counts: any failure fails it."""
    if counts.get(Status.FAILED) or counts.get(Status.ERROR):
        return Verdict.FAILURE
    if counts.get(Status.PASSED) or counts.get(Status.XFAILED) or counts.get(Status.XPASSED):
        return Verdict.SUCCESS
    return Verdict.SKIPPED if counts else None


def latest(cases: list[Case]) -> list[Case]:
    """Return each case once, as it ended last, where it first stood; attempts add up."""
    found: dict[str, Case] = {}
    for case in cases:
        before = found.get(case.name)
        if before is None:
            found[case.name] = case
        else:
            attempts = before.attempts + case.attempts
            found[case.name] = msgspec.structs.replace(case, attempts=attempts)
    return list(found.values())
