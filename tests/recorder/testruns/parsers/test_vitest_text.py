from __future__ import annotations

from support.testruns import Log
from traceproof.recorder.testruns.cases import Status, Verdict
from traceproof.recorder.testruns.parsers import parse

A = "a.test.ts > calc > "
COUNTS = {Status.FAILED: 1, Status.PASSED: 3, Status.SKIPPED: 2, Status.ERROR: 1}


def test_the_verbose_list_names_each_case(log: Log) -> None:
    (run,) = parse(log("vitest-verbose"), ["vitest"])

    assert {case.name: str(case.status) for case in run.cases} == {
        A + "adds": "passed",
        A + "is wrong 12ms": "failed",
        A + "skipped": "skipped",
        A + "later": "skipped",
        A + "inner > works": "passed",
        "b.test.ts > alone": "passed",
        "c.test.ts": "error",
    }
    assert (run.version, run.counts) == ("4.1.12", COUNTS)
    assert run.cases[1].message.startswith("AssertionError: expected 2 to be 3")


def test_without_it_what_failed_is_named(log: Log) -> None:
    (run,) = parse(log("vitest-plain"), ["vitest"])

    assert {case.name for case in run.cases} == {A + "is wrong 12ms", "c.test.ts"}
    assert (run.counts, run.verdict) == (COUNTS, Verdict.FAILURE)


def test_success(log: Log) -> None:
    (run,) = parse(log("vitest-ok"), ["vitest"])

    assert (run.verdict, run.counts) == (Verdict.SUCCESS, {Status.PASSED: 1})
