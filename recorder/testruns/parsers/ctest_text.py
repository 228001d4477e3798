"""Reads what ctest writes: a line a case, and how many failed."""

from __future__ import annotations

import re
from collections.abc import Sequence

from traceproof.recorder.testruns.cases import Case, Run, Status, Verdict, count, verdict_of
from traceproof.recorder.testruns.parsers.tree import number

_CASE = re.compile(r" *\d{1,9}/\d{1,9} Test +#\d{1,9}: (.*)")
_TIME = re.compile(r"(.*?) +(\d{1,9}\.\d{1,9}) sec")
_ENDED = re.compile(r"\d{1,3}% tests passed, (\d{1,9}) tests? failed out of (\d{1,9})")
_TOTAL = re.compile(r"Total Test time \(real\) = +(\d{1,9}\.\d+) sec")


def parse(lines: Sequence[str]) -> list[Run]:
    """Return the runs of ctest in these lines."""
    runs: list[Run] = []
    cases: list[Case] = []
    for line in lines:
        if found := _CASE.fullmatch(line):
            if case := _case(found[1]):
                cases.append(case)
        elif ended := _ENDED.fullmatch(line):
            runs.append(_run(cases, int(ended[1]), int(ended[2])))
            cases = []
        elif line == "No tests were found!!!":
            runs.append(Run("ctest", verdict=Verdict.SKIPPED, summary=True))
        elif runs and (total := _TOTAL.fullmatch(line)):
            runs[-1].seconds = number(total[1])
    if cases:
        run = Run("ctest", cases=cases, counts=count(cases))
        run.verdict = verdict_of(run.counts)
        run.verdict = run.verdict if run.verdict is Verdict.FAILURE else None
        runs.append(run)
    return runs


def _run(cases: list[Case], failed: int, total: int) -> Run:
    run = Run("ctest", cases=cases, counts=count(cases), summary=True)
    if len(cases) < total:  # cut off, or printed in another way
        run.counts = {Status.PASSED: total - failed, Status.FAILED: failed}
    run.verdict = Verdict.FAILURE if failed else verdict_of(run.counts) or Verdict.SKIPPED
    return run


def _case(text: str) -> Case | None:
    """Read `name .......   Passed    0.01 sec`; after a long name stand three stars at once."""
    dots = text.find(" ..")
    if dots < 0:
        dots = text.find("***")
    if dots < 0:
        dots = text.find("   Passed")
    timed = _TIME.match(text[max(dots, 0) :].lstrip(" .*"))
    if dots <= 0 or not timed:
        return None
    result = timed[1].strip()
    return Case(
        text[:dots].strip(),
        _status(result),
        number(timed[2]),
        message="" if result in ("Passed", "Failed") else result,
    )


def _status(result: str) -> Status:
    if result == "Passed":
        return Status.PASSED
    if result in ("Skipped", "Not Run (Disabled)"):
        return Status.SKIPPED
    return Status.ERROR if result.startswith("Not Run") else Status.FAILED
