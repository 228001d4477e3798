from __future__ import annotations

from support.testruns import Log
from traceproof.recorder.testruns.cases import Status, Verdict
from traceproof.recorder.testruns.parsers import parse


def test_all_targets_are_one_run(log: Log) -> None:
    (run,) = parse(log("cargo-plain-nofail"), ["cargo"])

    assert {case.name: str(case.status) for case in run.cases} == {
        "tests::ignored": "skipped",
        "tests::adds": "passed",
        "tests::panics": "passed",
        "tests::wrong": "failed",
        "whole": "passed",
        "src/lib.rs - (line 1)": "passed",
    }
    assert run.counts == {Status.PASSED: 4, Status.FAILED: 1, Status.SKIPPED: 1}
    wrong = run.cases[3]
    assert (wrong.file, wrong.line) == ("src/lib.rs", 21)
    assert wrong.message == "assertion `left == right` failed: arithmetic"


def test_with_q_what_failed_is_named(log: Log) -> None:
    (run,) = parse(log("cargo-q"), ["cargo"])

    assert [case.name for case in run.cases] == ["tests::wrong"]
    assert run.verdict is Verdict.FAILURE


def test_names_of_two_targets_are_told_apart() -> None:
    text = (
        "     Running tests/a.rs (target/a)\ntest same ... ok\n"
        "     Running tests/b.rs (target/b)\ntest same ... FAILED\n"
        "test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out\n"
    )
    (run,) = parse(text, ["cargo"])

    assert [case.name for case in run.cases] == ["same", "tests/b.rs: same"]


def test_what_a_test_prints_may_stand_before_its_result() -> None:
    text = "test a ... printed\nok\ntest result: ok. 1 passed; 0 failed; 0 ignored; 0 m\n"

    (run,) = parse(text, ["cargo"])

    assert [(case.name, case.status) for case in run.cases] == [("a", Status.PASSED)]


def test_what_does_not_compile_is_an_error() -> None:
    text = "error[E0425]: cannot find\nerror: could not compile `toy` (lib test) due to 1 error\n"

    (run,) = parse(text, ["cargo"])

    assert (run.cases[0].phase, run.verdict) == ("build", Verdict.FAILURE)
