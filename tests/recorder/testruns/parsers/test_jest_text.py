# ruff: noqa: RUF001
from __future__ import annotations

import pytest

from support.testruns import Log
from traceproof.recorder.testruns.cases import Status, Verdict
from traceproof.recorder.testruns.parsers import parse

A = "./a.test.js › calc › "
WRONG = A + "is wrong (12 ms)"


def test_the_tree_names_each_case(log: Log) -> None:
    (run,) = parse(log("jest-verbose"), ["jest"])

    assert {case.name: str(case.status) for case in run.cases} == {
        A + "adds": "passed",
        WRONG: "failed",
        A + "skipped": "skipped",
        A + "later": "skipped",
        A + "inner › deep › works": "passed",
        "./b.test.js › alone": "passed",
        "./c.test.js": "error",
    }
    wrong = next(case for case in run.cases if case.name == WRONG)
    assert (wrong.seconds, wrong.file) == (0.018, "./a.test.js") or wrong.seconds == pytest.approx(
        0.018
    )
    assert wrong.message == "expect(received).toBe(expected) // Object.is equality"


@pytest.mark.parametrize("name", ["jest-plain", "jest-npm"])
def test_without_it_what_failed_is_named(log: Log, name: str) -> None:
    (run,) = parse(log(name), ["jest"])

    assert [case.name for case in run.cases] == [WRONG, "./c.test.js"]
    assert run.counts == {Status.FAILED: 1, Status.SKIPPED: 2, Status.PASSED: 3, Status.ERROR: 1}
    assert run.verdict is Verdict.FAILURE


def test_colours_do_no_harm(log: Log) -> None:
    (run,) = parse(log("jest-one-color"), ["jest"])

    assert len(run.cases) == run.total == 5


def test_the_summary_alone(log: Log) -> None:
    (run,) = parse(b"\n".join(log("jest-plain").splitlines()[-5:]), ["jest"])

    assert (run.cases, run.verdict) == ([], Verdict.FAILURE)


def test_other_tools_pass_and_fail_too() -> None:
    assert parse("PASS everything\nFAIL nothing\nPASS: x.js.o\n", ["jest"]) == []
