"""Reads what mocha writes: the tree of its spec reporter, its numbers, its list of failures."""

from __future__ import annotations

import re
from collections.abc import Sequence

from traceproof.recorder.testruns.cases import Case, Run, Status, counted, verdict_of
from traceproof.recorder.testruns.parsers.tree import Groups, indent, seconds, timed

_BETWEEN = " "
_PASSED = ("✔ ", "✓ ", "√ ")
_NUMBERED = re.compile(r"(\d{1,6})\) (.*)")
_PASSING = re.compile(r"  (\d{1,9}) passing \(([^)]{1,20})\)")
_COUNT = re.compile(r"  (\d{1,9}) (pending|failing)")
_AFTER = 6
"""Lines after the passing ones in which the other numbers stand."""


def parse(lines: Sequence[str]) -> list[Run]:
    """Return the runs of mocha in these lines: each has a line `2 passing (10ms)`."""
    runs: list[Run] = []
    start = 0
    places = [index for index, line in enumerate(lines) if _PASSING.fullmatch(line)]
    for place, following in zip(places, [*places, len(lines)][1:], strict=True):
        runs.append(_run(lines[start:place], lines[place:following]))
        start = place + 1
    return runs


def _run(before: Sequence[str], after: Sequence[str]) -> Run:
    passing = _PASSING.fullmatch(after[0])
    counts = {Status.PASSED: int(passing[1]) if passing else 0}
    for line in after[1:_AFTER]:
        if found := _COUNT.fullmatch(line):
            status = Status.SKIPPED if found[2] == "pending" else Status.FAILED
            counts[status] = int(found[1])
    cases = _tree(before)
    for case in _failures(after):
        cases[case.name] = case
    run = Run("mocha", cases=list(cases.values()), counts=counted(counts), summary=True)
    run.seconds = seconds(passing[2]) if passing else None
    run.verdict = verdict_of(run.counts)
    return run


def _tree(lines: Sequence[str]) -> dict[str, Case]:
    """Read the tree; a number in front of a name leads to the list of failures."""
    groups = Groups()
    cases: dict[str, Case] = {}
    for line in lines:
        text, depth = line.strip(), indent(line)
        if depth < 2 or not text:
            continue
        status = None
        if text.startswith(_PASSED):
            status, text = Status.PASSED, text[2:]
        elif text.startswith("- "):
            status, text = Status.SKIPPED, text[2:]
        elif not _NUMBERED.fullmatch(text):
            groups.enter(depth, text)
        if status:
            text, took = timed(text)
            name = _BETWEEN.join([*groups.names(depth), text])
            cases[name] = Case(name, status, took)
    return cases


def _failures(lines: Sequence[str]) -> list[Case]:
    """Read the list of failures: a number, the names one below the other, a colon, the error."""
    cases: list[Case] = []
    names: list[str] = []
    wants_message = False
    for line in lines:
        text = line.strip()
        found = _NUMBERED.fullmatch(text) if indent(line) == 2 else None
        if found:
            names, wants_message = [found[2]], False
        elif names and text:
            names.append(text)
        elif wants_message and text:
            cases[-1].message, wants_message = text, False
        if names and (text.endswith(":") or not text):
            whole = _BETWEEN.join(names).removesuffix(":")
            names = []
            phase = _phase(whole)
            cases.append(Case(whole, Status.ERROR if phase else Status.FAILED, phase=phase))
            wants_message = True
    return cases


def _phase(name: str) -> str:
    if '"before' in name and " hook" in name:
        return "setup"
    return "teardown" if '"after' in name and " hook" in name else ""
