"""Reads what vitest writes: its list with --reporter=verbose, its failures, its summary."""

from __future__ import annotations

import re
from collections.abc import Sequence

from traceproof.recorder.testruns.cases import Case, Run, Status, counted, verdict_of
from traceproof.recorder.testruns.parsers.tree import seconds

_BETWEEN = " > "
_SIGNS = {
    "✓": Status.PASSED,
    "√": Status.PASSED,
    "×": Status.FAILED,
    "✗": Status.FAILED,
    "↓": Status.SKIPPED,
    "□": Status.SKIPPED,
}
_COUNTED = {
    "passed": Status.PASSED,
    "failed": Status.FAILED,
    "skipped": Status.SKIPPED,
    "todo": Status.SKIPPED,
}
_COUNT = re.compile(r"(\d{1,9}) (passed|failed|skipped|todo)")
_VERSION = re.compile(r"\s*(?:RUN|DEV)\s+v(\d\S*).*")
_TESTS = re.compile(r"\s+Tests  (.*\(\d{1,9}\)|no tests)")
_FILES = re.compile(r"\s*Test Files  (.*)")
_DURATION = re.compile(r"\s+Duration  (\S+).*")
_BROKEN = re.compile(r"(\S+) \[ .+ \]")


class _Reader:
    def __init__(self) -> None:
        self.runs: list[Run] = []
        self._new()

    def _new(self) -> None:
        self._version = ""
        self._cases: dict[str, Case] = {}
        self._failing: list[Case] = []
        self._counts: dict[Status, int] | None = None
        self._files_failed = False

    def line(self, line: str) -> None:
        """Take a line."""
        text = line.strip()
        sign, _, rest = text.partition(" ")
        if found := _VERSION.fullmatch(line):
            self._end()
            self._version = found[1]
        elif found := _FILES.fullmatch(line):
            self._files_failed = " failed" in found[1]
        elif found := _TESTS.fullmatch(line):
            self._counts = {}
            for number, word in _COUNT.findall(found[1]):
                status = _COUNTED[word]
                self._counts[status] = self._counts.get(status, 0) + int(number)
        elif (found := _DURATION.fullmatch(line)) and self._counts is not None:
            self._end(seconds(found[1]))
        elif sign == "FAIL" and line.startswith((" FAIL", "FAIL")):
            self._failed(rest.strip())
        elif self._failing and text and not text.startswith("⎯"):
            for case in self._failing:
                case.message = case.message or text
            self._failing = []
        elif sign in _SIGNS and _BETWEEN in rest:
            self._verbose(_SIGNS[sign], rest)

    def _verbose(self, status: Status, rest: str) -> None:
        name, _, last = rest.rpartition(" ")
        took = seconds(last) if name else None
        if took is None:
            name = rest
        self._put(name, status, took)

    def _failed(self, rest: str) -> None:
        if broken := _BROKEN.fullmatch(rest):
            name = broken[1]
            case = Case(name, Status.ERROR, file=name, phase="build")
            self._cases[name] = case
        elif _BETWEEN in rest:
            case = self._put(rest, Status.FAILED, None)
        else:
            return
        self._failing.append(case)

    def _put(self, name: str, status: Status, took: float | None) -> Case:
        file = name.partition(_BETWEEN)[0].rpartition("| ")[2].strip()
        case = self._cases.get(name)
        if case is None:
            case = self._cases[name] = Case(name, status, took, file=file)
        return case

    def _end(self, took: float | None = None) -> None:
        """End a run; without anything of vitest's there is none."""
        cases = list(self._cases.values())
        if self._counts is not None or (self._version and cases):
            errors = sum(case.status is Status.ERROR for case in cases)
            counts = dict(self._counts or {})
            if self._counts is None:
                for case in cases:
                    counts[case.status] = counts.get(case.status, 0) + 1
            counts = counted({**counts, Status.ERROR: errors or int(self._nameless(counts))})
            run = Run("vitest", self._version, cases, counts, self._counts is not None)
            failing = any(case.status.passes is False for case in cases)
            if self._counts is not None or failing:
                run.verdict = verdict_of(counts)
            run.seconds = took
            self.runs.append(run)
        self._new()

    def _nameless(self, counts: dict[Status, int]) -> bool:
        """Tell whether a file failed of which no test did: it could not be loaded."""
        return self._files_failed and not counts.get(Status.FAILED)

    def close(self) -> None:
        """End what is open."""
        self._end()


def parse(lines: Sequence[str]) -> list[Run]:
    """Return the runs of vitest in these lines."""
    reader = _Reader()
    for line in lines:
        reader.line(line)
    reader.close()
    return reader.runs
