"""`traceproof show`: a trace as a tree that a person reads."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from traceproof import render, view
from traceproof.commands.options import JsonOption, StoreOption, TraceArgument, locate, print_json
from traceproof.recorder.reader import TraceReader


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command()(show)


def show(
    trace: TraceArgument = "last",
    *,
    full: Annotated[
        bool,
        typer.Option("--full", help="Show side calls and other HTTP calls too, and texts uncut."),
    ] = False,
    as_json: JsonOption = False,
    store: StoreOption = None,
) -> None:
    """Show a trace: turns, tools with arguments and outcome, tokens, cost where known, time."""
    seen = load(locate(store).find(trace))
    if as_json:
        print_json(seen)
    else:
        render.console().print(render.tree(seen, full=full))


def load(path: Path) -> view.View:
    """Read a trace file into a view.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no trace, or of a later version.
    """
    with TraceReader.open(path) as reader:
        records = [record for record in reader.records() if not record.from_agent]
        return view.build(
            str(path),
            [reader.inline(record.span) for record in records],
            pending=[record.span.span_id for record in records if record.pending],
            problems=reader.problems,
        )
