"""Reads what `go test` writes: plain, with -v, and with -json."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from traceproof.recorder.testruns.cases import Case, Run, Status, Verdict, count, verdict_of

_STATUS = {
    "PASS": Status.PASSED,
    "FAIL": Status.FAILED,
    "SKIP": Status.SKIPPED,
    "pass": Status.PASSED,
    "fail": Status.FAILED,
    "skip": Status.SKIPPED,
}
_CASE = re.compile(r"--- (PASS|FAIL|SKIP): (\S+) \((\d{1,9}\.\d+)s\)$")
_PACKAGE = re.compile(r"(ok  |FAIL|\?   |---)\t([^\s\[]+)(?:\t| )?(.*)")
_LOG = re.compile(r"\s+(\w[\w.-]*\.go):(\d{1,9}): (.*)")


class _Reader:
    def __init__(self) -> None:
        self.cases: list[Case] = []
        self.packages: dict[str, str] = {}
        self._waiting: list[Case] = []
        """Cases of the package that is named after them."""
        self._logged: tuple[str, int, str] | None = None
        self._unexplained: Case | None = None
        self._said: dict[str, tuple[str, int, str]] = {}

    def line(self, line: str) -> None:
        """Take a line of text."""
        if line.startswith("=== "):
            self._logged = self._unexplained = None
        elif found := _CASE.search(line):
            self._case(found)
        elif (package := _PACKAGE.fullmatch(line)) and package[1] != "---":
            self._package(package[1].strip(), package[2], package[3])
        elif log := _LOG.fullmatch(line):
            self._log(log[1], int(log[2]), log[3])

    def _case(self, found: re.Match[str]) -> None:
        case = Case(found[2], _STATUS[found[1]], float(found[3]))
        if self._logged and case.status is not Status.PASSED:
            case.file, case.line, case.message = self._logged
        self._logged = None
        failing = case.status is not Status.PASSED and not case.message
        self._unexplained = case if failing else None
        self._waiting.append(case)

    def _log(self, file: str, line: int, text: str) -> None:
        """Keep why a case failed: plain output says so below it, -v above it."""
        case, self._unexplained = self._unexplained, None
        if case:
            case.file, case.line, case.message = file, line, text
        else:
            self._logged = (file, line, text)

    def _package(self, word: str, package: str, rest: str) -> None:
        for case in self._waiting:
            case.name = f"{package}.{case.name}"
        self.cases += self._waiting
        self._waiting = []
        self._logged = None
        self.packages[package] = "none" if word == "?" or "[no test" in rest else word
        if "failed]" in rest:
            phase = "build" if "build" in rest else "setup"
            self.cases.append(Case(package, Status.ERROR, message=rest.strip("[]"), phase=phase))

    def json(self, event: dict[str, Any]) -> None:
        """Take an event of -json."""
        action, package, test = event.get("Action"), event.get("Package"), event.get("Test")
        if not isinstance(action, str) or not isinstance(package, str):
            return
        if isinstance(test, str):
            if action in _STATUS:
                self._tested(f"{package}.{test}", _STATUS[action], event.get("Elapsed"))
            elif action == "output" and (log := _LOG.fullmatch(str(event.get("Output")).rstrip())):
                self._said[f"{package}.{test}"] = (log[1], int(log[2]), log[3])
        elif action in _STATUS:
            self.packages[package] = {"pass": "ok", "skip": "none"}.get(action, "FAIL")

    def _tested(self, name: str, status: Status, elapsed: object) -> None:
        case = Case(name, status, float(elapsed) if isinstance(elapsed, int | float) else None)
        if status is not Status.PASSED and name in self._said:
            case.file, case.line, case.message = self._said[name]
        self.cases.append(case)

    def run(self) -> Run | None:
        """Return what was found; None where nothing was of `go test`."""
        cases = [*self.cases, *self._waiting]
        if not self.packages and not cases:
            return None
        run = Run("go", cases=cases, counts=count(cases))
        for word, fact in (
            ("ok", "packages_ok"),
            ("FAIL", "packages_failed"),
            ("none", "no_tests"),
        ):
            if number := list(self.packages.values()).count(word):
                run.facts[fact] = number
        run.verdict = verdict_of(run.counts)
        if run.verdict is not Verdict.FAILURE:
            run.verdict = self._verdict()
        return run

    def _verdict(self) -> Verdict | None:
        words = set(self.packages.values())
        if "FAIL" in words:
            return Verdict.FAILURE
        if "ok" in words:
            return Verdict.SUCCESS if not self._waiting else None
        return Verdict.SKIPPED if words else None


def parse(lines: Sequence[str]) -> list[Run]:
    """Return the run of `go test` in these lines; several count as one."""
    reader = _Reader()
    for line in lines:
        if line.startswith('{"') and '"Action"' in line:
            try:
                event = msgspec.json.decode(line)
            except (msgspec.DecodeError, ValueError):
                continue
            if isinstance(event, dict):
                reader.json(event)
        else:
            reader.line(line)
    run = reader.run()
    return [run] if run else []
