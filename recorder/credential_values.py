"""What credentials look like, as far as a value alone can tell.

A guess each, to be made where a name says something too: masking an ordinary word everywhere is as
much a defect as storing a key.
"""

from __future__ import annotations

import re

from traceproof.recorder.patterns import KEY_SHAPES, LONGEST

_LEAST = 12
"""Characters of an opaque value; so many of them, less two for a short prefix, must be mixed."""

_PIECE = re.compile(r"[A-Za-z0-9]+")
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|[A-Z]?[a-z]{2,}(?:[A-Z][a-z]{2,})+")
_WORDS = re.compile(r"[A-Za-z\s._:;,/?'()-]*")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(?:[T ][\d:.]+(?:Z|[+-][\d:]+| [A-Z]+)?)?")
_TOKEN = re.compile(r"(?!.*://)[^\s@<>{}\"']+")
_PLACEHOLDER = re.compile(r"\$[A-Z_][A-Z0-9_]*|\$\{[^{}]*\}|\$?\{\{[^{}]*\}\}|%[A-Z_]+%|<[^<>]*>")
_BEGINNINGS = tuple(start for rule in KEY_SHAPES for start in rule.starts)


def has_key_shape(value: str) -> bool:
    """Tell whether a whole value looks like a provider's key."""
    if len(value) > LONGEST or not value.startswith(_BEGINNINGS):
        return False
    data = value.encode(errors="surrogatepass")
    return any((0, len(data)) in rule.find(data, 0) for rule in KEY_SHAPES)


def is_opaque(value: str) -> bool:
    """Tell whether a value looks like a token: long, and not made of words, numbers or dates.

    A model's name, a version or a region has its letters and digits apart, or few of them.
    """
    if not _LEAST <= len(value) <= LONGEST or not _TOKEN.fullmatch(value):
        return False
    mixed = sum(len(piece) for piece in _PIECE.findall(value) if _is_mixed(piece))
    return mixed >= _LEAST - 2 and not _MOMENT.fullmatch(value)


def _is_mixed(piece: str) -> bool:
    if piece.isalpha():
        return len(piece) >= _LEAST and not _WORD.fullmatch(piece)
    return len(piece) >= 4 and not piece.isdecimal()  # noqa: PLR2004 - `v2`, `4o`, `70b` are short


def is_wordy(value: str) -> bool:
    """Tell whether a value is words or a moment in time, which nobody makes a token of."""
    if _MOMENT.fullmatch(value):
        return True
    if not _WORDS.fullmatch(value):
        return False
    return all(_WORD.fullmatch(piece) for piece in _PIECE.findall(value))


def is_placeholder(value: str) -> bool:
    """Tell whether a value stands for another one: `${TOKEN}`, `<your key>`."""
    return bool(_PLACEHOLDER.fullmatch(value))
