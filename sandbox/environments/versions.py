"""Which Pythons a project says it runs on: whether any release of 3.N will do."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

Version = tuple[int, ...]

_CLAUSE: Final = re.compile(r"^(~=|===?|!=|<=|>=|<|>|\^|~)?\s*v?(\d+(?:\.\d+)*)")
_LAST: Final = 99
_MINOR: Final = 2
"""How many numbers name a minor version."""


def satisfies(version: tuple[int, int], requires: str) -> bool:
    """Say whether a Python will do; what cannot be read as a requirement is passed over."""
    return any(_all_hold(version, part) for part in requires.split("||"))


def _all_hold(version: Version, requires: str) -> bool:
    clauses = (_CLAUSE.match(clause.strip()) for clause in requires.split(","))
    return all(_holds(version, clause) for clause in clauses if clause)


def _holds(version: Version, clause: re.Match[str]) -> bool:
    said = tuple(int(part) for part in clause[2].split("."))
    return _SIGNS[clause[1] or "=="](version, said)


def _at_least(mine: Version, said: Version) -> bool:
    return (*mine, _LAST) >= said


def _alike(mine: Version, said: Version) -> bool:
    return mine[: len(said)] == said[:_MINOR]


def _compatible(mine: Version, said: Version) -> bool:
    return _at_least(mine, said) and _alike(mine, said[:-1])


def _other(mine: Version, said: Version) -> bool:
    return len(said) > _MINOR or not _alike(mine, said)


def _padded(said: Version) -> Version:
    return (*said, 0, 0)[:3]


_SIGNS: Final[dict[str, Callable[[Version, Version], bool]]] = {
    ">=": _at_least,
    ">": lambda mine, said: (*mine, _LAST) > said and (len(said) > _MINOR or mine != said),
    "<": lambda mine, said: (*mine, 0) < _padded(said),
    "<=": lambda mine, said: (*mine, 0) <= _padded(said),
    "==": _alike,
    "===": _alike,
    "!=": _other,
    "~=": _compatible,
    "~": lambda mine, said: _at_least(mine, said) and _alike(mine, said[:_MINOR]),
    "^": lambda mine, said: _at_least(mine, said) and _alike(mine, said[:1]),
}
