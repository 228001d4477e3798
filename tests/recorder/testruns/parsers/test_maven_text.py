from __future__ import annotations

import pytest

from support.testruns import Log
from traceproof.recorder.testruns.cases import Status, Verdict
from traceproof.recorder.testruns.parsers import parse


@pytest.mark.parametrize("name", ["maven-plain", "maven-q"])
def test_what_failed_is_named_and_all_is_counted(log: Log, name: str) -> None:
    (run,) = parse(log(name), ["maven"])

    assert {case.name: (str(case.status), case.message) for case in run.cases} == {
        "toy.CalcTest.throwsOne": ("error", "java.lang.IllegalStateException: what"),
        "toy.CalcTest.isWrong": (
            "failed",
            "org.opentest4j.AssertionFailedError: arithmetic ==> expected: <3> but was: <2>",
        ),
    }
    assert run.counts == {
        Status.PASSED: 2,
        Status.FAILED: 1,
        Status.ERROR: 1,
        Status.SKIPPED: 1,
    }
    assert run.verdict is Verdict.FAILURE


def test_success(log: Log) -> None:
    (run,) = parse(log("maven-ok-color"), ["maven"])

    assert (run.verdict, run.counts) == (Verdict.SUCCESS, {Status.PASSED: 1})


def test_names_of_older_versions() -> None:
    text = "isWrong(toy.CalcTest)  Time elapsed: 0.01 sec  <<< FAILURE!\njava.lang.Error: x\n"

    (run,) = parse(text, ["maven"])

    assert (run.cases[0].name, run.cases[0].message) == (
        "toy.CalcTest.isWrong",
        "java.lang.Error: x",
    )


def test_what_does_not_compile() -> None:
    (run,) = parse("[ERROR] COMPILATION ERROR : \n[INFO] BUILD FAILURE\n", ["maven"])

    assert (run.cases[0].phase, run.verdict) == ("build", Verdict.FAILURE)
