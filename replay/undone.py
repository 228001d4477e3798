"""What the tests of the beginning say, where tests were changed on the way.

A test that is deleted, skipped, expected to fail or rewritten can hide that something broke, and so
can a `conftest.py` or a `pytest.ini`. So both trees are run by the tests of the beginning as well,
twice each: what passes on the base tree and fails on the final one is lost, whatever became of it.
From what is known to what is said of it; how the tests are put back is the runner's business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from traceproof.replay.asks import Ask, Seeds, usable
from traceproof.replay.causes.lab import Lab
from traceproof.replay.classify import Judgement, before, set_of, test_class
from traceproof.replay.runs import Case, Conditions, Session, Tree
from traceproof.replay.states import executions, state

_TIMES = 2
_TREES: tuple[Tree, ...] = ("base", "final")
_FAILURES = ("failed", "error")
_CONDITIONS = Conditions(undone_tests=True)


class Lost(NamedTuple):
    """Tests of the beginning that the final tree fails."""

    broken: tuple[str, ...] = ()
    """They passed, and nothing that they are now passes either."""
    rewritten: tuple[str, ...] = ()
    """They passed, or are said to be mended, and pass only as they are now."""
    hidden: tuple[str, ...] = ()
    """They failed and still do; as they are now they are skipped, expected to fail, or gone."""
    problem: str = ""
    """Why nothing is known of the final tree, though it is of the base tree."""

    @property
    def all(self) -> tuple[str, ...]:
        """All of them, sorted."""
        return tuple(sorted((*self.broken, *self.rewritten, *self.hidden)))


def asks(seeds: Seeds) -> list[Ask]:
    """Return what is to be run."""
    return [
        Ask(
            Session(seed=seeds("same", k)),
            "by the tests of the beginning",
            tree=tree,
            value="by the tests of the beginning",
            conditions=_CONDITIONS,
            box=f"undone {k}",
        )
        for k in range(1, _TIMES + 1)
        for tree in _TREES
    ]


def lost(lab: Lab) -> Lost:
    """Return what is lost; of tests that are not steady nothing is said."""
    before, after = (_heard(lab, tree) for tree in _TREES)
    known = {test: None for cases in before for test in cases}
    if known and not after:
        problems = [session.problem for session in lab.ledger.undone["final"]]
        return Lost(problem=next(filter(None, problems), "no test is heard of"))
    passed = {test for test in known if _passes(test, before)}
    failing = [
        test
        for test in known
        if (test in passed or _set(lab, test) == "fail_to_pass")
        and not any(test in cases and state(cases[test]) == "ok" for cases in after)
        and not _is_unsteady(lab, test)
    ]
    rewritten = [t for t in failing if _set(lab, t) in ("fail_to_pass", "pass_to_pass")]
    failed = [t for t in known if _fails(t, before) and _fails(t, after)]
    return Lost(
        broken=tuple(t for t in failing if t not in rewritten),
        rewritten=(*rewritten, *(t for t in failed if _is_made_to_pass(lab, t))),
        hidden=tuple(t for t in failed if _is_out_of_sight(lab, t)),
    )


def _heard(lab: Lab, tree: Tree) -> list[dict[str, Case]]:
    sessions = [session for session in lab.ledger.undone[tree] if usable(session)]
    return [executions(session) for session in sessions if session.source != "exit code"]


def judged(said: Judgement, lost: Lost, *, mends: bool = True) -> Judgement:
    """Return what is said of the whole, given what is lost, where something was to be mended."""
    if said.outcome is None:
        return said
    if lost.broken:
        why = f"by the tests of the beginning {_named(lost.broken)} passed and fails now"
        return _but(said, "regressed", why)
    if said.outcome == "resolved" and lost.rewritten:
        how = "only as rewritten on the way; as it was before, it fails"
        return _but(said, "unresolved", f"{_named(lost.rewritten)} passes {how}")
    if said.outcome == "resolved" and lost.hidden and mends:
        how = "failed, still does as it was, and is skipped, expected to fail or gone now"
        return _but(said, "unresolved", f"{_named(lost.hidden)} {how}")
    if said.outcome == "resolved" and lost.problem:
        why = f"the tests of the beginning show nothing on the final tree: {lost.problem}"
        return _but(said, "unresolved", why)
    return said


def _but(said: Judgement, outcome: str, why: str) -> Judgement:
    return said._replace(outcome=outcome, reason=f"{why}; {said.reason}")  # type: ignore[arg-type]


def _named(tests: Sequence[str]) -> str:
    return tests[0] + (f" (and {len(tests) - 1} more)" if len(tests) > 1 else "")


def _passes(test: str, sessions: Sequence[Mapping[str, Case]]) -> bool:
    return all(test in cases and state(cases[test]) == "ok" for cases in sessions)


def _fails(test: str, sessions: Sequence[Mapping[str, Case]]) -> bool:
    return all(test in cases and cases[test].outcome in _FAILURES for cases in sessions)


def _is_made_to_pass(lab: Lab, file: str) -> bool:
    """Return whether tests of a file that could not be collected fail before and pass now."""
    return any(_set(lab, test) == "fail_to_pass" for test in _tests_of(lab, file))


def _is_out_of_sight(lab: Lab, test: str) -> bool:
    if test in lab.ledger.identical:
        return lab.ledger.case(test).outcome in ("skipped", "xfailed")
    return not _tests_of(lab, test)


def _tests_of(lab: Lab, file: str) -> list[str]:
    return [test for test in lab.ledger.identical if test.startswith((f"{file}::", f"{file}."))]


def _set(lab: Lab, test: str) -> str:
    if test not in lab.ledger.identical:
        return ""
    if len(lab.ledger.identical[test]) < lab.ledger.sessions:
        return ""
    return set_of(before(lab, test), lab.ledger.case(test).outcome)


def _is_unsteady(lab: Lab, test: str) -> bool:
    known = test in lab.ledger.identical
    return known and test_class(lab, test, 0) in ("flaky", "fragile")
