"""Readers of what test tools write: lines in, runs out. Pure, and they never raise.

A parser takes the lines of one stream (`traceproof.recorder.testruns.output.lines`) and returns the
runs of its tool that it finds, none where there is nothing of the tool's in them. Output may be cut
anywhere, and other programs' lines may stand between: what is not understood is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from traceproof.recorder.testruns.cases import Run
from traceproof.recorder.testruns.output import lines
from traceproof.recorder.testruns.parsers import (
    cargo_text,
    ctest_text,
    go_text,
    gradle_text,
    jest_text,
    maven_text,
    mocha_text,
    nextest_text,
    node_text,
    pytest_text,
    unittest_text,
    vitest_text,
)

PARSERS: dict[str, Callable[[Sequence[str]], list[Run]]] = {
    "pytest": pytest_text.parse,
    "unittest": unittest_text.parse,
    "go": go_text.parse,
    "cargo": cargo_text.parse,
    "nextest": nextest_text.parse,
    "jest": jest_text.parse,
    "vitest": vitest_text.parse,
    "mocha": mocha_text.parse,
    "node": node_text.parse,
    "ctest": ctest_text.parse,
    "maven": maven_text.parse,
    "gradle": gradle_text.parse,
}
"""By the tool's name."""


def parse_lines(found: Sequence[str], frameworks: Iterable[str] = tuple(PARSERS)) -> list[Run]:
    """Return the runs of these tools in the lines of an output."""
    return [run for name in frameworks if name in PARSERS for run in PARSERS[name](found)]


def parse(data: bytes | str, frameworks: Iterable[str] = tuple(PARSERS)) -> list[Run]:
    """Return the runs of these tools in an output."""
    return parse_lines(lines(data), frameworks)
