"""One verification from the first run to the last: the planner, the boxes, the file of runs.

Here is the order of things, and what happens when something goes wrong. What to run is decided in
`traceproof.replay.verification`, running it is `traceproof.replay.runner`'s business.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from traceproof.replay.boxes import Boxes
from traceproof.replay.options import Plan
from traceproof.replay.pool import Pool
from traceproof.replay.runs import Run, RunResult
from traceproof.replay.runsfile import RunsWriter
from traceproof.replay.verification import Verification

TIME_IS_UP = "the time that was given is over"


class Watcher(Protocol):
    """Is told how far a verification is, in the thread that drives it."""

    def planned(self, plan: Plan) -> None:
        """Take what is going to be run; once, when the first runs tell how long they take."""

    def began(self, run: Run) -> None:
        """Take note that a run was begun."""

    def ended(self, run: Run, result: RunResult) -> None:
        """Take note of what came of a run."""

    def again(self, run: Run, why: str) -> None:
        """Take note that a run's box failed, and that it is begun anew."""


def drive(
    verification: Verification,
    execute: Callable[[Run], RunResult],
    boxes: Boxes,
    runs: RunsWriter,
    watcher: Watcher,
    *,
    jobs: int,
    seconds: float = 0.0,
) -> None:
    """Run all that a verification asks for; its verdict is asked of it afterwards.

    Args:
        verification: says what to run, and is told what came of it.
        execute: runs it in one of the boxes; called from several threads.
        boxes: all of them are ended, whatever happens.
        runs: takes every result.
        watcher: is told.
        jobs: how many boxes there may be at a time.
        seconds: how long it may take; 0: as long as it does.

    Raises:
        SandboxError: the provider failed, again and again.
        OSError: a result cannot be stored.
    """
    planner = _Told(verification, watcher)
    pool = Pool(planner, execute, _Kept(runs, watcher), slots=jobs, seconds=seconds)
    try:
        if not pool.drive():
            verification.stop(TIME_IS_UP)
    finally:
        boxes.stop("it was stopped")
        pool.join()
    boxes.settle()


class _Told:
    """The planner, with a clock, who tells when there is a plan."""

    def __init__(self, verification: Verification, watcher: Watcher) -> None:
        self._verification, self._watcher = verification, watcher
        self._started = time.monotonic()
        self._planned = False

    @property
    def done(self) -> bool:
        return self._verification.done

    def next(self, free: int) -> Sequence[Run]:
        runs = self._verification.next(free, time.monotonic() - self._started)
        if not self._planned and self._verification.phase not in ("controls", "done"):
            self._planned = True
            self._watcher.planned(self._verification.estimate())
        return runs

    def feed(self, run: Run, result: RunResult) -> None:
        self._verification.feed(run, result)


class _Kept:
    """The watcher, and the file that every result goes to first."""

    def __init__(self, runs: RunsWriter, watcher: Watcher) -> None:
        self._runs, self._watcher = runs, watcher
        self.began, self.again = watcher.began, watcher.again

    def ended(self, run: Run, result: RunResult) -> None:
        self._runs.add(run, result)
        self._watcher.ended(run, result)
