"""Reports of phases, added up."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from support.heard import Suite
from traceproof.replay.inside.reports import Execution, last_line


def report(when: str, outcome: str = "passed", **more: Any) -> SimpleNamespace:
    return SimpleNamespace(
        **{"when": when, "outcome": outcome, "longrepr": None, "duration": 0.5, **more}
    )


def added(*reports: SimpleNamespace) -> dict[str, Any]:
    execution = Execution("a", 0, "", 0)
    for one in reports:
        execution.add(one)
    return execution.case(0)


SET_UP, DONE = report("setup"), report("teardown")


@pytest.mark.parametrize(
    ("reports", "case"),
    [
        ([SET_UP, report("call"), DONE], {"outcome": "passed"}),
        ([SET_UP, report("call", "skipped", wasxfail="reason: x"), DONE],
         {"outcome": "xfailed", "message": "x"}),
        ([SET_UP, report("call", wasxfail=""), DONE], {"outcome": "xpassed"}),
        ([report("setup", "skipped", longrepr=("f", 1, "Skipped: why")), DONE],
         {"outcome": "skipped", "message": "why", "seconds": 1.0}),
        ([report("setup", "failed", longrepr="E   no"), DONE],
         {"outcome": "error", "phase": "setup", "failed": 1, "seconds": 1.0, "message": "no",
          "detail": "E   no"}),
        ([SET_UP, report("call", "failed", longrepr="x"), report("teardown", "failed")],
         {"outcome": "failed", "phase": "call", "failed": 2, "message": "x", "detail": "x"}),
        ([SET_UP, report("call"), report("teardown", "failed", longrepr="x")],
         {"outcome": "error", "phase": "teardown", "failed": 1, "message": "x", "detail": "x"}),
        ([SET_UP, report("call", "failed", longrepr="part"), report("call"), DONE],
         {"outcome": "failed", "phase": "call", "failed": 1, "message": "part", "detail": "part",
          "seconds": 2.0}),
        ([SET_UP, report("call", "rerun", longrepr="x"), SET_UP, report("call"), DONE],
         {"outcome": "failed", "phase": "call", "message": "x", "detail": "x", "seconds": 2.5}),
        ([report("setup", "retried", longrepr="x"), SET_UP, report("call"), DONE],
         {"outcome": "error", "phase": "setup", "message": "x", "detail": "x", "seconds": 2.0}),
        ([report("???", "failed", longrepr="crashed")],
         {"outcome": "failed", "phase": "call", "failed": 1, "message": "crashed",
          "detail": "crashed", "seconds": 0.5}),
        ([SET_UP, report("call", duration=float("nan")), report("teardown", duration=-1)],
         {"outcome": "passed", "seconds": 0.5}),
        ([SET_UP, DONE],
         {"outcome": "error", "phase": "setup", "message": "the test was not called",
          "seconds": 1.0}),
    ],
)  # fmt: skip
def test_phases_come_to_one_outcome(reports: list[SimpleNamespace], case: dict[str, Any]) -> None:
    assert added(*reports) == {"test": "a", "seconds": 1.5, **case}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Traceback:\n  File x\nOSError: no\n", "OSError: no"),
        ("def f():\n>   assert 0\nE   assert 0\nE    +  where\n\na.py:1: x", "assert 0"),
        ("", ""),
    ],
)
def test_an_error_comes_to_a_line(text: str, line: str) -> None:
    assert last_line(text) == line


STARTS = "item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)"
ENDS = "item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)"
TRIES_AGAIN = """
from _pytest.runner import runtestprotocol
def pytest_runtest_protocol(item, nextitem):
    {once}
    for last in (False, True):
        {each}
        item._initrequest()
        reports = runtestprotocol(item, log=last, nextitem=nextitem)
        {each_ends}
    {once_ends}
    return True
"""
"""What plugins do that try a test again, in one protocol or in one for each time."""


@pytest.mark.parametrize("each", [True, False])
def test_a_test_that_passes_when_it_is_tried_again_has_failed(suite: Suite, each: bool) -> None:
    places = {"each": STARTS, "each_ends": ENDS, "once": "pass", "once_ends": "pass"}
    if not each:
        places = {"each": "pass", "each_ends": "pass", "once": STARTS, "once_ends": ENDS}
    suite.write(
        conftest=TRIES_AGAIN.format(**places),
        test_a="seen = []\ndef test_a():\n    seen.append(1)\n    assert len(seen) > 1, 'no'\n",
    )

    result = suite.hear()

    first = result.cases[0]
    assert (first.outcome, first.phase, result.problem) == ("failed", "call", "")
    assert first.message.startswith("AssertionError: no")


def test_a_part_that_fails_makes_its_test_fail_and_one_that_is_skipped_does_not(
    suite: Suite,
) -> None:
    suite.write(
        test_a="""
import pytest, unittest
def test_1(subtests):
    for part in range(3):
        with subtests.test(part=part): assert part != 1
def test_2(subtests):
    with subtests.test(): pytest.xfail("not yet")
    with subtests.test(): raise unittest.SkipTest("not here")
"""
    )

    result = suite.hear()

    assert result.problem == ""
    assert [case.outcome for case in result.cases] == ["failed", "passed"]
