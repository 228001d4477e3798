from __future__ import annotations

import io

from rich.console import Console

from traceproof.export.progress import Progress


def test_a_terminal_is_told_and_keeps_nothing_of_it() -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=60)

    with Progress(console) as progress:
        progress.say("10 spans", now=True)
        progress.say("11 spans")  # too soon after the last
        console.print("done")

    assert "10 spans" in screen.getvalue()
    assert "11 spans" not in screen.getvalue()


def test_what_a_server_says_is_no_markup() -> None:
    screen = io.StringIO()

    with Progress(Console(file=screen, force_terminal=True, width=60)) as progress:
        progress.say("answered 503: [/red] [bold", now=True)

    assert "[/red] [bold" in screen.getvalue()


def test_a_pipe_is_told_nothing() -> None:
    pipe = io.StringIO()

    with Progress(Console(file=pipe)) as progress:
        progress.say("10 spans", now=True)

    assert pipe.getvalue() == ""
