"""What a person sees of a verification: the plan, how far it is, and what came of it.

The plan and the progress are on stderr; the progress on a terminal alone. Text that comes from
tests is other people's: no control character of it reaches the terminal.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from traceproof import render
from traceproof.bar import Bar
from traceproof.replay.options import Plan
from traceproof.replay.runs import Run, RunResult
from traceproof.replay.verdict import TestVerdict, Verdict
from traceproof.verifying.repeated import Repeated

_SHOWN = 25
_LINES, _WIDE = 3, 200
"""Of the output of tests that did not run: lines, and characters of each."""

_COUNTED = ("steady", "flaky", "fragile", "inconclusive")


class Teller(Bar):
    """Tells how far a verification is; a context manager. It is the `Watcher` of `drive`."""

    def __init__(self, console: Console | None = None) -> None:
        super().__init__(console)
        self.jobs = 1
        """How many boxes there are at a time."""
        self.seconds = 0.0
        """How long it may take; 0: as long as it takes."""

    def planned(self, plan: Plan) -> None:
        """Show what is going to be run."""
        self._progress.update(self._task, total=plan.boxes)
        boxes = f"{self.jobs} boxes" if self.jobs > 1 else "one box"
        self.say(
            f"The plan: {plan.boxes} boxes with {plan.sessions} runs of the tests, {boxes} at a "
            f"time, about {render.seconds(plan.seconds)}; flips are looked into besides."
        )
        if self.seconds and self.seconds < plan.seconds:
            self.say(f"It ends after {render.seconds(self.seconds)}, however far it is.")
        table = Table(box=None, pad_edge=False, show_header=False)
        table.add_column()
        table.add_column(justify="right")
        for row in plan.rows:
            table.add_row(f"  {row.what.replace('_', ' ')}", str(row.sessions))
        self._console.print(table)

    def began(self, run: Run) -> None:
        """Take note that a run was begun."""
        what = run.value or run.axis.replace("_", " ")
        self.doing(f"base: {what}" if run.tree == "base" else what)

    def ended(self, _run: Run, _result: RunResult) -> None:
        """Take note that a run has ended."""
        task = self._progress.tasks[0]
        done = task.completed + 1
        total = None if task.total is None else max(task.total, done)
        self._progress.update(self._task, completed=done, total=total)

    def again(self, run: Run, why: str) -> None:
        """Say that a box failed."""
        self.say(f"{run.id}: its box failed, and is started anew: {why}")


def summary(verdict: Verdict, console: Console, kept: Path) -> None:
    """Print what came of it.

    Args:
        verdict: what is printed.
        console: where to.
        kept: the verdict's file, for the commands that repeat runs.
    """
    console.print(Text(headline(verdict), style="bold" if is_yes(verdict) else "bold red"))
    console.print(Text(render.clean(verdict.reason)), soft_wrap=True)
    for line in _facts(verdict):
        console.print(Text(f"  {render.clean(line)}"), soft_wrap=True)
    failing = _failing(verdict)
    for test in failing[:_SHOWN]:
        line = f"fails each time: {test.test}{test.message and f': {test.message}'}"
        console.print(Text(render.brief(line, _WIDE)), soft_wrap=True)
    if len(failing) > _SHOWN:
        console.print(f"and {len(failing) - _SHOWN} more that fail each time")
    unsteady = [test for test in verdict.tests if test.class_ in ("flaky", "fragile")]
    for line in _unsteady(unsteady, kept):
        console.print(Text(render.clean(line)), soft_wrap=True)
    for note in verdict.notes:
        console.print(Text(f"note: {render.clean(note)}"), soft_wrap=True)


def repeated(found: Repeated, console: Console) -> None:
    """Print what came of a run, then and now."""
    what = "the same" if found.same else "not the same"
    console.print(Text(f"{found.run}: {what}", style="bold" if found.same else "bold red"))
    for title, counts in (("then", found.then), ("now", found.now)):
        told = ", ".join(f"{count} {name}" for name, count in counts.items())
        console.print(f"  {title}: {told or 'no tests ran'}")
    if found.problem:
        console.print(Text(f"  {render.clean(found.problem)}"), soft_wrap=True)
    for one in found.differences[:_SHOWN]:
        test = f"{one.test} (2nd time)" if one.repeat else one.test
        line = f"  {test}: {one.then or 'not run'} then, {one.now or 'not run'} now"
        console.print(Text(render.clean(line)), soft_wrap=True)
    if len(found.differences) > _SHOWN:
        console.print(f"  and {len(found.differences) - _SHOWN} more")


def is_yes(verdict: Verdict) -> bool:
    """Tell whether the answer is yes: verified, or all steady where nothing is compared."""
    if verdict.outcome is not None:
        return verdict.verified
    return verdict.class_ == "steady" and not verdict.taken_out


def headline(verdict: Verdict) -> str:
    """Return the answer in a few words."""
    class_ = verdict.class_.replace("_", " ")
    if verdict.outcome is not None:
        return f"{'' if verdict.verified else 'not '}verified: {class_}, {verdict.outcome}"
    if is_yes(verdict):
        failing = len(_failing(verdict))
        told = f", {failing} of {len(verdict.tests)} failing each time" if failing else ""
        return f"steady{told}; there is no before and after to compare"
    unsteady = _counted(verdict, ("flaky", "fragile")) or class_
    return f"not steady: {unsteady}"


def _failing(verdict: Verdict) -> list[TestVerdict]:
    bad = ("failed", "error")
    return [test for test in verdict.tests if test.class_ == "steady" and test.outcome in bad]


def _facts(verdict: Verdict) -> Iterator[str]:
    for control in verdict.controls:
        counts = [(control.passed, "passed"), (control.failed, "failed")]
        counts += [(control.errors, "errors"), (control.skipped, "skipped")]
        told = ", ".join(f"{count} {word}" for count, word in counts if count)
        yield f"{control.tree}: {control.problem or told or 'no tests'}"
        if control.problem or not control.passed:
            yield from (f"  | {line}" for line in _last_lines(control.output))
    if verdict.outcome:
        yield (
            f"fail to pass {len(verdict.fail_to_pass)}, pass to pass {len(verdict.pass_to_pass)}, "
            f"pass to fail {len(verdict.pass_to_fail)}, taken out {len(verdict.taken_out)}"
        )
    counted = _counted(verdict, _COUNTED)
    if counted:
        yield f"{_many(len(verdict.tests), 'test')}: {counted}{_bound(verdict)}"
    yield from _too_few(verdict)
    sessions = sum(len(run.sessions) for run in verdict.runs)
    took = render.seconds(verdict.seconds)
    boxes = _many(len(verdict.runs), "box", "boxes")
    yield f"{_many(sessions, 'run')} of the tests in {boxes}, {took}"


def _many(count: int, one: str, many: str = "") -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"


def _last_lines(output: str) -> list[str]:
    lines = [render.brief(line, _WIDE) for line in output.splitlines()]
    return [line for line in lines if line][-_LINES:]


def _too_few(verdict: Verdict) -> Iterator[str]:
    """Say how many runs are needed, where there were too few."""
    runs = [test.runs for test in verdict.tests if test.class_ == "inconclusive"]
    budgets = verdict.budgets
    if runs and min(runs) < budgets.needed:
        yield (
            f"{budgets.needed} identical reruns are needed for a flake rate of at most "
            f"{budgets.max_flake_rate * 100:.4g}% with {budgets.confidence * 100:.4g}% "
            f"confidence; there were {min(runs)}"
        )


def _counted(verdict: Verdict, names: Sequence[str]) -> str:
    classes: list[str] = [test.class_ for test in verdict.tests]
    return ", ".join(f"{classes.count(name)} {name}" for name in names if name in classes)


def _bound(verdict: Verdict) -> str:
    bounds = [test.bound for test in verdict.tests if test.class_ == "steady"]
    if not bounds:
        return ""
    confidence = f"{verdict.budgets.confidence:.0%} confidence"
    return f"; flake rate of each steady one at most {max(bounds):.1%} with {confidence}"


def _unsteady(tests: Sequence[TestVerdict], kept: Path) -> Iterator[str]:
    """Yield what is said of tests: lines that no terminal cuts, so that commands can be copied."""
    for test in tests[:_SHOWN]:
        yield f"{test.class_}: {test.test}"
        cause = test.causes[0] if test.causes else None
        if cause and cause.text:
            yield f"  {cause.text}"
        run = cause.shown.run if cause and cause.shown else test.seen[0].run if test.seen else ""
        if run:
            yield f"  to see it: {_repeat(run, kept)}"
    if len(tests) > _SHOWN:
        yield f"and {len(tests) - _SHOWN} more"


def _repeat(run: str, kept: Path) -> str:
    """Return the command that repeats a run; it names the verdict, as there may be newer ones."""
    here = Path.cwd()
    near = kept.relative_to(here) if kept.is_relative_to(here) else kept
    return f"traceproof verify {shlex.quote(str(near))} --repeat {shlex.quote(run)}"
