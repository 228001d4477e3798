from __future__ import annotations

import pytest

from support.testruns import Log
from traceproof.recorder.testruns.cases import Status, Verdict
from traceproof.recorder.testruns.parsers import parse

CALC = "example.org/toy/calc."
ALL = {
    CALC + "TestAdds": "passed",
    CALC + "TestWrong": "failed",
    CALC + "TestSkipped": "skipped",
    CALC + "TestTable": "failed",
    CALC + "TestTable/a_b": "passed",
    CALC + "TestTable/c/d": "failed",
    CALC + "TestSlow": "passed",
    CALC + "ExampleHello": "passed",
    "example.org/toy/fine.TestFine": "passed",
}


@pytest.mark.parametrize("name", ["go-v", "go-json"])
def test_each_case_is_named(log: Log, name: str) -> None:
    (run,) = parse(log(name), ["go"])

    assert {case.name: str(case.status) for case in run.cases} == ALL
    assert run.verdict is Verdict.FAILURE
    assert run.facts == {"packages_ok": 1, "packages_failed": 1}
    wrong = next(case for case in run.cases if case.name == CALC + "TestWrong")
    assert (wrong.file, wrong.line, wrong.message) == ("calc_test.go", 12, "1 + 1 is 2")


def test_plain_output_names_what_failed(log: Log) -> None:
    (run,) = parse(log("go-plain"), ["go"])

    assert [(case.name, str(case.status), case.message) for case in run.cases] == [
        ("example.org/toy/bad", "error", "build failed"),
        (CALC + "TestWrong", "failed", "1 + 1 is 2"),
        (CALC + "TestTable", "failed", ""),
        (CALC + "TestTable/c/d", "failed", "bad"),
    ]
    assert run.cases[0].phase == "build"
    assert run.facts == {"packages_ok": 1, "packages_failed": 2, "no_tests": 1}


def test_success_names_nothing(log: Log) -> None:
    (run,) = parse(log("go-ok"), ["go"])

    assert (run.verdict, run.cases, run.counts) == (Verdict.SUCCESS, [], {})


def test_cut_off_cases_make_no_success() -> None:
    (run,) = parse("--- PASS: TestA (0.00s)\n", ["go"])

    assert (run.verdict, run.counts) == (Verdict.SUCCESS, {Status.PASSED: 1}) or run.verdict is None
