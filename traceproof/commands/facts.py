"""`traceproof facts`: which facts a trace holds, which it lacks, and which questions it answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import typer
from rich.table import Table
from rich.text import Text

from traceproof import open_trace, render
from traceproof.commands.options import JsonOption, StoreOption, TraceArgument, locate, print_json
from traceproof.evidence import Evidence
from traceproof.factlist import Fact, State
from traceproof.factlist import facts as facts_of
from traceproof.questions import Answer, answers, completeness
from traceproof.trace import Trace

_KINDS = {
    "in": "what went in",
    "did": "what the agent did",
    "environment": "what the environment said",
    "human": "what a human said",
    "ended": "how it ended",
}
_MARKS = {State.THERE: ("yes", "green"), State.NONE: ("none", "dim"), State.MISSING: ("no", "red")}


class Report(msgspec.Struct):
    """What `facts --json` prints; `completeness` is the share of the questions answered, 0 to 1."""

    trace: str
    facts: list[Fact]
    questions: list[Answer]
    completeness: float
    problems: list[str]


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command()(facts)


def facts(
    trace: TraceArgument = "last", *, as_json: JsonOption = False, store: StoreOption = None
) -> None:
    """Say which facts a trace holds, which are missing and why, and which questions it answers."""
    with open_trace(locate(store).find(trace)) as opened:
        report = build(opened)
    if as_json:
        print_json(report)
        return
    console = render.console()
    if console.is_terminal:
        console.print(_fact_table(report))
        console.print()
        console.print(_question_table(report))
    else:  # a console would turn tabs into spaces
        print("\n".join(_lines(report)))
    answered = sum(answer.answered for answer in report.questions)
    console.print(f"{answered} of {len(report.questions)} questions answered")
    for problem in report.problems:
        console.print(f"! {render.clean(problem)}")


def build(trace: Trace) -> Report:
    """Collect what a trace tells and what it lacks."""
    evidence = Evidence(trace.tree, trace.agent.own)
    parts = frozenset(name for name, value in _contract(trace).items() if value)
    told = answers(evidence, parts)
    return Report(str(trace.path), facts_of(evidence), told, completeness(told), trace.problems)


def _contract(trace: Trace) -> dict[str, Any]:
    """Return the task's contract; of one that a damaged file has lost nothing is known."""
    try:
        contract = trace.task.get("contract")
    except ValueError:
        return {}
    return contract if isinstance(contract, dict) else {}


def _fact_table(report: Report) -> Table:
    table = Table("fact", "there", "how many", "", box=None, pad_edge=False)
    kind = ""
    for fact in report.facts:
        if fact.kind != kind:
            kind = fact.kind
            table.add_row(_KINDS[kind], style="bold")
        word, style = _MARKS[fact.state]
        count = f"{fact.count:,}" if fact.count else ""
        table.add_row(f"  {fact.name}", Text(word, style=style), count, render.clean(fact.note))
    return table


def _question_table(report: Report) -> Table:
    table = Table("", "question", "answered", "by", "", box=None, pad_edge=False)
    for answer in report.questions:
        word, style = ("yes", "green") if answer.answered else ("no", "red")
        by = ", ".join(answer.spans[:1]) + (" …" if len(answer.spans) > 1 else "")
        row = (str(answer.number), answer.question, Text(word, style=style), by)
        table.add_row(*row, render.clean(answer.note))
    return table


def _lines(report: Report) -> Iterator[str]:
    for fact in report.facts:
        cells = (fact.kind, fact.name, fact.state, str(fact.count), fact.note)
        yield "\t".join(map(render.clean, cells)).rstrip()
    for answer in report.questions:
        state = "answered" if answer.answered else "missing"
        row = (str(answer.number), answer.question, state, ",".join(answer.spans), answer.note)
        yield "\t".join(map(render.clean, row)).rstrip()
