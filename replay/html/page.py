"""The whole page: one file, no scripts, nothing loaded from anywhere. Pure."""

from __future__ import annotations

from importlib.resources import files

from traceproof.replay.exports.tests import repository_name
from traceproof.replay.html import details, summary
from traceproof.replay.html.markup import Html, element
from traceproof.replay.html.matrix import matrix
from traceproof.replay.html.steps import steps
from traceproof.replay.html.unsteady import unsteady
from traceproof.replay.html.words import headline
from traceproof.replay.steps.report import Report
from traceproof.replay.verdict import Verdict

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def page(verdict: Verdict, replay: Report | None = None, file: str = "") -> bytes:
    """Return a verdict as HTML.

    Args:
        verdict: what is shown.
        replay: what came of replaying the recorded session, where that was done.
        file: the verdict's file name, for the commands that repeat runs.
    """
    parts = (
        summary.answer(verdict),
        summary.figures(verdict),
        summary.before_and_after(verdict),
        details.notes(verdict),
        unsteady(verdict, file),
        matrix(verdict),
        steps(replay),
        details.subject(verdict),
        details.environment(verdict.environment),
        details.runs(verdict, file),
    )
    present = [part for part in parts if part]
    body = element("body", element("main", present), details.foot(verdict))
    made = f"<!doctype html>\n{element('html', _head(verdict), body, lang='en')}\n"
    return made.encode()


def _head(verdict: Verdict) -> Html:
    name = repository_name(verdict.subject)
    title = " · ".join(filter(None, (headline(verdict).text.partition(":")[0], name)))
    style = files("traceproof.replay.html").joinpath("style.css").read_text("utf-8")
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", title),
        element("style", Html(style)),
    )
