"""Reads what `cargo test` writes: the standard test harness of each target, one after the other."""

from __future__ import annotations

import re
from collections.abc import Sequence

from traceproof.recorder.testruns.cases import Case, Run, Status, Verdict, counted, verdict_of

_STATUS = {"ok": Status.PASSED, "FAILED": Status.FAILED}
_TARGET = re.compile(r"\s+(?:Running(?: unittests)?|Doc-tests) (\S+)(?: \(.*\))?")
_RESULT = re.compile(
    r"test result: (ok|FAILED)\. (\d{1,9}) passed; (\d{1,9}) failed; (\d{1,9}) ignored; .*"
)
_STDOUT = re.compile(r"---- (.+) stdout ----")
_PANIC = re.compile(r"thread .* panicked at (?:'(.*)', )?([^\s:]+):(\d{1,9})(?::\d+)?:?")
_PANICS = " - should panic"


class _Reader:
    def __init__(self) -> None:
        self.cases: dict[str, Case] = {}
        self.results = 0
        self.failed = False
        self.counts = dict.fromkeys((Status.PASSED, Status.FAILED, Status.SKIPPED), 0)
        self._target = ""
        self._of: dict[str, str] = {}
        self._open = ""
        self._of_panic: Case | None = None
        self._wants_message = False

    def line(self, line: str) -> None:
        """Take a line."""
        if self._wants_message and self._of_panic:
            self._of_panic.message, self._wants_message = line, False
        elif target := _TARGET.fullmatch(line):
            self._target = target[1]
        elif result := _RESULT.fullmatch(line):
            self._result(result)
        elif line.startswith("test ") and " ... " in line + " ":
            self._test(line)
        elif line in _STATUS and self._open:
            self._put(self._open, _STATUS[line])
        elif line.endswith(" --- FAILED"):
            self._put(line.removesuffix(" --- FAILED"), Status.FAILED)
        elif stdout := _STDOUT.fullmatch(line):
            self._of_panic = self.cases.get(self._named(stdout[1]))
        elif line.startswith("thread ") and (panic := _PANIC.match(line)):
            self._panic(panic)
        elif line.startswith("error: could not compile"):
            name = line.partition("`")[2].partition("`")[0]
            self.cases[name] = Case(name, Status.ERROR, message=line, phase="build")

    def _result(self, result: re.Match[str]) -> None:
        self.results += 1
        self.failed = self.failed or result[1] == "FAILED"
        numbers = (int(result[2]), int(result[3]), int(result[4]))
        for status, number in zip(tuple(self.counts), numbers, strict=True):
            self.counts[status] += number
        self._of_panic = None

    def _test(self, line: str) -> None:
        """Read `test a::b ... ok`; what the test wrote may stand before the result."""
        name, _, result = line.removeprefix("test ").partition(" ... ")
        name = name.removesuffix(" ...").removesuffix(_PANICS)
        word, _, why = result.partition(", ")
        self._open = ""
        if word in _STATUS:
            self._put(name, _STATUS[word])
        elif word == "ignored":
            self._put(name, Status.SKIPPED, why)
        elif not result.startswith("bench:"):
            self._open = name

    def _put(self, name: str, status: Status, message: str = "") -> None:
        if self._of.setdefault(name, self._target) != self._target:
            name = f"{self._target}: {name}"
        self.cases[name] = Case(name, status, message=message)
        self._open = ""

    def _named(self, name: str) -> str:
        with_target = f"{self._target}: {name}"
        return with_target if with_target in self.cases else name

    def _panic(self, panic: re.Match[str]) -> None:
        case = self._of_panic
        if case and not case.message:
            case.file, case.line, case.message = panic[2], int(panic[3]), panic[1] or ""
            self._wants_message = not case.message

    def run(self) -> Run | None:
        """Return what was found, if anything was of cargo's."""
        if not self.results and not self.cases:
            return None
        cases = list(self.cases.values())
        counts = self.counts
        if not self.results:
            counts = {status: sum(case.status is status for case in cases) for status in counts}
        counts[Status.ERROR] = sum(case.status is Status.ERROR for case in cases)
        run = Run("cargo", cases=cases, counts=counted(counts), summary=bool(self.results))
        run.verdict = verdict_of(run.counts)
        if self.failed:
            run.verdict = Verdict.FAILURE
        elif not self.results and run.verdict is not Verdict.FAILURE:
            run.verdict = None
        elif self.results:
            run.verdict = run.verdict or Verdict.SKIPPED
        return run


def parse(lines: Sequence[str]) -> list[Run]:
    """Return the run of `cargo test` in these lines: all its targets together."""
    reader = _Reader()
    for line in lines:
        reader.line(line)
    run = reader.run()
    return [run] if run else []
