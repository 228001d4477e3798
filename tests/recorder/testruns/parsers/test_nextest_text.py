"""The form is nextest's documentation's: the tool itself was not at hand."""

from __future__ import annotations

from traceproof.recorder.testruns.cases import Status, Verdict
from traceproof.recorder.testruns.parsers import parse

TEXT = """
    Starting 5 tests across 2 binaries (1 test skipped)
        PASS [   0.005s] toy tests::adds
        PASS [   0.005s] (2/5) toy tests::more
  TRY 1 FAIL [   0.006s] toy tests::flaky
  TRY 2 PASS [   0.006s] toy tests::flaky
        FAIL [   0.012s] toy tests::wrong
     TIMEOUT [   1.002s] toy::whole slow
------------
     Summary [   0.025s] 5 tests run: 3 passed (1 flaky), 1 failed, 1 timed out, 1 skipped
        FAIL [   0.012s] toy tests::wrong
     TIMEOUT [   1.002s] toy::whole slow
error: test run failed
"""


def test_cases_and_counts() -> None:
    (run,) = parse(TEXT, ["nextest"])

    assert {case.name: (str(case.status), case.attempts) for case in run.cases} == {
        "toy tests::adds": ("passed", 1),
        "toy tests::more": ("passed", 1),
        "toy tests::flaky": ("passed", 2),
        "toy tests::wrong": ("failed", 1),
        "toy::whole slow": ("failed", 1),
    }
    assert run.counts == {Status.PASSED: 3, Status.FAILED: 2, Status.SKIPPED: 1}
    assert (run.verdict, run.seconds) == (Verdict.FAILURE, 0.025)


def test_without_the_summary_no_success_is_claimed() -> None:
    (run,) = parse("        PASS [   0.005s] toy tests::adds\n", ["nextest"])

    assert run.verdict is None
