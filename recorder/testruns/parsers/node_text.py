"""Reads what `node --test` writes: its spec reporter, and TAP."""

from __future__ import annotations

import re
from collections.abc import Sequence

from traceproof.recorder.testruns.cases import Case, Run, Status, counted, verdict_of
from traceproof.recorder.testruns.parsers.tree import Groups, indent, number, timed

_BETWEEN = " > "
_SIGNS = {"✔": Status.PASSED, "✖": Status.FAILED, "﹣": Status.SKIPPED}
_TAP = re.compile(r"(ok|not ok) \d{1,9}(?: -)? ?(.*)")
_NUMBER = re.compile(
    r"[ℹ#] (tests|pass|fail|cancelled|skipped|todo|duration_ms) (\d{1,12}(?:\.\d+)?)"
)
_FAILING = "✖ failing tests:"


class _Reader:
    def __init__(self) -> None:
        self.runs: list[Run] = []
        self._new()

    def _new(self) -> None:
        self._cases: dict[str, Case] = {}
        self._groups = Groups()
        self._numbers: dict[str, float] = {}
        self._repeating = False
        self._last: Case | None = None

    def line(self, line: str) -> None:
        """Take a line."""
        if found := _NUMBER.fullmatch(line):
            self._numbers[found[1]] = number(found[2]) or 0.0
            if found[1] == "duration_ms":
                self._end()
            return
        text, depth = line.strip(), indent(line)
        if line == _FAILING or self._repeating:
            self._repeating = not line.startswith("▶") or line == _FAILING
            return
        sign, _, rest = text.partition(" ")
        if sign == "▶" or text.startswith("# Subtest: "):
            self._enter(depth, rest.removeprefix("Subtest: "), tap=sign == "#")
        elif sign in _SIGNS and rest:
            self._spec(depth, _SIGNS[sign], rest)
        elif found := _TAP.fullmatch(text):
            self._tap(depth, found[1] == "ok", found[2])
        elif self._last and text.startswith(("error: ", "duration_ms: ", "type: 'suite'")):
            self._about(text)

    def _enter(self, depth: int, name: str, *, tap: bool) -> None:
        self._groups.enter(depth, timed(_plain(name))[0] if not tap else _plain(name))

    def _spec(self, depth: int, status: Status, rest: str) -> None:
        name, found, directive = rest.rpartition(" # ")
        if not found or not name.endswith(")"):
            name, directive = rest, ""
        elif directive.lower().startswith("todo"):
            status = Status.SKIPPED
        name, took = timed(name)
        self._put(depth, name, status, took, directive if status is Status.SKIPPED else "")

    def _tap(self, depth: int, passed: bool, rest: str) -> None:
        name, found, directive = rest.rpartition(" # ")
        status = Status.PASSED if passed else Status.FAILED
        if not found or not directive.lower().startswith(("skip", "todo")):
            name, directive = rest, ""
        else:
            status = Status.SKIPPED
            directive = directive[4:].strip() or directive
        self._put(depth, _plain(name), status, None, directive)

    def _put(self, depth: int, name: str, status: Status, took: float | None, message: str) -> None:
        """Note a case; a group that ends is none, and is known by what was noted within it."""
        path = [*self._groups.names(depth), name]
        whole = _BETWEEN.join(path)
        within = whole + _BETWEEN
        last = self._last.name if self._last else ""
        if last.startswith(within):
            self._last = Case(within, status)  # the group itself; its parent ends after it
            return
        self._last = self._cases[whole] = Case(whole, status, took, message=message)

    def _about(self, text: str) -> None:
        case = self._last
        if case is None:
            return
        word, _, value = text.partition(": ")
        if word == "error":
            case.message = case.message or value.strip("'\"")
        elif word == "duration_ms":
            case.seconds = number(value, 0.001)
        else:
            self._cases.pop(case.name, None)

    def _end(self) -> None:
        numbers = {name: int(value) for name, value in self._numbers.items()}
        counts = counted(
            {
                Status.PASSED: numbers.get("pass", 0),
                Status.FAILED: numbers.get("fail", 0) + numbers.get("cancelled", 0),
                Status.SKIPPED: numbers.get("skipped", 0) + numbers.get("todo", 0),
            }
        )
        if "tests" in numbers and "pass" in numbers:
            run = Run("node", cases=list(self._cases.values()), counts=counts, summary=True)
            run.seconds = self._numbers["duration_ms"] / 1000
            run.verdict = verdict_of(counts)
            self.runs.append(run)
        self._new()


def parse(lines: Sequence[str]) -> list[Run]:
    """Return the runs of `node --test` in these lines: each ends with its numbers."""
    reader = _Reader()
    for line in lines:
        reader.line(line)
    return reader.runs


def _plain(name: str) -> str:
    return name.replace("\\#", "#").replace("\\\\", "\\")
