"""A command line as a shell reads it, taken apart: quotes and backslashes, nothing else."""

from __future__ import annotations

_SPECIAL = frozenset("|&;<>()$`*?[#~=%!{}\n")


def words(line: str) -> list[str]:
    """Return the words of a simple command; none where only a shell can tell what is meant."""
    found: list[str] = []
    word: str | None = None
    at = 0
    while at < len(line):
        letter = line[at]
        if letter in " \t":
            found += [] if word is None else [word]
            word = None
            at += 1
            continue
        read = _next(line, at)
        if read is None:
            return []
        word = (word or "") + read[0]
        at = read[1]
    return found if word is None else [*found, word]


def _next(line: str, at: int) -> tuple[str, int] | None:
    """Read what begins at a place: a quotation, an escape or a letter; None if a shell must."""
    letter = line[at]
    if letter == "'":
        end = line.find("'", at + 1)
        return None if end < 0 else (line[at + 1 : end], end + 1)
    if letter == '"':
        return _quoted(line, at + 1)
    if letter == "\\":
        return None if at + 1 == len(line) else (line[at + 1], at + 2)
    plain = letter not in _SPECIAL or letter in "=%"
    return (letter, at + 1) if plain else None


def _quoted(line: str, at: int) -> tuple[str, int] | None:
    said = ""
    while at < len(line):
        letter = line[at]
        if letter == '"':
            return said, at + 1
        if letter in "$`":
            return None
        if letter == "\\" and line[at + 1 : at + 2] in ('"', "\\", "$", "`"):
            at += 1
            letter = line[at]
        said += letter
        at += 1
    return None
