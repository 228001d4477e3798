"""The steps of a replay, as a table. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from traceproof.replay.html.bits import code, more, section, table
from traceproof.replay.html.markup import Html, element, join
from traceproof.replay.html.summary import sentence
from traceproof.replay.html.words import counted, percent
from traceproof.replay.steps.report import Report, Status, Step

_SIGNS: dict[Status, str] = {"same": "✓", "normalised": "≈", "differs": "✗", "skipped": "—"}
_MEANINGS: dict[Status, str] = {
    "same": "byte for byte",
    "normalised": "the same but for what the rules below allow",
    "differs": "not as recorded",
    "skipped": "not replayed",
}


def steps(report: Report | None) -> Html | None:
    """Return the table of steps; None without a replay."""
    if report is None:
        return None
    told = element("p", sentence(report.reason), class_="reason")
    legend = [
        element("li", _status(name), f" {report.counts.get(name, 0)}, {meaning}")
        for name, meaning in _MEANINGS.items()
    ]
    return section(
        "The recorded session, step by step",
        told,
        element("ul", legend, class_="legend"),
        table(("", "step", "came out", "exit code", "why"), map(_row, report.steps), "steps"),
        _rules(report),
        [element("p", note, class_="dim") for note in report.notes],
        name="steps",
    )


def _row(step: Step) -> Iterator[str | Html]:
    yield str(step.number)
    yield join(element("span", step.kind, class_="dim"), " ", code(step.name))
    yield _status(step.status)
    same = step.exit_recorded == step.exit_replayed
    yield step.exit_recorded if same else f"{step.exit_recorded} → {step.exit_replayed or '—'}"
    yield join(step.why, *_lines(step), *_paths(step), *_notes(step))


def _status(status: Status) -> Html:
    sign = element("span", _SIGNS[status], class_="sign", aria_hidden="true")
    return element("span", sign, status, class_=f"badge {status}")


def _lines(step: Step) -> Iterator[Html]:
    for line in step.lines:
        title = element("span", f"{line.stream}, line {line.number}", class_="dim")
        recorded = element("div", "recorded ", code(line.recorded))
        replayed = element("div", "replayed ", code(line.replayed))
        yield element("div", title, recorded, replayed, class_="differs")


def _paths(step: Step) -> Iterator[Html]:
    for path in step.paths:
        yield element("div", f"{path.what}: ", code(path.path))


def _notes(step: Step) -> Iterator[Html]:
    for note in step.notes:
        yield element("div", note, class_="dim")


def _rules(report: Report) -> Html:
    rows = [
        (code(rule.rule), rule.meaning, f"{rule.count:,}", f"{rule.bytes:,}", percent(rule.share))
        for rule in report.rules
    ]
    count = counted(sum(rule.count for rule in report.rules), "time")
    title = f"rules: used {count}, on {percent(report.share)} of the output"
    return more(title, table(("rule", "means", "used", "bytes", "of the output"), rows))
