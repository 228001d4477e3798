"""HTML put together so that text can only ever be text.

Only what `element` returns is markup; every other string is escaped, and characters that do not
show, or turn the order of others about, are named instead.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable

_HIDDEN = re.compile(r"[^\t\n\x20-\x7e\xa1-\xac\xae-\u02ff]")
"""What may have to be named; the rest of ASCII and Latin never has."""
_NAMED = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
_VOID = frozenset(("br", "col", "input", "meta"))


class Html(str):
    """A piece of HTML."""

    __slots__ = ()


def element(
    tag: str, *children: str | Html | Iterable[str | Html] | None, **attributes: str | bool | None
) -> Html:
    """Return an element.

    Args:
        tag: its name.
        children: markup as it is, text escaped; of an iterable each; None is left out.
        attributes: `class_` is `class`, `aria_label` is `aria-label`; None and False are left out,
            and True has no value.
    """
    told = "".join(_attribute(name, value) for name, value in attributes.items())
    if tag in _VOID:
        return Html(f"<{tag}{told}>")
    return Html(f"<{tag}{told}>{join(*children)}</{tag}>")


def join(*children: str | Html | Iterable[str | Html] | None) -> Html:
    """Return pieces one after the other; text is escaped."""
    return Html("".join(_piece(child) for child in children))


def visible(text: str) -> str:
    """Name the characters of a text that do not show: `⟨U+202E⟩`."""
    return _HIDDEN.sub(_name, text)


def _piece(child: str | Html | Iterable[str | Html] | None) -> str:
    match child:
        case None:
            return ""
        case Html():
            return str(child)
        case str():
            return html.escape(visible(child))
        case _:
            return "".join(map(_piece, child))


def _attribute(name: str, value: str | bool | None) -> str:
    if value is None or value is False:
        return ""
    written = name.rstrip("_").replace("_", "-")
    return f" {written}" if value is True else f' {written}="{html.escape(visible(value))}"'


def _name(found: re.Match[str]) -> str:
    character = found.group()
    if unicodedata.category(character) not in _NAMED:
        return character
    return f"⟨U+{ord(character):04X}⟩"
