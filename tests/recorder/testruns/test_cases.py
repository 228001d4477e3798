from __future__ import annotations

from traceproof.recorder.testruns.cases import Case, Run, Status, Verdict, count, latest, verdict_of


def test_what_is_a_pass_and_what_a_failure() -> None:
    assert {str(status): status.passes for status in Status} == {
        "passed": True,
        "failed": False,
        "error": False,
        "skipped": None,
        "xfailed": True,
        "xpassed": True,
        "unknown": None,
    }


def test_any_failure_fails_the_run() -> None:
    assert verdict_of({Status.PASSED: 9, Status.ERROR: 1}) is Verdict.FAILURE
    assert verdict_of({Status.XFAILED: 1}) is Verdict.SUCCESS
    assert verdict_of({Status.SKIPPED: 1}) is Verdict.SKIPPED
    assert verdict_of({}) is None


def test_cases_that_ran_again_are_one() -> None:
    again = [Case("a", Status.FAILED), Case("b", Status.PASSED), Case("a", Status.PASSED)]

    assert [(case.name, case.status, case.attempts) for case in latest(again)] == [
        ("a", Status.PASSED, 2),
        ("b", Status.PASSED, 1),
    ]


def test_the_total_is_of_the_counts() -> None:
    cases = [Case("a", Status.PASSED), Case("b", Status.SKIPPED)]

    assert Run("pytest", cases=cases, counts=count(cases)).total == 2
