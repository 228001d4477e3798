"""The verdict, put together from what is known.

It draws no conclusions of its own: classes and sets are `traceproof.replay.classify`'s.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from traceproof.replay import classify, statistics
from traceproof.replay.asks import Answer
from traceproof.replay.causes.lab import MOST_SEEN, Lab, seen, seen_in
from traceproof.replay.ledger import Sight
from traceproof.replay.options import Options
from traceproof.replay.runs import Run, RunResult, SessionResult, Tree
from traceproof.replay.states import differ, executions, state, uncollected
from traceproof.replay.verdict import (
    Budgets,
    Cause,
    Control,
    Rate,
    RunRecord,
    Seen,
    SessionRecord,
    TestVerdict,
)

_MOST_FLIPPED = 50
_USUAL_SHARE = 0.5
"""A test whose id is in fewer of the identical reruns has another id each time."""


def needed(options: Options) -> int:
    """Return how many identical reruns without a flip the bound needs."""
    return statistics.runs_needed(options.max_flake_rate, options.confidence)


def budgets(options: Options) -> Budgets:
    """Return what was asked for."""
    return Budgets(
        max_flake_rate=options.max_flake_rate,
        confidence=options.confidence,
        runs=options.runs or needed(options),
        needed=needed(options),
        seconds=options.seconds,
    )


def listed(lab: Lab) -> tuple[str, ...]:
    """Return the tests whose ids are the same from run to run, sorted."""
    ledger = lab.ledger
    least = _USUAL_SHARE * ledger.sessions
    return tuple(sorted(test for test in ledger.tests if len(ledger.identical[test]) >= least))


def test_verdicts(lab: Lab) -> tuple[TestVerdict, ...]:
    """Return what is known of each test."""
    return tuple(test_verdict(lab, test) for test in listed(lab))


def test_verdict(lab: Lab, test: str) -> TestVerdict:
    """Return what is known of one test."""
    ledger, options = lab.ledger, lab.options
    sights, usual, case = ledger.identical[test], ledger.usual(test), ledger.case(test)
    flips = [sight for sight in sights if state(sight.case) != usual]
    bad = [sight.case for sight in sights if sight.case.outcome in ("failed", "error")]
    was = classify.before(lab, test)
    everywhere = len(sights) == ledger.sessions
    failure = next((c for c in (case, *bad) if c.message or c.detail), case)
    return TestVerdict(
        test=test,
        class_=classify.test_class(lab, test, needed(options)),
        outcome=case.outcome,
        before=was,
        set=classify.set_of(was, case.outcome) if everywhere and options.base else "",
        runs=len(sights),
        flips=len(flips),
        failures=len(bad),
        errors=sum(c.outcome == "error" for c in bad),
        bound=statistics.upper_bound(len(flips), len(sights), options.confidence),
        seconds=ledger.seconds(test),
        axes={a: Rate(runs=r, flips=f) for a, (r, f) in sorted(ledger.rates[test].items())},
        causes=_causes(lab, test),
        seen=_seen(lab, test, flips),
        unconfirmed=tuple(lab.unconfirmed.get(test, ()))[:MOST_SEEN],
        message=failure.message,
        detail=failure.detail,
    )


def _causes(lab: Lab, test: str) -> tuple[Cause, ...]:
    found = lab.causes.get(test, [])
    if not found and test in (*lab.ledger.contradicted, *lab.contradicted):
        return (Cause(name="unknown", text="comes out both ways; not examined", axis="same"),)
    return tuple(found)


def _seen(lab: Lab, test: str, flips: Sequence[Sight]) -> tuple[Seen, ...]:
    found = [seen_in(sight.answer, sight.case) for sight in flips]
    found += lab.contradicted.get(test, [])
    if lab.causes.get(test):
        found += [seen(flip) for flip in lab.ledger.flips if flip.test == test]
    return tuple(dict.fromkeys(found))[:MOST_SEEN]


def control(tree: Tree, ref: str, session: SessionResult) -> Control:
    """Return what the tests came to, once."""
    counts = Counter(case.outcome for case in executions(session).values())
    return Control(
        tree=tree,
        run=ref,
        complete=session.complete and not session.problem,
        problem=session.problem,
        tests=sum(counts.values()),
        passed=counts["passed"] + counts["xpassed"],
        failed=counts["failed"],
        errors=counts["error"],
        skipped=counts["skipped"] + counts["xfailed"],
        seconds=session.seconds,
        output=session.output,
    )


def run_record(lab: Lab, run: Run, result: RunResult, labels: Sequence[str]) -> RunRecord:
    """Return a run in short."""
    sessions = [
        _session_record(lab, run, k, session, labels) for k, session in enumerate(result.sessions)
    ]
    return RunRecord(
        id=run.id,
        tree=run.tree,
        axis=run.axis,
        value=run.value,
        conditions=run.conditions,
        sessions=tuple(sessions),
        started=result.started,
        seconds=result.seconds,
        failure=result.failure,
    )


def _session_record(
    lab: Lab, run: Run, index: int, session: SessionResult, labels: Sequence[str]
) -> SessionRecord:
    usual = lab.ledger.usual
    flipped = [
        case.test
        for case in (session.cases if _is_graded(run) else ())
        if (is_ := usual(case.test)) and differ(is_, state(case))
    ]
    return SessionRecord(
        label=labels[index],
        seed=run.sessions[index].seed,
        tests=len(session.cases),
        exit_code=session.exit_code,
        signal=session.signal,
        seconds=session.seconds,
        problem=session.problem,
        outcomes=dict(Counter(case.outcome for case in session.cases)),
        flipped=tuple(dict.fromkeys(flipped))[:_MOST_FLIPPED],
    )


def _is_graded(run: Run) -> bool:
    """Return whether a run is of the final tree, by the tests that grade it."""
    return run.tree == "final" and not run.conditions.undone_tests


def notes(
    lab: Lab, unusable: Sequence[Answer], partial: Sequence[Answer], said: Sequence[str]
) -> tuple[str, ...]:
    """Return what a reader should know besides."""
    found = list(said)
    found += [
        f"{count} session{'s' * (count > 1)} broke off; what came before counts: {problem}"
        for problem, count in Counter(_problem(answer) for answer in partial).most_common(10)
    ]
    problems = Counter(_problem(answer) for answer in unusable)
    found += [
        f"{count} session{'s' * (count > 1)} counted for nothing: {problem}"
        for problem, count in problems.most_common(10)
    ]
    changing = len(lab.ledger.tests) - len(listed(lab))
    if changing:
        found.append(f"{changing} tests have another id each time; nothing can be said of them")
    if new := [test for test in listed(lab) if classify.is_new(lab, test)]:
        more = f" and {len(new) - 1} more" if len(new) > 1 else ""
        found.append(f"new, in no test file, and so not compared with the base: {new[0]}{more}")
    files = uncollected(lab.ledger.case(test) for test in lab.ledger.tests)
    found += [f"{file} cannot be collected: {case.message}" for file, case in files.items()]
    unconfirmed = sum(map(len, lab.unconfirmed.values()))
    if unconfirmed:
        found.append(f"{unconfirmed} flips under perturbation did not come again; they are listed")
    return tuple(found)


def _problem(answer: Answer) -> str:
    if answer.session is None:
        return f"{answer.ask.axis}: it was not run"
    why = answer.session.problem or "the test runner did not come to its end"
    return f"{answer.ask.axis}: {why}"
