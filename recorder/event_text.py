"""Changing a text within an event's bytes, and nothing else of them.

The text is looked for as the value of a JSON string, however it is escaped there; what is kept of
it keeps its escapes. This module knows no provider's format: an event that has the same text as
value of several fields has it changed in all of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from traceproof.recorder.redaction import Mask, Masked, token

_STRING = re.compile(r'"([^"\\]*(?:\\.[^"\\]*)*)"(\s*:)?')
"""A JSON string; one that a colon follows is a key."""

_CHARACTER = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.|[^\\]",
    re.DOTALL,
)
"""One character as it is written in a JSON string; a surrogate pair is one."""


class Edit(NamedTuple):
    """A stretch of a text (in characters) that goes; with a name, a mask takes its place."""

    start: int
    end: int
    name: str | None
    encoding: str


def rewrite(raw: bytes, edits: Mapping[str, Sequence[Edit]]) -> Masked | None:
    """Apply edits to the texts that an event's JSON holds.

    Args:
        raw: the event's bytes.
        edits: for each text the edits to it, in order.

    Returns:
        The new bytes, or None where one of the texts is not in the event.
    """
    source = raw.decode(errors="surrogateescape")
    missing = set(edits)
    pieces: list[str] = []
    masks: list[Mask] = []
    at = 0
    for start, written in _strings(source):
        text = _decode(written)
        if text is not None and text in edits:
            missing.discard(text)
            pieces.append(source[at:start])
            for piece, edit in _apply(written, edits[text]):
                if edit:
                    masks.append(Mask(_size(pieces), edit.name or "", edit.encoding))
                pieces.append(piece)
            at = start + len(written)
    pieces.append(source[at:])
    return None if missing else Masked(_encode("".join(pieces)), masks)


def _strings(source: str) -> Iterator[tuple[int, str]]:
    for match in _STRING.finditer(source):
        if not match[2]:
            yield match.start(1), match[1]


def _decode(written: str) -> str | None:
    try:
        text: str = json.loads(f'"{written}"', strict=False)
    except ValueError:
        return None
    return text


def _apply(written: str, edits: Sequence[Edit]) -> Iterator[tuple[str, Edit | None]]:
    """Yield the pieces of a string as they are to be written, each mask with its edit."""
    characters = _CHARACTER.findall(written)
    at = 0
    for edit in edits:
        yield "".join(characters[at : edit.start]), None
        if edit.name:
            yield token(edit.name).decode(), edit
        at = max(at, edit.end)
    yield "".join(characters[at:]), None


def _size(pieces: Sequence[str]) -> int:
    return sum(len(_encode(piece)) for piece in pieces)


def _encode(text: str) -> bytes:
    return text.encode(errors="surrogateescape")
