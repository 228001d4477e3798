from __future__ import annotations

import pytest

from support.testruns import Log
from traceproof.recorder.testruns.cases import Status, Verdict
from traceproof.recorder.testruns.parsers import parse


@pytest.mark.parametrize("name", ["node-spec", "node-tap"])
def test_cases_without_their_groups(log: Log, name: str) -> None:
    (run,) = parse(log(name), ["node"])

    assert {case.name: (str(case.status), case.message) for case in run.cases} == {
        "adds": ("passed", ""),
        "is wrong": ("failed", "2 == 3" if "tap" in name else ""),
        "skipped": ("skipped", "not today"),
        "later": ("skipped", "TO" + "DO"),
        "group > works": ("passed", ""),
        "group > fails # inside": ("failed", "bad" if "tap" in name else ""),
    }
    assert run.counts == {Status.PASSED: 2, Status.FAILED: 2, Status.SKIPPED: 2}
    assert run.verdict is Verdict.FAILURE


def test_without_the_numbers_there_is_no_run() -> None:
    assert parse("ok 1 - something\n✔ done (1ms)\n", ["node"]) == []
