from __future__ import annotations

import io

import pytest
from rich.console import Console

from support.steps import step
from traceproof.replay.steps.compare import Line, Use
from traceproof.replay.steps.report import Path, Report, report
from traceproof.replaying.telling import Teller, show

LINE = Line(stream="stdout", number=3, recorded="a\x1b[31m", replayed="b")


def shown(found: Report, *, terminal: bool = False, full: bool = False) -> str:
    console = Console(file=io.StringIO(), force_terminal=terminal, width=200, color_system=None)
    show(found, console, full=full)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def differing() -> Report:
    return report(
        [
            step(1, status="normalised", bytes=10, rules=[Use(rule="time", count=1, bytes=4)]),
            step(2, status="skipped", why="it needs a network (curl): --allow-network"),
            step(
                3, name="make x", status="differs", why="stdout, line 3", lines=[LINE], after=[2],
                paths=[Path(path="a.py", what="content")], notes=["a note"],
            ),
        ],
        ["another note"],
    )  # fmt: skip


def test_the_first_divergence_stands_on_top() -> None:
    lines = shown(differing()).splitlines()

    assert lines[:11] == [
        "differs: step 3 differs: stdout, line 3",
        "  make x",
        "  stdout, line 3:",
        "    recorded  a�[31m",
        "    replayed  b",
        "  a.py: content",
        "  it may depend on what was skipped before it: 2",
        "  a note",
        "1 normalised make: time (40%)",
        "2 skipped make: it needs a network (curl): --allow-network",
        "3 differs make x: stdout, line 3",
    ]
    assert lines[-1] == "note: another note"


def test_a_terminal_gets_a_table() -> None:
    text = shown(differing(), terminal=True)

    assert "step" in text
    assert "why" in text
    assert "\x1b[31m" not in text


def test_all_of_it() -> None:
    text = shown(differing(), full=True)

    assert "step 1, command, normalised: make\n  time: 1 times, 4 of 10 bytes" in text
    assert "  pid: 0 times, 0 bytes, 0.0%: process ids" in text


def test_a_pipe_sees_no_progress() -> None:
    console = Console(file=io.StringIO(), force_terminal=False)

    with Teller(console) as teller:
        teller.total = 2
        teller.began(step(1, name="[red]x"))
        teller.say("a line")

    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue() == "a line\n"


def test_a_terminal_sees_what_is_being_done() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=80)

    with Teller(console) as teller:
        teller.total = 2
        teller.began(step(1, name="[red]x"))

    assert isinstance(console.file, io.StringIO)
    assert "[red]x" in console.file.getvalue()


@pytest.mark.parametrize("text", ["x\\[/y]", "[red]", "\\", "[/]", "[link=x"])
def test_what_is_being_done_is_text_and_no_markup(text: str) -> None:
    """The bar is drawn while it runs: an error in it would end all."""
    drawn = io.StringIO()

    with Teller(Console(file=drawn, force_terminal=True, width=100)) as teller:
        teller.doing(f"grep {text}")

    assert f"grep {text}" in drawn.getvalue()
