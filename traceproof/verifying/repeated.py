"""What came of a run that was run again: then and now, test by test. Pure."""

from __future__ import annotations

import msgspec

from traceproof.replay.runs import Outcome, Run, RunResult, SessionResult


class Difference(msgspec.Struct, frozen=True, omit_defaults=True):
    """An execution that came out otherwise; empty: the test did not run."""

    test: str
    then: Outcome | str
    now: Outcome | str
    repeat: int = 0
    message: str = ""


class Repeated(msgspec.Struct, frozen=True):
    """What came of a run, then and now."""

    run: str
    """What was asked for: `final/order/2#5`."""
    axis: str
    value: str
    same: bool
    then: dict[str, int]
    """How many executions came out as what."""
    now: dict[str, int]
    differences: list[Difference]
    seconds: float
    problem: str = ""


def compared(wanted: str, run: Run, then: RunResult, now: RunResult) -> Repeated:
    """Compare what came of a run with what came of it before."""
    differences: list[Difference] = []
    for number, session in enumerate(now.sessions):
        before = then.sessions[number : number + 1]
        differences += _differences(before[0] if before else SessionResult(cases=()), session)
    problems = [session.problem for session in now.sessions if session.problem]
    told = [session.problem for session in then.sessions if session.problem]
    return Repeated(
        run=wanted,
        axis=run.axis,
        value=run.value,
        same=not differences and bool(problems) == bool(told),
        then=_counts(then),
        now=_counts(now),
        differences=differences,
        seconds=now.seconds,
        problem=problems[0] if problems else "",
    )


def _differences(then: SessionResult, now: SessionResult) -> list[Difference]:
    before = {(case.test, case.repeat): case for case in then.cases}
    after = {(case.test, case.repeat): case for case in now.cases}
    found = []
    for key in dict.fromkeys((*before, *after)):
        old, new = before.get(key), after.get(key)
        was, is_ = old.outcome if old else "", new.outcome if new else ""
        if was != is_:
            message = (new and new.message) or (old and old.message) or ""
            found.append(Difference(key[0], was, is_, key[1], message))
    return found


def _counts(result: RunResult) -> dict[str, int]:
    outcomes = [case.outcome for session in result.sessions for case in session.cases]
    return {name: outcomes.count(name) for name in sorted(set(outcomes))}
