"""Reads what pytest writes: its list of cases with -v, its summary of failures, its last line."""

from __future__ import annotations

import re
from collections.abc import Sequence

from traceproof.recorder.testruns.cases import Case, Run, Status, Verdict, counted, verdict_of
from traceproof.recorder.testruns.parsers.tree import number

_WORDS = {
    "PASSED": Status.PASSED,
    "FAILED": Status.FAILED,
    "ERROR": Status.ERROR,
    "SKIPPED": Status.SKIPPED,
    "XFAIL": Status.XFAILED,
    "XPASS": Status.XPASSED,
}
_COUNTED = {
    "passed": Status.PASSED,
    "failed": Status.FAILED,
    "error": Status.ERROR,
    "errors": Status.ERROR,
    "skipped": Status.SKIPPED,
    "xfailed": Status.XFAILED,
    "xpassed": Status.XPASSED,
}
_WORD = re.compile(r" (PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS)(?= |$)")
_SUMMARY = re.compile(r"(PASSED|FAILED|ERROR|XFAIL|XPASS) (.+)")
_IN_FILE = re.compile(r"[^\s:]+\.(?:py(?= - |$)|\w+::)")
"""How a line of the summary goes on; its heading may have been cut off by `tail`."""

_XDIST = re.compile(r"\[gw\d+\] (?:\[ *\d+%\] )?(PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS) (.+)")
_PERCENT = re.compile(r" +\[ *\d+%\]$| +\[ *\d+/\d+\]$")
_COUNT = re.compile(r"(\d{1,9})(?:/\d{1,9})? ([a-z]+(?: [a-z]+)?)(?: \(\d{1,9} deselected\))?")
_TIME = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(?:s| seconds)(?: \([\d:, a-z]{1,30}\))?")
_PLATFORM = re.compile(r"platform \S+ -- Python ([^\s,]+).*?, pytest-([^\s,]+)")
_COLLECTED = re.compile(
    r"(?:collecting \.\.\. )?collected (\d{1,9}) items?|\d+ workers? \[(\d{1,9}) items?\]"
)
_NODE_ID = re.compile(r"[^\s:][^:\s]*\.\w+::.*")
"""A case's name begins with its file; so do no other tools'."""

_STARTS = "test session starts"
_SHORT_SUMMARY = "short test summary info"


