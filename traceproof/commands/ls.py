"""`traceproof ls`: the traces of a store."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import typer
from rich.table import Table

from traceproof import render
from traceproof.commands.options import JsonOption, StoreOption, locate, print_json
from traceproof.recorder.store import parse_name
from traceproof.recorder.summary import Summary


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command()(ls)


def ls(*, as_json: JsonOption = False, store: StoreOption = None) -> None:
    """List the traces of the store, the newest last."""
    place = locate(store)
    traces = list(place.traces())
    if as_json:
        print_json([_plain(trace) for trace in traces])
        return
    console = render.console()
    if not traces:
        console.print(f"no traces in {place.path}: make one with `traceproof record -- COMMAND`")
        return
    if console.is_terminal:
        console.print(_table(traces))
    else:  # a console would turn tabs into spaces
        print("\n".join(map(_line, traces)))


def _plain(trace: Summary) -> dict[str, object]:
    return {**msgspec.structs.asdict(trace), "path": str(trace.path)}


_COLUMNS = ("started", "agent", "time", "turns", "tokens in", "tokens out", "exit", "id", "")


def _table(traces: list[Summary]) -> Table:
    table = Table(*_COLUMNS, box=None, pad_edge=False)
    for trace in traces:
        table.add_row(*_cells(trace))
    return table


def _line(trace: Summary) -> str:
    return "\t".join(_cells(trace)).rstrip()


def _cells(trace: Summary) -> list[str]:
    started = datetime.fromtimestamp(trace.started / 1e9, UTC)
    duration = (trace.ended - trace.started) / 1e9 if trace.ended else None
    cells = [
        f"{started:%Y-%m-%d %H:%M:%S}" if trace.started else "?",
        trace.agent,
        render.seconds(duration),
        str(trace.turns),
        f"{trace.input_tokens:,}",
        f"{trace.output_tokens:,}",
        "" if trace.exit_code is None else str(trace.exit_code),
        parse_name(trace.path).id or trace.path.name,
        _remark(trace),
    ]
    return [_one_line(cell) for cell in cells]


def _one_line(text: str) -> str:
    """Make a cell of a text that others wrote: it neither moves a cursor nor begins a new row."""
    return " ".join(render.clean(text.encode("utf-8", "replace").decode()).split())


def _remark(trace: Summary) -> str:
    if trace.error:
        return trace.error
    if not trace.closed:
        return "not closed: still running, or `traceproof repair` ends it"
    return "; ".join(trace.problems)
