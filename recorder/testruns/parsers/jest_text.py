"""Reads what jest writes: its tree with --verbose, its list of failures, its summary."""

from __future__ import annotations

import re
from collections.abc import Sequence

from traceproof.recorder.testruns.cases import Case, Run, Status, counted, verdict_of
from traceproof.recorder.testruns.parsers.tree import Groups, indent, seconds, timed

_FILE = re.compile(r" ?(PASS|FAIL) +(.+)")
_SIGNS = {"✓": Status.PASSED, "√": Status.PASSED, "✕": Status.FAILED, "×": Status.FAILED}
_WORDS = {"○ skipped ": Status.SKIPPED, "✎ todo ": Status.SKIPPED}
_COUNTED = {
    "passed": Status.PASSED,
    "failed": Status.FAILED,
    "skipped": Status.SKIPPED,
    "todo": Status.SKIPPED,
}
_COUNT = re.compile(r"(\d{1,9}) (passed|failed|skipped|todo)")
_NO_CASE = ("Console", "Deprecation Warning", "Validation ", "Cannot log after", "process.exit")
_BROKEN = "Test suite failed to run"
_BETWEEN = " › "


class _Reader:
    def __init__(self) -> None:
        self.runs: list[Run] = []
        self._cases: dict[str, Case] = {}
        self._file = ""
        self._groups = Groups()
        self._in_tree = False
        self._failing: Case | None = None
        self._counts: dict[Status, int] | None = None
        self._broken = 0

    def line(self, line: str) -> None:
        """Take a line."""
        if (found := _FILE.fullmatch(line)) and _is_path(timed(found[2])[0]):
            self._file, self._in_tree, self._failing = timed(found[2])[0], True, None
            self._groups = Groups()
        elif line.startswith("  ● "):
            self._heading(line[4:])
        elif line.startswith("Tests: "):
            self._counts = {}
            for number, word in _COUNT.findall(line):
                status = _COUNTED[word]
                self._counts[status] = self._counts.get(status, 0) + int(number)
        elif line.startswith("Test Suites: "):
            self._broken = 0
        elif line.startswith("Time: ") and self._counts is not None:
            self._end(line)
        elif self._failing and line.strip():
            self._failing.message, self._failing = line.strip(), None
        elif self._in_tree and line.strip():
            self._tree(line)

    def _tree(self, line: str) -> None:
        text, depth = line.strip(), indent(line)
        sign, _, rest = text.partition(" ")
        name, took = timed(rest)
        if sign in _SIGNS:
            self._put(self._groups.names(depth), name, _SIGNS[sign], took)
            return
        for word, status in _WORDS.items():
            if text.startswith(word):
                self._put(self._groups.names(depth), text.removeprefix(word), status)
                return
        if depth >= 2 and depth % 2 == 0:
            self._groups.enter(depth, text)
        else:
            self._in_tree = False

    def _heading(self, text: str) -> None:
        self._in_tree = False
        if text == _BROKEN and self._file:
            self._failing = Case(self._file, Status.ERROR, phase="build", file=self._file)
            self._cases[self._file] = self._failing
        elif self._file and not text.startswith(_NO_CASE):
            known = self._put([], text, Status.FAILED)
            self._failing = None if known.message else known

    def _put(self, groups: list[str], name: str, status: Status, took: float | None = None) -> Case:
        whole = _BETWEEN.join([self._file, *groups, name])
        case = self._cases.get(whole)
        if case is None:
            case = self._cases[whole] = Case(whole, status, took, file=self._file)
        return case

    def _end(self, line: str) -> None:
        cases = list(self._cases.values())
        errors = sum(case.status is Status.ERROR for case in cases)
        counts = counted({**(self._counts or {}), Status.ERROR: errors})
        took = seconds(line.removeprefix("Time:").partition(",")[0].strip())
        run = Run("jest", cases=cases, counts=counts, summary=True, seconds=took)
        run.verdict = verdict_of(counts)
        self.runs.append(run)
        self._cases, self._counts, self._file, self._in_tree = {}, None, "", False

    def rest(self) -> None:
        """Make a run of what had no summary, if it says anything."""
        if self._cases or self._counts:
            counts = self._counts or {}
            cases = list(self._cases.values())
            if not counts:
                for case in cases:
                    counts[case.status] = counts.get(case.status, 0) + 1
            failing = any(case.status.passes is False for case in cases)
            known = failing or self._counts is not None
            verdict = verdict_of(counts) if known else None
            self.runs.append(Run("jest", cases=cases, counts=counted(counts), verdict=verdict))


def parse(lines: Sequence[str]) -> list[Run]:
    """Return the runs of jest in these lines."""
    reader = _Reader()
    for line in lines:
        reader.line(line)
    reader.rest()
    return reader.runs


def _is_path(text: str) -> bool:
    """Tell whether this is jest's: other tools write PASS and FAIL in front of names, too."""
    name = text.rpartition("/")[2].rpartition("\\")[2]
    return " > " not in text and bool(re.fullmatch(r".*\.[cm]?[jt]sx?", name))
