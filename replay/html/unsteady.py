"""The tests that are not steady: each with its cause, the evidence, and how to see it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from traceproof.replay.html.bits import badge, code, command, more, rate, repeat, section, table
from traceproof.replay.html.markup import Html, element, join
from traceproof.replay.html.summary import sentence
from traceproof.replay.html.words import AXES, CAUSES, CLASSES, counted, percent
from traceproof.replay.verdict import Cause, Demonstration, Rate, Seen, TestVerdict, Verdict

_ROLES = {
    "victim": "It fails when one of these ran before it:",
    "brittle": "It fails unless one of these ran before it:",
}
_OPEN, _EVIDENCE = 6, 2
"""Tests up to which all are unfolded from the start, and their evidence too."""


def unsteady(verdict: Verdict, file: str) -> Html | None:
    """Return a card for every test that is not steady; None where all are."""
    found = [test for test in verdict.tests if test.class_ in ("flaky", "fragile")]
    doubted = [t for t in verdict.tests if t.unconfirmed and t not in found]
    if not found and not doubted:
        return None
    found.sort(key=lambda test: (CLASSES.index(test.class_), test.test))
    cards = [_card(test, file, verdict.budgets.confidence, len(found)) for test in found]
    title = (
        f"Not steady: {counted(len(found), 'test')}" if found else "Flips that did not come again"
    )
    return section(title, cards, _doubts(doubted), name="unsteady")


def anchor(test: str) -> str:
    """Return the name of a test's card in the page."""
    return "t-" + test.encode("utf-8", "replace").hex()


def _card(test: TestVerdict, file: str, confidence: float, many: int) -> Html:
    causes = ", ".join(dict.fromkeys(CAUSES.get(cause.name, cause.name) for cause in test.causes))
    title = element("h3", badge(test.class_), " ", code(test.test))
    head = element("summary", title, element("span", causes, class_="dim"))
    body = [_how_often(test, confidence), *(_cause(cause, file) for cause in test.causes)]
    if not test.causes:
        body.append(element("p", "Its cause was not looked for."))
    evidence = _evidence(test, file)
    body += [more("evidence", *evidence, is_open=many <= _EVIDENCE)] if evidence else []
    inside = element("article", body, id=anchor(test.test))
    return element("details", head, inside, class_="card", open=many <= _OPEN)


def _how_often(test: TestVerdict, confidence: float) -> Html:
    written = "; written or changed by the agent" if test.agent_written else ""
    if test.flips:
        most, sure = percent(test.bound), percent(confidence)
        text = (
            f"Usually {test.outcome}; {test.flips} of {test.runs} identical runs came out "
            f"otherwise. With {sure} confidence, no more than {most} do"
        )
    else:
        text = (
            f"{test.outcome.capitalize()} in all of {test.runs} identical runs; it changes only "
            "under the conditions below"
        )
    return element("p", f"{text}{written}.")


def _cause(cause: Cause, file: str) -> Html:
    name = element("b", f"Cause: {CAUSES.get(cause.name, cause.name)}")
    where = f" (seen first with {AXES.get(cause.axis, 'identical runs')}"
    where += f", {cause.value})" if cause.value else ")"
    return element(
        "div",
        element("p", name, element("span", where, class_="dim")),
        element("p", sentence(cause.text)),
        _others(cause),
        _experiment(cause),
        _to_see(cause, file),
        class_="cause",
    )


def _others(cause: Cause) -> Html | None:
    """Return the tests that matter, unless the sentence about the cause names them all."""
    if all(test in cause.text for tests in cause.others for test in tests):
        return None
    title = _ROLES.get(cause.role, "Tests that matter:")
    sets = [
        element("li", join([piece for test in tests for piece in (code(test), " ")]))
        for tests in cause.others
    ]
    imports = element("p", "It is enough that their files are imported.") if cause.imports else None
    return join(element("p", title), element("ul", sets, class_="names"), imports)


def _experiment(cause: Cause) -> Html | None:
    if cause.with_cause is None and cause.without is None:
        return None
    bars = [_bar("with the cause", cause.with_cause), _bar("without it", cause.without)]
    return element("div", bars, class_="experiment")


def _bar(title: str, found: Rate | None) -> Html:
    share = found.flips / found.runs if found and found.runs else 0.0
    fill = element("span", class_="fill", style=f"width:{share * 100:.1f}%")
    told = f"{rate(found)} came out otherwise" if found else "not tried"
    return element(
        "div",
        element("span", title, class_="label"),
        element("span", fill, class_="bar", aria_hidden="true"),
        element("span", told),
    )


def _to_see(cause: Cause, file: str) -> Iterator[Html]:
    if cause.shown:
        yield element("p", f"To see it ({cause.shown.outcome}), in the folder of this page:")
        yield from _commands(cause.shown, file)
    if cause.contrast:
        title = f"the same without the cause ({cause.contrast.outcome})"
        yield more(title, _commands(cause.contrast, file))


def _commands(shown: Demonstration, file: str) -> Iterator[Html]:
    yield repeat(shown.run, file)
    if shown.command:
        yield element("p", "or by hand, in the workspace:", class_="dim")
        yield command(shown.command)


def _evidence(test: TestVerdict, file: str) -> list[Html]:
    parts = []
    if test.seen:
        parts.append(_seen(test.seen))
        if not any(cause.shown for cause in test.causes):
            parts.append(repeat(test.seen[0].run, file))
    if test.detail:
        parts.append(element("pre", code(test.detail), tabindex="0"))
    return parts


def _seen(seen: Sequence[Seen]) -> Html:
    """Return the flips, those that came out alike in one row."""
    alike: dict[tuple[str, str, str], list[Html]] = {}
    for one in seen:
        where = one.phase + (", 2nd time" if one.repeat else "")
        runs = alike.setdefault((one.outcome, where, one.message), [])
        runs.append(element("div", code(one.run)))
    rows = [(join(runs), *told) for told, runs in alike.items()]
    return table(("run", "came out", "in", "with"), rows, "seen")


def _doubts(tests: Sequence[TestVerdict]) -> Html | None:
    if not tests:
        return None
    rows = [(code(t.test), code(s.run), s.outcome, s.message) for t in tests for s in t.unconfirmed]
    told = element("p", "They change no class: tried again, the tests came out as usual.")
    count = counted(len(rows), "flip")
    return more(f"{count} that did not come again", told, table(("test", "run", "", "with"), rows))
