"""Reads what `python -m unittest` writes, and tools that print like it (Django, nose2, trial)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from traceproof.recorder.testruns.cases import Case, Run, Status, Verdict, counted, verdict_of
from traceproof.recorder.testruns.parsers.tree import number

_RESULTS = {
    "ok": Status.PASSED,
    "FAIL": Status.FAILED,
    "ERROR": Status.ERROR,
    "expected failure": Status.XFAILED,
    "unexpected success": Status.FAILED,
}
_ID = re.compile(r" {0,4}(\w+) \(([\w.<>-]+)\)( .*)?")
_HEADING = re.compile(r"(FAIL|ERROR|UNEXPECTED SUCCESS): (.+)")
_RAN = re.compile(r"Ran (\d{1,9}) tests? in (\d{1,9}(?:\.\d+)?)s")
_ENDED = re.compile(r"(OK|FAILED|NO TESTS RAN)(?: \((.*)\))?")
_COUNT = re.compile(r"([a-z ]+)=(\d{1,9})")
_UNEXPECTED = "unexpected success"
_BAR = "-" * 70
_LOOK_AHEAD = 200


def parse(lines: Sequence[str]) -> list[Run]:
    """Return the runs of unittest in these lines: each ends with `Ran 3 tests in 0.001s`."""
    runs: list[Run] = []
    start = 0
    for index, line in enumerate(lines):
        if ran := _RAN.fullmatch(line):
            runs.append(_run(lines[start:index], lines[index + 1 : index + 4], ran))
            start = index + 1
    return runs


def _run(before: Sequence[str], after: Sequence[str], ran: re.Match[str]) -> Run:
    cases = _cases(before)
    run = Run("unittest", cases=list(cases.values()), seconds=number(ran[2]))
    ended = next((found for line in after if (found := _ENDED.fullmatch(line))), None)
    said = {name: int(value) for name, value in _COUNT.findall(ended[2] or "")} if ended else {}
    said = {name.strip(): value for name, value in said.items()}
    failing = {case.name.partition(" ")[0] for case in run.cases if case.status.passes is False}
    in_run = {name for name in failing if not _is_fixture(name)}
    unexpected = said.get("unexpected successes", 0)
    named = len(in_run) or said.get("failures", 0) + said.get("errors", 0) + unexpected
    rest = said.get("skipped", 0) + said.get("expected failures", 0)
    run.counts = counted(
        {
            Status.PASSED: max(0, int(ran[1]) - named - rest),
            Status.FAILED: said.get("failures", 0) + unexpected,
            Status.ERROR: said.get("errors", 0),
            Status.SKIPPED: said.get("skipped", 0),
            Status.XFAILED: said.get("expected failures", 0),
        }
    )
    run.summary = True
    run.verdict = _verdict(ended[1] if ended else "", run.counts)
    return run


def _verdict(word: str, counts: dict[Status, int]) -> Verdict | None:
    if word == "NO TESTS RAN":
        return Verdict.SKIPPED
    if word == "OK":
        return verdict_of(counts) or Verdict.SKIPPED
    return Verdict.FAILURE if word == "FAILED" else None


def _cases(lines: Sequence[str]) -> dict[str, Case]:
    """Read the list that -v gives, and the headings of what failed."""
    cases: dict[str, Case] = {}
    name = ""
    for index, line in enumerate(lines):
        if heading := _HEADING.fullmatch(line):
            found, reason = _name(heading[2]), _reason(lines, index)
            failure = _RESULTS.get(heading[1], Status.FAILED)
            message = reason if heading[1] in _RESULTS else _UNEXPECTED
            cases[found] = Case(found, failure, message=message, phase=_phase(found))
            name = ""
            continue
        left, dots, result = line.rpartition(" ... ")
        if line.endswith(" ..."):
            name = _name(line[:-4]) or name
        elif dots and (status := _result(result)):
            name = _name(left) or name
            _put(cases, name, status, result)
            name = ""
        elif name and (status := _result(line)):
            _put(cases, name, status, line)
            name = ""
        elif found := _name(line):
            name = found
    return cases


def _put(cases: dict[str, Case], name: str, status: Status, result: str) -> None:
    if name:
        why = result.partition(" ")[2].strip("'\"") if result.startswith("skipped") else ""
        why = why or (_UNEXPECTED if result == _UNEXPECTED else "")
        cases[name] = Case(name, status, message=why, phase=_phase(name))


def _result(text: str) -> Status | None:
    return Status.SKIPPED if text.startswith("skipped") else _RESULTS.get(text)


def _name(text: str) -> str:
    """Read `method (module.Class.method) (i=1)`; before Python 3.11 without the second method."""
    found = _ID.fullmatch(text)
    if not found or ("." not in found[2] and found[1] not in ("setUpModule", "tearDownModule")):
        return ""
    whole = found[2] if found[2].endswith("." + found[1]) else f"{found[2]}.{found[1]}"
    return whole + (found[3] or "")


def _is_fixture(name: str) -> bool:
    return name.rpartition(".")[2] in (
        "setUpClass",
        "tearDownClass",
        "setUpModule",
        "tearDownModule",
    )


def _phase(name: str) -> str:
    if not _is_fixture(name):
        return ""
    return "setup" if name.rpartition(".")[2].startswith("setUp") else "teardown"


def _reason(lines: Sequence[str], index: int) -> str:
    """Return the first line of the error below a heading."""
    text = lines[index + 1 : index + _LOOK_AHEAD]
    bar = next((place for place, line in enumerate(text[:4]) if line.startswith(_BAR)), 0)
    for line in text[bar + 1 :]:
        if line.startswith(("====", _BAR)):
            break
        if line and not line.startswith((" ", "Traceback (")):
            return line
    return ""
