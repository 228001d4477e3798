from __future__ import annotations

from traceproof.replay.runs import Case, Run, RunResult, Session, SessionResult
from traceproof.verifying.repeated import Difference, compared

RUN = Run(id="final/twice/1", tree="final", axis="twice", sessions=(Session(seed=1),))


def result(*cases: Case, problem: str = "") -> RunResult:
    return RunResult(run=RUN.id, sessions=(SessionResult(cases=cases, problem=problem),))


FIRST = Case(test="t::a", outcome="passed")
SECOND = Case(test="t::a", outcome="failed", repeat=1, message="no")
OTHER = Case(test="t::b", outcome="skipped")


def test_the_same() -> None:
    found = compared("final/twice/1#0", RUN, result(FIRST, SECOND), result(SECOND, FIRST))

    assert (found.same, found.differences) == (True, [])
    assert found.then == found.now == {"failed": 1, "passed": 1}


def test_not_the_same() -> None:
    passed = Case(test="t::a", outcome="passed", repeat=1)

    found = compared("x", RUN, result(FIRST, SECOND), result(FIRST, passed, OTHER))

    assert not found.same
    assert found.differences == [
        Difference("t::a", "failed", "passed", 1, "no"),
        Difference("t::b", "", "skipped"),
    ]


def test_one_that_did_not_come_to_its_end() -> None:
    found = compared("x", RUN, result(FIRST), result(FIRST, problem="timed out after 9 s"))

    assert (found.same, found.problem) == (False, "timed out after 9 s")
