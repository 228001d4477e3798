"""The top of the page: the answer, how sure it is, and before and after. Pure."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator, Sequence

from traceproof.replay.exports.tests import repository_name
from traceproof.replay.html.bits import badge, code, more, names, section, table
from traceproof.replay.html.markup import Html, element, join
from traceproof.replay.html.words import (
    CAUSES,
    CLASSES,
    MEANINGS,
    SIGNS,
    counted,
    duration,
    headline,
    how_sure,
    where,
)
from traceproof.replay.verdict import Control, Subject, Verdict

_SHORT = 12
_SIGNS = {"good": "✓", "bad": "✗", "unsure": "?"}
_SETS = (
    ("fail_to_pass", "Fixed", "failed before, pass now (FAIL_TO_PASS)"),
    ("pass_to_pass", "Kept", "pass before and now (PASS_TO_PASS)"),
    ("pass_to_fail", "Broken", "passed before, fail now"),
    ("taken_out", "Taken out", "not steady: they count for nothing"),
    ("lost", "Lost", "fail now as they were before the tests were changed"),
    ("vanished", "Vanished", "passed before, and are not run now, or not each time"),
)


def answer(verdict: Verdict) -> Html:
    """Return the answer and what it rests on."""
    tone, text = headline(verdict)
    sign = element("span", _SIGNS[tone], class_="seal", aria_hidden="true")
    title = element("h1", text)
    lines = [element("p", line) for line in (how_sure(verdict), where(verdict))]
    reason = element("p", sentence(verdict.reason), class_="reason")
    body = element("div", title, _about(verdict.subject), _chips(verdict), reason, *lines)
    return element("header", sign, body, class_=f"answer {tone}")


def figures(verdict: Verdict) -> Html:
    """Return the counts: of tests by class, of runs, of boxes, and the time."""
    classes = Counter[str](test.class_ for test in verdict.tests)
    sessions = sum(len(run.sessions) for run in verdict.runs)
    told = [
        (f"{len(verdict.tests):,}", "tests" if len(verdict.tests) != 1 else "test"),
        (f"{sessions:,}", "runs of the suite, or of parts of it"),
        (f"{len(verdict.runs):,}", "fresh boxes"),
        (duration(verdict.seconds), "in all"),
    ]
    numbers = [
        element("div", element("b", number), element("span", what), class_="figure")
        for number, what in told
    ]
    shares = _shares(classes, len(verdict.tests)) if verdict.tests else None
    return section("In figures", element("div", numbers, class_="figures"), shares, name="figures")


def before_and_after(verdict: Verdict) -> Html | None:
    """Return the controls and what became of the tests from one to the other."""
    if not verdict.controls:
        return None
    title = "Before and after" if verdict.outcome else "The tests once"
    return section(title, _controls(verdict.controls), *_sets(verdict), name="sets")


def sentence(text: str) -> str:
    """Begin a text with a capital, and end it with a full stop."""
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) or not text else ".")


def _about(subject: Subject) -> Html:
    """Return what was tested, in a line; all of it stands at the page's end."""
    commit = subject.commit[:_SHORT]
    after = "a patch" if subject.patch_sha256 else "what the agent changed" if subject.trace else ""
    at = f"{commit or 'a folder without git'}{after and f' and {after}'}"
    told = [repository_name(subject) or "?", " at ", at, " · ", code(shlex.join(subject.command))]
    return element("p", told, class_="dim")


def _chips(verdict: Verdict) -> Html:
    chips = [badge(verdict.class_)]
    if verdict.outcome:
        chips.append(element("span", verdict.outcome, class_="badge plain"))
    if verdict.class_ != "steady":
        chips += [
            element("span", f"cause: {CAUSES.get(name, name)}", class_="badge plain")
            for name in verdict.causes
        ]
    return element("p", chips, class_="chips")


def _shares(classes: Counter[str], total: int) -> Html:
    present = [name for name in reversed(CLASSES) if classes[name]]
    bar = [
        element("span", class_=f"share {name}", style=f"flex-grow:{classes[name] / total:.4f}")
        for name in present
    ]
    legend = [
        element(
            "li",
            element("span", SIGNS[name], class_=f"key {name}", aria_hidden="true"),
            element("b", f"{classes[name]:,} {name}"),
            f" {MEANINGS[name]}",
        )
        for name in present
    ]
    return join(
        element("div", bar, class_="shares", aria_hidden="true"),
        element("ul", legend, class_="legend"),
    )


def _controls(controls: Sequence[Control]) -> Html:
    titles = {"base": "before (base)", "final": "after (final)"}
    if len({one.tree for one in controls}) == 1:
        titles = {"base": "base", "final": "final"}
    rows = [
        (
            titles[one.tree],
            *(f"{count:,}" for count in (one.tests, one.passed, one.failed, one.errors)),
            f"{one.skipped:,}",
            duration(one.seconds),
            one.problem or ("" if one.complete else "did not come to its end"),
        )
        for one in controls
    ]
    heads = ("tree", "tests", "passed", "failed", "errors", "skipped", "time", "")
    outputs = [
        more(f"output of the run {titles[one.tree]}", element("pre", code(one.output)))
        for one in controls
        if one.output
    ]
    return join(table(heads, rows, "numbers"), outputs)


def _sets(verdict: Verdict) -> Iterator[Html]:
    for name, title, meaning in _SETS:
        tests: tuple[str, ...] = getattr(verdict, name)
        told = element("span", meaning, class_="dim")
        if tests:
            head = element("summary", element("b", f"{title}: {counted(len(tests), 'test')}"), told)
            yield element("details", head, names(tests), class_=f"set {name}")
        elif name in ("fail_to_pass", "pass_to_pass") and verdict.outcome:
            yield element("p", element("b", f"{title}: no test"), told, class_="set")
