from __future__ import annotations

import pytest

from support.testruns import Log
from traceproof.recorder.testruns.cases import Status, Verdict
from traceproof.recorder.testruns.parsers import parse

FAILED = {
    "calc is wrong": "AssertionError [ERR_ASSERTION]: 2 == 3",
    'calc hooked "before all" hook for "never"': "Error: no hook",
}


@pytest.mark.parametrize("name", ["mocha-spec", "mocha-npm"])
def test_the_tree_names_each_case(log: Log, name: str) -> None:
    (run,) = parse(log(name), ["mocha"])

    assert {case.name: str(case.status) for case in run.cases} == {
        "calc adds": "passed",
        "calc is wrong": "failed",
        "calc skipped": "skipped",
        "calc pending": "skipped",
        "calc inner works": "passed",
        'calc hooked "before all" hook for "never"': "error",
    }
    assert run.counts == {Status.PASSED: 2, Status.SKIPPED: 2, Status.FAILED: 2}


def test_dots_name_what_failed(log: Log) -> None:
    (run,) = parse(log("mocha-dot"), ["mocha"])

    assert {case.name: case.message for case in run.cases} == FAILED
    assert (run.verdict, run.seconds) == (Verdict.FAILURE, 0.097)
