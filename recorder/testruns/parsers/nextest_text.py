"""Reads what `cargo nextest run` writes: a line a case, and a summary."""

from __future__ import annotations

import re
from collections.abc import Sequence

from traceproof.recorder.testruns.cases import Case, Run, Status, counted, verdict_of
from traceproof.recorder.testruns.parsers.tree import number

_STATUS = {
    "PASS": Status.PASSED,
    "LEAK": Status.PASSED,
    "FLAKY": Status.PASSED,
    "FAIL": Status.FAILED,
    "TIMEOUT": Status.FAILED,
    "ABORT": Status.FAILED,
    "SKIP": Status.SKIPPED,
}
_CASE = re.compile(
    r" +(?:TRY (\d+) )?(PASS|LEAK|FLAKY|FAIL|TIMEOUT|ABORT|SKIP|SIG[A-Z]+)(?: (\d+)/\d+)?"
    r" \[ *>?([\d.]*)s? *\] (?:\( *\d+/\d+\) )?(.+)"
)
_SUMMARY = re.compile(r" +Summary \[ *([\d.]+)s\] (\d{1,9})(?:/\d+)? tests? run: (.*)")
_COUNT = re.compile(r"(\d{1,9}) (passed|failed|timed out|exec failed|skipped)")
_COUNTED = {"passed": Status.PASSED, "skipped": Status.SKIPPED}


def parse(lines: Sequence[str]) -> list[Run]:
    """Return the runs of nextest in these lines."""
    runs: list[Run] = []
    cases: dict[str, Case] = {}
    for line in lines:
        if found := _CASE.fullmatch(line):
            _take(cases, found)
        elif summary := _SUMMARY.fullmatch(line):
            counts: dict[Status, int] = {}
            for count, word in _COUNT.findall(re.sub(r"\([^)]*\)", "", summary[3])):
                status = _COUNTED.get(word, Status.FAILED)
                counts[status] = counts.get(status, 0) + int(count)
            run = Run("nextest", counts=counted(counts), summary=True, seconds=number(summary[1]))
            run.cases, cases = list(cases.values()), {}
            run.verdict = verdict_of(run.counts)
            runs.append(run)
        elif runs and line.strip().startswith("error: test run failed"):
            cases = {}  # after the summary the failures are listed once more
    if cases and not (runs and set(cases) <= {case.name for case in runs[-1].cases}):
        run = Run("nextest", cases=list(cases.values()))
        for case in run.cases:
            run.counts[case.status] = run.counts.get(case.status, 0) + 1
        failing = any(case.status is Status.FAILED for case in run.cases)
        run.verdict = verdict_of(run.counts) if failing else None
        runs.append(run)
    return runs


def _take(cases: dict[str, Case], found: re.Match[str]) -> None:
    tried, word, attempt, seconds, name = found.groups()
    status = _STATUS.get(word, Status.FAILED)
    message = "" if word in ("PASS", "FAIL", "SKIP") else word.lower()
    attempts = int((tried or attempt or "1")[:6])
    cases[name] = Case(name, status, number(seconds), message=message, attempts=attempts)
