"""`traceproof repair`: close a trace file that its recorder could not close."""

from __future__ import annotations

import typer

from traceproof import render
from traceproof.commands.options import JsonOption, StoreOption, TraceArgument, locate, print_json
from traceproof.recorder.repair import repair as repair_file


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command()(repair)


def repair(
    trace: TraceArgument = "last", *, as_json: JsonOption = False, store: StoreOption = None
) -> None:
    """End the open frame of a trace file and write its seek table; what is whole stays as it is."""
    report = repair_file(locate(store).find(trace))
    if as_json:
        print_json({**report._asdict(), "path": str(report.path)})
    else:
        render.console().print(str(report))
