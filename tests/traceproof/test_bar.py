from __future__ import annotations

import io

import pytest
from rich.console import Console

from traceproof.bar import Bar


def shown(*, terminal: bool) -> str:
    """Return what a bar writes while something is done and a line is said."""
    console = Console(file=io.StringIO(), force_terminal=terminal, width=120, color_system=None)
    with Bar(console) as bar:
        bar.doing("counting \x1b[2J" + "sheep " * 40)
        bar.say("a line \x1b[2Jthat stays")
        bar._progress.refresh()
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("terminal", [True, False])
def test_a_line_that_stays_is_said_everywhere_and_clears_no_screen(*, terminal: bool) -> None:
    said = shown(terminal=terminal)

    assert "a line" in said
    assert "that stays\n" in said
    assert "\x1b[2J" not in said


def test_what_is_done_is_shown_on_a_terminal_alone_and_cut() -> None:
    assert "counting" not in shown(terminal=False)

    said = shown(terminal=True)
    assert "counting" in said
    assert "sheep " * 12 not in said
    assert "…" in said