class _Reader:
    """One pass over the lines; a run ends with its last line, or where the next one begins."""

    def __init__(self) -> None:
        self.runs: list[Run] = []
        self._run: Run | None = None
        self._cases: dict[str, Case] = {}
        self._in_summary = False

    def line(self, line: str) -> None:
        """Take one line."""
        if line.startswith("=") and _STARTS in line:
            self.end()
            self._open()
        elif line.startswith("=") and _SHORT_SUMMARY in line:
            self._open()
            self._in_summary = True
        elif self._last_line(line):
            return
        elif (found := _SUMMARY.fullmatch(line)) and (self._in_summary or _IN_FILE.match(found[2])):
            self._summed_up(found[1], found[2])
        elif found := _XDIST.fullmatch(line):
            self._case(_WORDS[found[1]], found[2].strip())
        elif "::" in line:
            self._verbose(line)
        elif line.startswith("!!!") or self._run:
            self._about(line)

    def _open(self) -> Run:
        if self._run is None:
            self._run = Run("pytest", facts={})
            self._cases = {}
            self._in_summary = False
        return self._run

    def _about(self, line: str) -> None:
        run = self._open()
        if found := _PLATFORM.match(line):
            run.facts["python"], run.version = found[1], found[2]
        elif found := _COLLECTED.match(line):
            run.facts["collected"] = int(found[1] or found[2])
        elif line.startswith("!!!"):
            said = line.strip("! ")
            if said.startswith(("KeyboardInterrupt", "_pytest.outcomes.Exit")):
                run.facts["interrupted"] = said
        elif line.startswith("Using --randomly-seed="):
            run.facts["seed"] = line.partition("=")[2]

    def _verbose(self, line: str) -> None:
        """Read `file.py::name STATUS (why) [ 50%]`; the name may hold blanks."""
        line = _PERCENT.sub("", line)
        for found in _WORD.finditer(line):
            name = line[: found.start()]
            why = line[found.end() :].strip()
            if _NODE_ID.fullmatch(name):
                if not why or (why.startswith("(") and why.endswith(")")):
                    self._case(_WORDS[found[1]], name, why[1:-1])
                return

    def _summed_up(self, word: str, rest: str) -> None:
        """Read a line of the short summary: the name, and after a dash why."""
        name = next((known for known in _prefixes(rest) if known in self._cases), "")
        if not name:
            name = _name_of(rest)
        self._case(_WORDS[word], name, rest[len(name) :].removeprefix(" - ").strip())

    def _case(self, status: Status, name: str, message: str = "") -> None:
        self._open()
        phase = "collect" if status is Status.ERROR and "::" not in name else ""
        known = self._cases.get(name)
        failing = (Status.ERROR, Status.FAILED)
        if known and known.status in failing and not (status in failing and message):
            return
        self._cases[name] = Case(name, status, message=message, phase=phase)

    def _last_line(self, line: str) -> bool:
        """Read `== 1 failed, 2 passed in 0.12s ==`; with -q it has no bars."""
        left, found, right = line.strip("= ").rpartition(" in ")
        time = _TIME.fullmatch(right) if found else None
        if not time:
            return False
        counts: dict[Status, int] = {}
        facts: dict[str, int | bool] = {}
        if left != "no tests ran" and not left.startswith("no tests collected"):
            for part in left.split(", "):
                counting = _COUNT.fullmatch(part)
                if not counting:
                    return False
                if counting[2] in ("tests collected", "test collected"):
                    facts |= {"collected": int(counting[1]), "collect_only": True}
                elif counting[2] == "deselected":
                    facts["deselected"] = int(counting[1])
                elif status := _COUNTED.get(counting[2]):
                    counts[status] = counts.get(status, 0) + int(counting[1])
                elif counting[2] not in (
                    "warning",
                    "warnings",
                    "rerun",
                    "subtests passed",
                    "subtests failed",
                ):
                    return False
        run = self._open()
        run.facts |= facts
        run.counts, run.summary, run.seconds = counted(counts), True, number(time[1])
        self.end()
        return True

    def end(self) -> None:
        """End the run that is open, if it has anything in it."""
        run, self._run = self._run, None
        if run is None or not (run.summary or self._cases or run.version):
            return
        run.cases = list(self._cases.values())
        if not run.summary:
            for case in run.cases:
                run.counts[case.status] = run.counts.get(case.status, 0) + 1
        run.verdict = _verdict(run)
        self.runs.append(run)


def parse(lines: Sequence[str]) -> list[Run]:
    """Return the runs of pytest in these lines."""
    reader = _Reader()
    for line in lines:
        reader.line(line)
    reader.end()
    return reader.runs


def _verdict(run: Run) -> Verdict | None:
    if "interrupted" in run.facts:
        return Verdict.ABORTED
    found = verdict_of(run.counts)
    if found is Verdict.FAILURE or run.summary:
        return found or Verdict.SKIPPED
    return None  # cut off: what came later is not known


def _prefixes(rest: str) -> list[str]:
    """Return what the name may be: the text up to each dash, the longest first."""
    parts = rest.split(" - ")[:20]
    return [" - ".join(parts[:end]) for end in range(len(parts), 0, -1)]


def _name_of(rest: str) -> str:
    """Take the name of a case whose parameters may hold blanks and dashes."""
    bracket, dash = rest.find("["), rest.find(" - ")
    if 0 <= bracket < dash or (bracket >= 0 and dash < 0):
        close = rest.find("] - ", bracket)
        if close >= 0:
            return rest[: close + 1]
        return rest if dash < 0 or rest.endswith("]") else rest[:dash]
    return rest if dash < 0 else rest[:dash]
