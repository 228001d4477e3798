"""What a person sees of a step replay: how far it is, and what came of it.

The progress is on stderr, on a terminal alone. Text that comes from a trace or a box is other
people's: no control character of it reaches the terminal.
"""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from traceproof import render
from traceproof.bar import Bar
from traceproof.replay.steps.report import Report, Step

_COLOURS = {"same": "green", "normalised": "green", "differs": "bold red", "skipped": "yellow"}
_BRIEF = 72
_PATHS = 10


class Teller(Bar):
    """Tells how far a replay is; a context manager."""

    def __init__(self, console: Console | None = None) -> None:
        super().__init__(console)
        self.total = 0

    def began(self, step: Step) -> None:
        """Take note of a step that begins."""
        self.doing(f"step {step.number}: {step.name}")
        self._progress.update(self._task, total=self.total, advance=1)


def show(report: Report, console: Console, *, full: bool = False) -> None:
    """Print what came of a replay: the answer and the first divergence, then step by step."""
    style = "bold" if report.is_yes else "bold red"
    console.print(Text(f"{report.answer}: {render.clean(report.reason)}", style), soft_wrap=True)
    first = next((step for step in report.steps if step.number == report.first), None)
    if first is not None:
        _lines(console, _divergence(first))
    if console.is_terminal:
        console.print(_table(report))
    else:
        _lines(console, map(_line, report.steps))
    if full:
        for step in report.steps:
            _lines(console, _whole(step))
    _lines(console, _footer(report, full=full))


def _lines(console: Console, lines: Iterator[str] | map[str]) -> None:
    for line in lines:
        console.print(Text(render.clean(line)), soft_wrap=True)


def _divergence(step: Step) -> Iterator[str]:
    yield f"  {render.brief(step.name, _BRIEF)}"
    yield from (f"  {line}" for line in _differences(step))
    if step.after:
        skipped = ", ".join(map(str, step.after))
        yield f"  it may depend on what was skipped before it: {skipped}"
    yield from (f"  {note}" for note in step.notes)


def _differences(step: Step) -> Iterator[str]:
    if step.exit_recorded != step.exit_replayed and step.status == "differs":
        yield f"ended with {step.exit_replayed or 'nothing'}, recorded {step.exit_recorded}"
    for line in step.lines:
        yield f"{line.stream}, line {line.number}:"
        yield f"  recorded  {line.recorded}"
        yield f"  replayed  {line.replayed}"
    for path in step.paths[:_PATHS]:
        yield f"{path.path}: {path.what}"
    if len(step.paths) > _PATHS:
        yield f"and {len(step.paths) - _PATHS} paths more"


def _table(report: Report) -> Table:
    table = Table(box=None, pad_edge=False)
    for title in ("step", "", "what", "exit", "tree", "why"):
        table.add_column(title, justify="right" if title == "step" else "left")
    for step in report.steps:
        table.add_row(
            str(step.number),
            Text(step.status, _COLOURS[step.status]),
            Text(render.brief(render.clean(step.name), _BRIEF)),
            step.exit_replayed,
            Text(step.tree_replayed[:8]),
            Text(render.clean(_why(step))),
        )
    return table


def _line(step: Step) -> str:
    why = _why(step)
    return f"{step.number} {step.status} {render.brief(step.name, _BRIEF)}" + (
        f": {why}" if why else ""
    )


def _why(step: Step) -> str:
    if step.why:
        return step.why
    used = ", ".join(use.rule for use in step.rules)
    return f"{used} ({step.share:.0%})" if used else ""


def _whole(step: Step) -> Iterator[str]:
    yield f"step {step.number}, {step.kind}, {step.status}: {step.name}"
    yield from (f"  {line}" for line in _differences(step))
    for use in step.rules:
        yield f"  {use.rule}: {use.count} times, {use.bytes} of {step.bytes} bytes"
    yield from (f"  {note}" for note in step.notes)


def _footer(report: Report, *, full: bool) -> Iterator[str]:
    used = [rule for rule in report.rules if rule.count]
    if used:
        yield (
            f"{report.share:.1%} of {report.bytes} bytes of output were normalised "
            f"(at most {report.threshold:.0%} may be):"
        )
    for rule in report.rules if full else used:
        used_for = f"{rule.count} times, {rule.bytes} bytes, {rule.share:.1%}"
        yield f"  {rule.rule}: {used_for}: {rule.meaning}"
    yield f"{report.sandbox}, isolation: {report.isolation}; workspace {report.workspace}"
    for note in report.notes:
        yield f"note: {note}"
