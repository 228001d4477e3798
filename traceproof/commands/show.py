"""`traceproof show`: a trace as a tree that a person reads."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from traceproof import render, spanfacts, view
from traceproof.commands.options import JsonOption, StoreOption, TraceArgument, locate, print_json
from traceproof.recorder import semconv
from traceproof.recorder.reader import TraceReader
from traceproof.recorder.span import Span

_LIMIT = 1 << 20
"""Bytes of each text that are shown at most: the rest is in the trace, not on a terminal."""

_LINE = 16 << 10
"""Bytes of each text that are read where it is to be a line: enough for a call's arguments."""


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command()(show)


def show(
    trace: TraceArgument = "last",
    *,
    full: Annotated[
        bool,
        typer.Option(
            "--full",
            help="Show side calls, other HTTP calls and the agent's own commands too; texts uncut.",
        ),
    ] = False,
    as_json: JsonOption = False,
    store: StoreOption = None,
) -> None:
    """Show a trace: turns, tools with arguments and outcome, tokens, cost where known, time."""
    seen = load(locate(store).find(trace), uncut=full or as_json)
    if as_json:
        print_json(seen)
        return
    console = render.console()
    for part in render.parts(seen, full=full):
        console.print(part)


def load(path: Path, *, uncut: bool = True) -> view.View:
    """Read a trace file into a view; `uncut` for more of each text than fits on a line.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no trace, or of a later version.
    """
    limits = dict.fromkeys(spanfacts.CONTENT, _LIMIT if uncut else _LINE)
    for name in (semconv.OUTPUT_MESSAGES, semconv.COMMAND_SCRIPT):
        limits[name] = _LIMIT  # half of its JSON says nothing; what was asked for ends a wrapper
    spans: list[Span] = []
    pending: list[str] = []
    with TraceReader.open(path) as reader:
        for record in reader.records():
            if not record.from_agent:
                spans.append(spanfacts.lean(reader.inline(record.span, limits)))
                pending += [record.span.span_id] if record.pending else []
        return view.build(str(path), spans, pending=pending, problems=reader.problems)
