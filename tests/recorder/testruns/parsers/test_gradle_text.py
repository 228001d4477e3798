from __future__ import annotations

from support.testruns import Log
from traceproof.recorder.testruns.cases import Status, Verdict
from traceproof.recorder.testruns.parsers import parse

COUNTS = {Status.PASSED: 1, Status.FAILED: 1, Status.SKIPPED: 1}


def test_what_failed_is_named(log: Log) -> None:
    (run,) = parse(log("gradle-plain"), ["gradle"])

    assert [(case.name, case.message) for case in run.cases] == [
        ("toy.CalcTest > isWrong", "java.lang.AssertionError at CalcTest.java:8")
    ]
    assert (run.counts, run.verdict) == (COUNTS, Verdict.FAILURE)


def test_with_its_log_each_is(log: Log) -> None:
    (run,) = parse(log("gradle-events"), ["gradle"])

    assert len(run.cases) == 3


def test_success_is_told_by_the_build() -> None:
    (run,) = parse("> Task :compileTestJava\n> Task :test\n\nBUILD SUCCESSFUL in 1s\n", ["gradle"])

    assert run.verdict is Verdict.SUCCESS


def test_what_was_up_to_date_ran_nothing() -> None:
    (run,) = parse("> Task :test UP-TO-DATE\n\nBUILD SUCCESSFUL in 1s\n", ["gradle"])

    assert run.verdict is Verdict.SKIPPED


def test_a_build_without_tests_is_none() -> None:
    assert parse("> Task :compileTestJava FAILED\n\nBUILD FAILED in 1s\n", ["gradle"]) == []
