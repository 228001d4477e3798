"""`traceproof show`: a trace as a tree that a person reads."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from traceproof import render, spanfacts, view
from traceproof.commandfacts import OUTPUTS
from traceproof.commands.options import JsonOption, StoreOption, TraceArgument, locate, print_json
from traceproof.given import Given
from traceproof.recorder import semconv
from traceproof.recorder.reader import TraceReader
from traceproof.recorder.span import Span

_LIMIT = 1 << 20
"""Bytes of each text that are shown at most: the rest is in the trace, not on a terminal."""

_LINE = 16 << 10
"""Bytes of each text that are read where it is to be a line: enough for a call's arguments."""


_BRIEF = 2 << 10
"""Bytes of what a tool answered that are read where it is to be a line."""

_UNSEEN = (semconv.SNAPSHOT_DIFF, *OUTPUTS.values())
"""What no line shows."""

_WHOLE = (
    semconv.OUTPUT_MESSAGES,
    semconv.COMMAND_SCRIPT,
    semconv.TASK_CONTRACT,
    semconv.WORKSPACE_DIFF,
)
"""What is read for one line too: half of its JSON says nothing, what was asked for ends a wrapper,
files are counted."""


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
            help="Show all there is: system prompts, tools, diffs, side calls, the agent's own "
            "commands; texts uncut.",
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
    for name in _WHOLE:
        limits[name] = _LIMIT
    if not uncut:
        limits[semconv.TOOL_CALL_RESULT] = _BRIEF
        for name in _UNSEEN:
            del limits[name]
    spans: list[Span] = []
    pending: list[str] = []
    given = Given()
    with TraceReader.open(path) as reader:
        for record in reader.records():
            if not record.from_agent:
                wanted = limits | given.limits(record.span) if uncut else limits
                spans.append(spanfacts.lean(given.only_new(reader.inline(record.span, wanted))))
                pending += [record.span.span_id] if record.pending else []
        return view.build(str(path), spans, pending=pending, problems=reader.problems)
