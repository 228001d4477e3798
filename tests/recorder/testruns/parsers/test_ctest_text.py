from __future__ import annotations

import pytest

from support.testruns import Log
from traceproof.recorder.testruns.cases import Status, Verdict
from traceproof.recorder.testruns.parsers import parse


@pytest.mark.parametrize("name", ["ctest-plain", "ctest-v"])
def test_each_case_is_named(log: Log, name: str) -> None:
    (run,) = parse(log(name), ["ctest"])

    assert {case.name: (str(case.status), case.message) for case in run.cases} == {
        "passes": ("passed", ""),
        "fails": ("failed", ""),
        "with": ("error", "Not Run"),
        "skipped": ("skipped", "Skipped"),
        "slow": ("failed", "Timeout"),
        "crashes": ("failed", "Exception: SegFault"),
        "disabled": ("skipped", "Not Run (Disabled)"),
        "missing": ("error", "Not Run"),
    }
    assert run.verdict is Verdict.FAILURE


def test_the_end_alone_gives_numbers() -> None:
    (run,) = parse("90% tests passed, 1 tests failed out of 10\n", ["ctest"])

    assert run.counts == {Status.PASSED: 9, Status.FAILED: 1}


def test_long_names_have_no_dots() -> None:
    line = f" 1/1 Test #1: {'long' * 20} ...   Passed    0.01 sec"
    (run,) = parse(f"{line}\n100% tests passed, 0 tests failed out of 1", ["ctest"])

    assert (run.cases[0].name, run.verdict) == ("long" * 20, Verdict.SUCCESS)


def test_none_found() -> None:
    (run,) = parse("No tests were found!!!", ["ctest"])

    assert run.verdict is Verdict.SKIPPED
