from __future__ import annotations

import pytest

from support.testruns import Log
from traceproof.recorder.testruns.cases import Run, Status, Verdict
from traceproof.recorder.testruns.parsers import parse

COUNTS = {
    Status.FAILED: 2,
    Status.PASSED: 8,
    Status.SKIPPED: 1,
    Status.XFAILED: 1,
    Status.XPASSED: 1,
    Status.ERROR: 2,
}
FAILING = {
    "test_is_wrong": "failed",
    "test_param[1 - 2]": "failed",
    "test_setup_fails": "error",
    "test_teardown_fails": "error",
}
ALL = {
    "test_adds": "passed",
    "test_skipped": "skipped",
    "test_known": "xfailed",
    "test_mended": "xpassed",
    "test_param[a b]": "passed",
    "test_param[\\xfc]": "passed",
    "y]": "passed",
    "test_param[[z]]": "passed",
    "test_method": "passed",
    "test_old": "passed",
    **FAILING,
}


def read(log: Log, name: str) -> Run:
    (run,) = parse(log(name), ["pytest"])
    return run


def outcomes(run: Run) -> dict[str, str]:
    return {case.name.rpartition("::")[2]: str(case.status) for case in run.cases}


@pytest.mark.parametrize("name", ["pytest-vv-color", "pytest-xdist-v", "pytest5-v"])
def test_with_v_each_case_is_named(log: Log, name: str) -> None:
    run = read(log, name)

    assert outcomes(run) == ALL
    assert (run.counts, run.verdict, run.summary) == (COUNTS, Verdict.FAILURE, True)
    assert run.version == ("5.0.1" if "5" in name.partition("-")[0] else "9.2.0")


@pytest.mark.parametrize("name", ["pytest-plain-one", "pytest-q"])
def test_without_it_what_failed_is_named(log: Log, name: str) -> None:
    run = read(log, name)

    assert outcomes(run) == FAILING
    assert run.counts == COUNTS
    assert {case.message for case in run.cases} >= {"RuntimeError: no fixture"}


def test_with_r_a_the_summary_names_them(log: Log) -> None:
    named = outcomes(read(log, "pytest-rA"))

    assert named == {name: word for name, word in ALL.items() if name != "test_skipped"}


def test_with_qq_failures_are_all_there_is(log: Log) -> None:
    run = read(log, "pytest-qq")

    assert (outcomes(run), run.verdict, run.summary) == (FAILING, Verdict.FAILURE, False)


def test_what_a_test_prints_between_does_no_harm(log: Log) -> None:
    assert outcomes(read(log, "pytest-s")) == ALL


def test_a_file_that_cannot_be_collected(log: Log) -> None:
    (case,) = read(log, "pytest-plain").cases

    assert (case.name, case.status, case.phase) == ("test_broken.py", Status.ERROR, "collect")


@pytest.mark.parametrize("name", ["pytest-collect", "pytest-none"])
def test_nothing_run_is_skipped(log: Log, name: str) -> None:
    run = read(log, name)

    assert (run.verdict, run.facts["collected"]) == (Verdict.SKIPPED, 14)


def test_the_tail_alone_gives_the_numbers(log: Log) -> None:
    (run,) = parse(log("pytest-q").splitlines()[-1], ["pytest"])

    assert (run.counts, run.verdict, run.cases) == (COUNTS, Verdict.FAILURE, [])


def test_cut_off_before_the_end_nothing_is_said_to_have_passed(log: Log) -> None:
    lines = log("pytest-vv-color").splitlines()
    (run,) = parse(b"\n".join(lines[:7]), ["pytest"])

    assert (len(run.cases), run.verdict) == (1, None)


def test_two_runs_in_one_output(log: Log) -> None:
    runs = parse(log("pytest-q") + b"\n3 passed in 0.01s\n", ["pytest"])

    assert [run.verdict for run in runs] == [Verdict.FAILURE, Verdict.SUCCESS]


@pytest.mark.parametrize(
    "line",
    [
        "built 3 passed in 2 weeks",
        "2 files changed in 0.5s",
        "done in 0.1s",
        "test a::b PASSED",
        "FAILED x",
    ],
)
def test_other_peoples_lines_are_none(line: str) -> None:
    assert parse(line, ["pytest"]) == []


def test_an_interruption_aborts() -> None:
    text = "test_a.py .\n!!!!!! KeyboardInterrupt !!!!!!\n====== 1 passed in 0.10s ======\n"

    (run,) = parse(text, ["pytest"])

    assert run.verdict is Verdict.ABORTED
