from __future__ import annotations

from support.testruns import Log
from traceproof.recorder.testruns.cases import Status, Verdict
from traceproof.recorder.testruns.parsers import parse

WORDS = "test_words.Words."
COUNTS = {Status.PASSED: 1, Status.FAILED: 3, Status.ERROR: 2, Status.SKIPPED: 1, Status.XFAILED: 1}


def test_with_v_each_case_is_named(log: Log) -> None:
    (run,) = parse(log("unittest-v"), ["unittest"])

    assert {case.name: str(case.status) for case in run.cases} == {
        "test_words.Setup.setUpClass": "error",
        WORDS + "test_error": "error",
        WORDS + "test_known": "xfailed",
        WORDS + "test_mended": "failed",
        WORDS + "test_skipped": "skipped",
        WORDS + "test_sub (i=1)": "failed",
        WORDS + "test_upper": "passed",
        WORDS + "test_wrong": "failed",
    }
    assert (run.counts, run.verdict) == (COUNTS, Verdict.FAILURE)
    why = {case.name: case.message for case in run.cases}
    assert why[WORDS + "test_wrong"] == "AssertionError: 'a' != 'b'"
    assert why[WORDS + "test_mended"] == "unexpected success"
    assert why[WORDS + "test_skipped"] == "not today"


def test_without_it_what_failed_is_named(log: Log) -> None:
    (run,) = parse(log("unittest-plain"), ["unittest"])

    assert (len(run.cases), run.counts) == (5, COUNTS)
    assert run.cases[0].phase == "setup"


def test_success(log: Log) -> None:
    (run,) = parse(log("unittest-ok"), ["unittest"])

    assert (run.verdict, run.counts) == (Verdict.SUCCESS, {Status.PASSED: 1})


def test_without_its_last_word_nothing_is_claimed() -> None:
    (run,) = parse("Ran 3 tests in 0.1s", ["unittest"])

    assert run.verdict is None


def test_no_tests() -> None:
    (run,) = parse("Ran 0 tests in 0.000s\n\nNO TESTS RAN", ["unittest"])

    assert run.verdict is Verdict.SKIPPED


def test_names_before_python_3_11() -> None:
    text = "test_a (tests.Words) ... ok\nmoved\nRan 1 test in 0.0s\n\nOK\n"

    (run,) = parse(text, ["unittest"])

    assert [case.name for case in run.cases] == ["tests.Words.test_a"]
