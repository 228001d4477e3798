"""Reads a JUnit XML report that a test runner left: cases out of bytes.

The report comes out of a sandbox, so nothing that XML can do beside elements is done: a document
type, and with it every entity, is refused, and depth, size and numbers have bounds. The runner that
wrote it is believed: who runs beside the tests can write such a file as well.
"""

from __future__ import annotations

import math
from xml.parsers import expat

from traceproof.replay.runs import Case, Outcome

DEPTH = 64
CASES = 200_000
TEXT = 8000
MESSAGE = 500

_OUTCOMES: dict[str, Outcome] = {"failure": "failed", "error": "error", "skipped": "skipped"}


class _Open:
    """A test case whose element is open."""

    def __init__(self, attributes: dict[str, str]) -> None:
        self.name = "::".join(
            part for part in (attributes.get("classname", ""), attributes.get("name", "")) if part
        )
        self.seconds = _seconds(attributes.get("time", ""))
        self.outcome: Outcome = "passed"
        self.message = ""
        self.text: list[str] = []


class _Reader:
    def __init__(self) -> None:
        self.cases: list[Case] = []
        self._depth = 0
        self._case: _Open | None = None
        self._within = False
        self._counts: dict[str, int] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > DEPTH:
            raise ValueError(f"elements stand in each other more than {DEPTH} deep")
        if self._depth == 1 and name not in ("testsuite", "testsuites"):
            raise ValueError(f"its first element is <{name[:40]}>, not <testsuites>")
        if name == "testcase":
            self._case = _Open(attributes)
        elif self._case is not None and name in _OUTCOMES and self._case.outcome == "passed":
            self._case.outcome = _OUTCOMES[name]
            self._case.message = attributes.get("message", "")
            self._within = True

    def text(self, data: str) -> None:
        if self._within and self._case is not None:
            self._case.text.append(data)

    def end(self, name: str) -> None:
        self._depth -= 1
        if name in _OUTCOMES:
            self._within = False
        if name == "testcase" and self._case is not None:
            self._add(self._case)
            self._case = None

    def _add(self, case: _Open) -> None:
        if len(self.cases) >= CASES:
            raise ValueError(f"it has more than {CASES} cases")
        repeat = self._counts.get(case.name, 0)
        self._counts[case.name] = repeat + 1
        detail = "".join(case.text).strip()
        lines = (case.message or detail).strip().splitlines()
        self.cases.append(
            Case(
                test=case.name,
                outcome=case.outcome,
                seconds=case.seconds,
                repeat=repeat,
                phase="call" if case.outcome == "failed" else "",
                message=lines[0][:MESSAGE] if lines else "",
                detail=detail[-TEXT:],
            )
        )


def read(data: bytes) -> tuple[Case, ...]:
    """Return the cases of a report, in their order; the same name again is a repeat.

    Raises:
        ValueError: it is no JUnit report, or holds what none needs.
    """
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.buffer_text = True
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise ValueError(f"it is no XML: {error}") from None
    return tuple(reader.cases)


def _refuse(*_: object) -> None:
    raise ValueError("it has a document type, which no JUnit report needs")


def _seconds(text: str) -> float:
    try:
        value = float(text.replace(",", ""))
    except ValueError:
        return 0.0
    return value if 0 <= value < math.inf else 0.0
