"""The matrix of tests and axes as a heat map: how often each test flipped under each. Pure.

Colour is never alone: every cell says its figures, and what was not tried has a dash.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from traceproof.replay.exports.tests import UNSTEADY, file_of, status
from traceproof.replay.html.bits import badge, code, section
from traceproof.replay.html.markup import Html, element
from traceproof.replay.html.unsteady import anchor
from traceproof.replay.html.words import AXES
from traceproof.replay.verdict import Rate, TestVerdict, Verdict

_STEPS = (0.9, 0.5, 0.25, 0.1)
_FEW = 40
"""Tests up to which all are shown from the start."""
_SHOWN = (("all", "all"), ("unsteady", "not steady"), ("failing", "failing"))


def matrix(verdict: Verdict) -> Html | None:
    """Return the heat map; None without tests."""
    if not verdict.tests:
        return None
    axes = columns(verdict.tests)
    tests = sorted(verdict.tests, key=lambda test: (file_of(test.test), test.test))
    head = ["test", "identical", *(AXES.get(axis, axis) for axis in axes)]
    table = element(
        "table",
        element("caption", "Executions that came out otherwise, of all, for each test and axis"),
        element("thead", element("tr", [element("th", name, scope="col") for name in head])),
        [
            _file(file, list(inside), axes)
            for file, inside in groupby(tests, lambda t: file_of(t.test))
        ],
        class_="matrix",
    )
    scroll = element(
        "div", table, class_="scroll tall", tabindex="0", role="region", aria_label="heat map"
    )
    return section("Test by test", _filter(tests), _legend(), scroll, name="matrix")


def columns(tests: Iterable[TestVerdict]) -> list[str]:
    """Return the axes that any test was run under, in their order."""
    present = {axis for test in tests for axis in test.axes}
    return [*(axis for axis in AXES if axis in present), *sorted(present - set(AXES))]


def level(rate: Rate) -> int:
    """Return how hot a cell is: 0, never flipped, to 5, nine times in ten or more."""
    if not rate.flips:
        return 0
    share = rate.flips / max(rate.runs, 1)
    return 5 - next((k for k, least in enumerate(_STEPS) if share >= least), 4)


def _file(file: str, tests: Sequence[TestVerdict], axes: Sequence[str]) -> Html:
    """Return the rows of one file's tests, under its name."""
    title = element("th", code(file or "tests"), scope="rowgroup", colspan=str(len(axes) + 2))
    kinds = dict.fromkeys(kind for test in tests for kind in _kinds(test))
    rows = [_row(test, file, axes) for test in tests]
    head = element("tr", title, class_="file")
    return element("tbody", head, rows, class_=" ".join(kinds) or None)


def _kinds(test: TestVerdict) -> Iterator[str]:
    """Yield what the filter goes by: `u`, not steady; `f`, failing."""
    if test.class_ != "steady":
        yield "u"
    if status(test.outcome) == "failed":
        yield "f"


def _row(test: TestVerdict, file: str, axes: Sequence[str]) -> Html:
    name = code(test.test.removeprefix(f"{file}::"))
    if test.class_ in UNSTEADY:
        name = element("a", name, href=f"#{anchor(test.test)}")
    outcome = None
    if test.outcome != "passed":
        outcome = element("span", test.outcome, class_=f"outcome {status(test.outcome)}")
    first = element("th", badge(test.class_), name, outcome, scope="row")
    rates = [Rate(runs=test.runs, flips=test.flips), *(test.axes.get(axis) for axis in axes)]
    return element("tr", first, map(_cell, rates), class_=" ".join(_kinds(test)) or None)


def _cell(rate: Rate | None) -> Html:
    if rate is None or not rate.runs:
        return element("td", "—")
    hot = level(rate)
    if not hot:
        return element("td", f"0/{rate.runs}")
    return element("td", element("b", f"{rate.flips}/{rate.runs}"), class_=f"h{hot}")


def _filter(tests: Sequence[TestVerdict]) -> Html | None:
    counts = {
        "all": len(tests),
        "unsteady": sum(test.class_ != "steady" for test in tests),
        "failing": sum(status(test.outcome) == "failed" for test in tests),
    }
    start = "unsteady" if len(tests) > _FEW and counts["unsteady"] else "all"
    buttons = [
        element(
            "label",
            element("input", type="radio", name="shown", id=f"show-{key}", checked=key == start),
            f" {title} ({counts[key]:,})",
        )
        for key, title in _SHOWN
    ]
    legend = element("legend", "Show")
    return element("fieldset", legend, buttons, class_="filter")


def _legend() -> Html:
    steps = ("never", "below 10 %", "10 %", "25 %", "50 %", "90 % or more")
    keys = [
        element("span", element("span", class_=f"swatch h{k}"), step)
        for k, step in enumerate(steps)
    ]
    return element("p", "Came out otherwise: ", keys, " — not tried", class_="scale")
