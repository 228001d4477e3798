from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from traceproof.replay.options import Plan, Row
from traceproof.replay.runs import Conditions, Run, RunResult, Session
from traceproof.replay.verdict import (
    Budgets,
    Cause,
    Control,
    Demonstration,
    Seen,
    TestClass,
    TestVerdict,
    Verdict,
)
from traceproof.verifying.repeated import Difference, Repeated
from traceproof.verifying.telling import Teller, headline, is_yes, repeated, summary

PLAN = Plan(
    rows=(Row(what="identical reruns", boxes=59, sessions=59, seconds=60),
          Row(what="hash_seed", boxes=8, sessions=8, seconds=8)),
    boxes=67, sessions=67, seconds=34.2,
)  # fmt: skip
RUN = Run(id="base/same/1", tree="base", axis="same", sessions=(Session(seed=0),))


def verdict(**more: Any) -> Verdict:
    budgets = Budgets(max_flake_rate=0.05, confidence=0.95, runs=59, needed=59, seconds=0)
    told = {"class_": "steady", "reason": "so it is", "task": "repair", **more}
    return Verdict(budgets=budgets, seed=0, **told)


def one(name: str, class_: TestClass = "steady", **more: Any) -> TestVerdict:
    told = {"outcome": "passed", "runs": 59, "bound": 0.0495, **more}
    return TestVerdict(test=name, class_=class_, **told)


def console(*, terminal: bool = False) -> Console:
    return Console(file=io.StringIO(), force_terminal=terminal, width=120, color_system=None)


def text(told: Console) -> str:
    assert isinstance(told.file, io.StringIO)
    return told.file.getvalue()


def test_in_a_pipe_there_is_the_plan_and_no_more() -> None:
    told = console()
    with Teller(told) as teller:
        teller.doing("building [bold]")
        teller.jobs = 2
        teller.planned(PLAN)
        teller.began(RUN)
        teller.ended(RUN, RunResult(run=RUN.id, sessions=()))

    assert text(told).splitlines() == [
        (
            "The plan: 67 boxes with 67 runs of the tests, 2 boxes at a time, about 34.2 s; "
            "flips are looked into besides."
        ),
        "  identical reruns  59",
        "  hash seed          8",
    ]


def test_a_plan_that_is_longer_than_the_time() -> None:
    told = console()
    with Teller(told) as teller:
        teller.seconds = 20
        teller.planned(PLAN)

    assert "It ends after 20.0 s, however far it is." in text(told)


def test_on_a_terminal_there_is_a_bar() -> None:
    told = console(terminal=True)
    with Teller(told) as teller:
        teller.planned(PLAN)
        teller.began(RUN)
        for _ in range(70):
            teller.ended(RUN, RunResult(run=RUN.id, sessions=()))
        teller.again(RUN, "the engine\x1b[31m went away")

    shown = text(told)
    assert "base: same" in shown
    assert "70/70" in shown
    assert "\x1b[31m" not in shown


@pytest.mark.parametrize(
    ("told", "line", "yes"),
    [
        (verdict(outcome="resolved", verified=True), "verified: steady, resolved", True),
        (verdict(outcome="unresolved"), "not verified: steady, unresolved", False),
        (verdict(tests=(one("a"),)), "steady; there is no before and after to compare", True),
        (
            verdict(tests=(one("a"), one("b", outcome="failed"))),
            "steady, 1 of 2 failing each time; there is no before and after to compare",
            True,
        ),
        (
            verdict(class_="fragile", tests=(one("a"), one("b", "fragile"))),
            "not steady: 1 fragile",
            False,
        ),
        (verdict(class_="no_tests"), "not steady: no tests", False),
    ],
)
def test_the_answer(told: Verdict, line: str, yes: bool) -> None:
    assert (headline(told), is_yes(told)) == (line, yes)


def test_what_is_not_steady_is_listed_with_its_cause() -> None:
    shown = Demonstration(
        run="final/order/1#2", outcome="failed", conditions=Conditions(), session=Session(seed=1)
    )
    cause = Cause(name="order", text="fails after \x1b[2Jt::b", axis="order", shown=shown)
    told = console()

    tests = (one("t::[red]a", "fragile", causes=(cause,)), one("t::b"))
    summary(verdict(tests=tests), told, Path.cwd() / "a b.verdict.json")

    lines = text(told).splitlines()
    assert "  2 tests: 1 steady, 1 fragile; flake rate of each steady one at most 5.0%" in lines[2]
    assert lines[4:] == [
        "fragile: t::[red]a",
        "  fails after \ufffd[2Jt::b",
        "  to see it: traceproof verify 'a b.verdict.json' --repeat 'final/order/1#2'",
    ]


def test_what_always_fails_is_named() -> None:
    told = console()
    failing = [one(f"t::{n}", outcome="error", message="no \x1b[2Jdb") for n in range(26)]

    summary(verdict(outcome="unresolved", tests=(*failing, one("ok"))), told, Path("v"))

    lines = text(told).splitlines()
    assert "fails each time: t::0: no \ufffd[2Jdb" in lines
    assert lines[-1] == "and 1 more that fail each time"


def test_a_command_stays_whole_however_narrow_the_terminal_is() -> None:
    shown = Seen(run="final/order/1#2", outcome="failed", phase="call", message="")
    told = Console(file=io.StringIO(), force_terminal=True, width=40, color_system=None)

    summary(verdict(tests=(one("t" * 60, "flaky", seen=(shown,)),)), told, Path("/far/v.json"))

    assert text(told).splitlines()[-2:] == [
        f"flaky: {'t' * 60}",
        "  to see it: traceproof verify /far/v.json --repeat 'final/order/1#2'",
    ]


def test_too_few_runs_are_told_with_how_many_it_takes() -> None:
    told = console()
    test = TestVerdict(test="a", class_="inconclusive", outcome="passed", runs=3, bound=0.64)

    summary(verdict(class_="inconclusive", tests=(test,)), told, Path("v"))

    assert (
        "  59 identical reruns are needed for a flake rate of at most 5% with 95% confidence; "
        "there were 3"
    ) in text(told).splitlines()


def test_where_nothing_ran_the_end_of_what_was_printed_is_shown() -> None:
    told = console()
    output = "1\n2\n\nERROR: \x1b[31mno such file\n\n no tests ran in 0.01s\n"
    control = Control(tree="final", run="final/same/1#0", complete=True, output=output)

    summary(verdict(class_="no_tests", controls=(control,)), told, Path("v"))

    assert text(told).splitlines()[2:6] == [
        "  final: no tests",
        "    | 2",
        "    | ERROR: \ufffd[31mno such file",
        "    | no tests ran in 0.01s",
    ]


def test_a_run_that_was_repeated() -> None:
    told = console()
    difference = Difference("t::a", "failed", "passed", 1)
    found = Repeated("x#0", "twice", "", False, {"failed": 1}, {}, [difference], 0.1, "timed out")

    repeated(found, told)

    assert text(told).splitlines() == [
        "x#0: not the same",
        "  then: 1 failed",
        "  now: no tests ran",
        "  timed out",
        "  t::a (2nd time): failed then, passed now",
    ]


@pytest.mark.parametrize("text", ["x\\[/y]", "[red]", "\\", "[/]", "[link=x"])
def test_what_is_being_done_is_text_and_no_markup(text: str) -> None:
    """The bar is drawn while it runs: an error in it would end all."""
    drawn = io.StringIO()

    with Teller(Console(file=drawn, force_terminal=True, width=100)) as teller:
        teller.doing(f"grep {text}")

    assert f"grep {text}" in drawn.getvalue()
