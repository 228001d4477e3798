"""Reads what Maven's Surefire and Failsafe write to the console: classes, failures, totals."""

from __future__ import annotations

import re
from collections.abc import Sequence

from traceproof.recorder.testruns.cases import Case, Run, Status, Verdict, counted

_LEVEL = re.compile(r"\[(?:INFO|ERROR|WARNING|WARN)\] ?")
_TOTALS = re.compile(
    r"Tests run: (\d{1,9}), Failures: (\d{1,9}), Errors: (\d{1,9}), Skipped: (\d{1,9})"
    r"(?:, Flakes: \d{1,9})?(, Time elapsed: .*)?"
)
_FAILED = re.compile(
    r"(?:([\w.$]+)\.([\w$]+)|([\w$\[\]]+)\(([\w.$]+)\))(?:\[[^\]]*\]|\([^)]*\))? +(?:-- +)?"
    r"Time elapsed: ([\d.,]{1,12}) s(?:ec)? +<<< (FAILURE|ERROR)!"
)
_FRAME = ("at ", "...")


def parse(lines: Sequence[str]) -> list[Run]:
    """Return the run of Maven in these lines: all modules together."""
    totals = [0, 0, 0, 0]
    classes = [0, 0, 0, 0]
    cases: dict[str, Case] = {}
    failing: Case | None = None
    seen_total = built = broken = False
    for raw in lines:
        line = _LEVEL.sub("", raw, count=1).strip() if raw.startswith("[") else raw.strip()
        if line.startswith("Tests run: ") and (found := _TOTALS.match(line)):
            numbers = [int(found[index]) for index in range(1, 5)]
            seen_total = seen_total or not found[5]
            into = classes if found[5] else totals
            into[:] = [old + new for old, new in zip(into, numbers, strict=True)]
        elif "<<<" in line and (found := _FAILED.match(line)):
            name = f"{found[1] or found[4]}.{found[2] or found[3]}"
            status = Status.FAILED if found[6] == "FAILURE" else Status.ERROR
            took = found[5].replace(",", "")
            failing = cases[name] = Case(name, status, float(took) if _is_number(took) else None)
        elif failing and line and not line.startswith(_FRAME):
            failing.message, failing = line, None
        elif line.startswith("COMPILATION ERROR"):
            broken = True
        elif line in ("BUILD SUCCESS", "BUILD FAILURE"):
            built = True
    return _runs(totals if seen_total else classes, cases, built=built, broken=broken)


def _runs(numbers: list[int], cases: dict[str, Case], *, built: bool, broken: bool) -> list[Run]:
    run_, failures, errors, skipped = numbers
    if broken and not run_:
        case = Case("compilation", Status.ERROR, message="compilation error", phase="build")
        counts = {Status.ERROR: 1}
        return [Run("maven", cases=[case], counts=counts, verdict=Verdict.FAILURE)]
    if not run_ and not cases:
        return []
    counts = counted(
        {
            Status.PASSED: max(0, run_ - failures - errors - skipped),
            Status.FAILED: failures,
            Status.ERROR: errors,
            Status.SKIPPED: skipped,
        }
    )
    run = Run("maven", cases=list(cases.values()), counts=counts, summary=bool(run_))
    if failures or errors or cases:
        run.verdict = Verdict.FAILURE
    elif built:
        run.verdict = Verdict.SUCCESS if counts.get(Status.PASSED) else Verdict.SKIPPED
    return [run]


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdecimal()
