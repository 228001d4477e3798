"""Small pieces that several parts of the page share. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence

from traceproof.replay.html.markup import Html, element
from traceproof.replay.html.words import MEANINGS, SIGNS
from traceproof.replay.verdict import Rate


def section(title: str, *children: Html | Iterable[Html] | None, name: str) -> Html:
    """Return a part of the page with its heading."""
    heading = element("h2", title, id=f"{name}-title")
    return element("section", heading, *children, id=name, aria_labelledby=f"{name}-title")


def code(text: str) -> Html:
    """Return text as it was typed, kept apart from the direction of what is around it."""
    return element("code", element("bdi", text, dir="ltr"))


def badge(class_: str) -> Html:
    """Return a class as a sign and a word."""
    sign = element("span", SIGNS.get(class_, "?"), class_="sign", aria_hidden="true")
    word = class_.replace("_", " ")
    return element("span", sign, word, class_=f"badge {class_}", title=MEANINGS.get(class_))


def command(line: str) -> Html:
    """Return a command that is marked whole by one click."""
    return element("pre", code(line), class_="command", tabindex="0")


def repeat(run: str, file: str) -> Html:
    """Return the command that repeats a run of a verdict."""
    name = f" {shlex.quote(file)}" if file else ""
    return command(f"traceproof verify{name} --repeat {shlex.quote(run)}")


def rate(found: Rate | None) -> str:
    """Write how often something flipped: `3 of 8`."""
    return f"{found.flips} of {found.runs}" if found else "not tried"


def table(heads: Sequence[str], rows: Iterable[Iterable[str | Html]], class_: str = "") -> Html:
    """Return a table in a box that scrolls."""
    head = element("tr", [element("th", name, scope="col") for name in heads])
    body = [element("tr", [element("td", cell) for cell in row]) for row in rows]
    made = element("table", element("thead", head), element("tbody", body), class_=class_ or None)
    return element("div", made, class_="scroll", tabindex="0")


def more(title: str, *children: Html | Iterable[Html], is_open: bool = False) -> Html:
    """Return something that is folded away under a line."""
    return element("details", element("summary", title), *children, open=is_open)


def names(tests: Sequence[str]) -> Html:
    """Return tests as a list."""
    return element("ul", [element("li", code(test)) for test in tests], class_="names")


def facts(pairs: Iterable[tuple[str, str | Html]]) -> Html:
    """Return names and what they are; those that are empty are left out."""
    known = [(name, value) for name, value in pairs if value]
    return element("dl", [element("div", element("dt", k), element("dd", v)) for k, v in known])
