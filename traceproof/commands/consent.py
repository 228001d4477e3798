"""`traceproof pause`, `resume` and `exclude`: consent while a recording runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from traceproof import render
from traceproof.commands.options import JsonOption, StoreOption, locate, print_json
from traceproof.recorder.consent import State
from traceproof.recorder.sweep import forget
from traceproof.recorder.switch import switch

RecordingArgument = Annotated[
    str,
    typer.Argument(
        metavar="[TRACE]", help="The beginning of a trace id; not needed if one recording runs."
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    app.command()(pause)
    app.command()(resume)
    app.command()(exclude)


def pause(
    trace: RecordingArgument = "", *, as_json: JsonOption = False, store: StoreOption = None
) -> None:
    """Stop recording a running session; its calls go on unrecorded, and the trace notes the gap.

    An agent sends the whole conversation with every call: what was said during the pause is in the
    first call that is recorded after it.
    """
    _set(State.PAUSED, trace, store, as_json=as_json)


def resume(
    trace: RecordingArgument = "", *, as_json: JsonOption = False, store: StoreOption = None
) -> None:
    """Go on recording after a pause."""
    _set(State.RECORDING, trace, store, as_json=as_json)


def exclude(
    trace: RecordingArgument = "", *, as_json: JsonOption = False, store: StoreOption = None
) -> None:
    """Drop a running session from the record, for good: the trace keeps nothing but a marker."""
    _set(State.EXCLUDED, trace, store, as_json=as_json)


def _set(state: State, trace: str, store: Path | None, *, as_json: bool) -> None:
    place = locate(store)
    recording = switch(place.path, state, trace)
    if state is State.EXCLUDED:
        forget(place, recording.header.trace_id)
    told = {"trace_id": recording.header.trace_id, "agent": recording.header.agent}
    if as_json:
        print_json({**told, "state": recording.state.value})
    else:
        render.console().print(f"{told['trace_id']} ({told['agent']}): {recording.state.value}")
