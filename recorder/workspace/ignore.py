r"""Which files git would ignore: the patterns of `.gitignore` and its like, as git reads them.

Git itself is not asked: what is new is judged within a scan, thousands of names at a time, and an
answer must not take a process, or the user's configuration, or patience: the time a pattern takes
grows with its length, whatever it is (`*a*a*a*b` takes no exponent of it).
A test compares this with `git check-ignore`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

MOST_BYTES = 1 << 20
"""Of one file of patterns: what is beyond is not read."""

MOST_PATTERNS = 20_000

_CLASSES = {
    b"alnum": b"0-9A-Za-z", b"alpha": b"A-Za-z", b"blank": b" \t", b"cntrl": rb"\x00-\x1f\x7f",
    b"digit": b"0-9", b"graph": rb"\x21-\x7e", b"lower": b"a-z", b"print": rb"\x20-\x7e",
    b"punct": rb"!-/:-@\[-`{-~", b"space": rb" \t-\r", b"upper": b"A-Z", b"xdigit": b"0-9A-Fa-f",
}  # fmt: skip
_ANY_FOLDERS = None
"""`**` in the place of a name."""


class _Glob:
    """One name with wildcards: pieces of fixed length, between which anything may stand."""

    def __init__(self, pieces: list[re.Pattern[bytes]], widths: list[int]) -> None:
        self._pieces = pieces
        self._widths = widths

    def matches(self, name: bytes) -> bool:
        first, *rest = self._pieces
        if not rest:
            return bool(first.fullmatch(name))
        if not first.match(name):
            return False
        at, last = self._widths[0], len(name) - self._widths[-1]
        for piece in rest[:-1]:
            found = piece.search(name, at)
            if not found:
                return False
            at = found.end()
        return at <= last and bool(rest[-1].match(name, last))


class _Pattern(NamedTuple):
    """A line of a file of patterns."""

    names: tuple[_Glob | bytes | None, ...]
    """What stands between slashes: a glob, a literal name, or `**`."""
    anchored: bool
    """It is for a path from the file's folder on, else for a name in any folder below."""
    folders_only: bool
    ignores: bool

    def matches(self, names: Sequence[bytes], *, folder: bool) -> bool:
        if self.folders_only and not folder:
            return False
        if not self.anchored:
            return _matches_name(self.names[0], names[-1])
        return _matches_path(self.names, names)


class Rules:
    """The patterns of one file, for the folder `base` (names from the workspace's root)."""

    def __init__(self, text: bytes, base: Sequence[bytes] = ()) -> None:
        self._depth = len(base)
        self._named: dict[bytes, list[tuple[int, _Pattern]]] = {}
        self._others: list[tuple[int, _Pattern]] = []
        for number, pattern in enumerate(_parse(text[:MOST_BYTES])):
            literal = pattern.names[0]
            if not pattern.anchored and isinstance(literal, bytes):
                self._named.setdefault(literal, []).append((number, pattern))
            else:
                self._others.append((number, pattern))
        self._others.reverse()

    def verdict(self, path: Sequence[bytes], *, folder: bool) -> bool | None:
        """Tell whether a path (names from the root) is ignored; None where nothing fits."""
        names = path[self._depth :]
        best, answer = -1, None
        for number, pattern in self._named.get(names[-1], ()):
            if pattern.matches(names, folder=folder):
                best, answer = number, pattern.ignores
        for number, pattern in self._others:
            if number < best:
                break
            if pattern.matches(names, folder=folder):
                return pattern.ignores
        return answer


def ignored(stack: Iterable[Rules], path: Sequence[bytes], *, folder: bool) -> bool:
    """Tell whether git would ignore a path, the folder it is in not being ignored itself.

    Args:
        stack: rules, those that count most first: the nearest `.gitignore`, then those above it,
            `.git/info/exclude`, and the user's own.
        path: names from the workspace's root on.
        folder: whether it is a folder.
    """
    for rules in stack:
        verdict = rules.verdict(path, folder=folder)
        if verdict is not None:
            return verdict
    return False


def _parse(text: bytes) -> Iterable[_Pattern]:
    lines = text.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    for line in lines[:MOST_PATTERNS]:
        pattern = _pattern(line.removesuffix(b"\r"))
        if pattern is not None:
            yield pattern


def _pattern(line: bytes) -> _Pattern | None:
    line = _without_spaces(line)
    if line.startswith(b"#") or not line:
        return None
    ignores = not line.startswith(b"!")
    line = line[not ignores :]
    folders_only = line.endswith(b"/")
    line = line[: len(line) - folders_only]
    anchored = b"/" in line
    parts = line.removeprefix(b"/").split(b"/") if anchored else [line]
    names: list[_Glob | bytes | None] = []
    for part in parts:
        if anchored and part == b"**":
            names.append(_ANY_FOLDERS)
            continue
        name = _name(part)
        if name is None:
            return None
        names.append(name)
    return _Pattern(tuple(names), anchored, folders_only, ignores) if line else None


def _without_spaces(line: bytes) -> bytes:
    """Cut the spaces at the end, up to one that is escaped."""
    while line.endswith(b" "):
        escapes = len(line[:-1]) - len(line[:-1].rstrip(b"\\"))
        if escapes % 2:
            break
        line = line[:-1]
    return line


def _name(text: bytes) -> _Glob | bytes | None:
    """Read what stands between two slashes; None where nothing can match it."""
    pieces, literal = [bytearray()], bytearray()
    widths = [0]
    wild, at = False, 0
    while at < len(text):
        byte = text[at : at + 1]
        at += 1
        if byte == b"*":
            wild = True
            pieces.append(bytearray())
            widths.append(0)
            continue
        if byte == b"[":
            found = _bracket(text, at)
            if found is None:
                return None
            element, at = found
            wild = True
        elif byte == b"?":
            element, wild = b"[^/]", True
        else:
            if byte == b"\\":
                byte = text[at : at + 1]
                at += 1
                if not byte:
                    return None
            literal += byte
            element = re.escape(byte)
        pieces[-1] += element
        widths[-1] += 1
    if not wild:
        return bytes(literal)
    return _Glob([re.compile(bytes(piece), re.DOTALL) for piece in pieces], widths)


def _bracket(text: bytes, at: int) -> tuple[bytes, int] | None:
    """Read a bracket expression that begins before `at`, as wildmatch does; None if it is none."""
    negated = text[at : at + 1] in (b"!", b"^")
    at += negated
    members: list[bytes] = []
    before, begin = -1, at
    while text[at : at + 1] != b"]" or at == begin:
        member = _class(text, at) or _range(text, at, before) or _single(text, at)
        if member is None or member.regex is None:
            return None
        members.append(member.regex)
        before, at = member.last, member.end
    inside = b"".join(members)
    if negated:
        return b"[^/" + inside + b"]", at + 1
    return (b"(?!/)[" + inside + b"]" if inside else b"(?!)"), at + 1


class _Member(NamedTuple):
    """A part of a bracket expression: its regex (None: nothing can match), and where it ends."""

    regex: bytes | None
    end: int
    last: int = -1
    """The byte that a range may begin with."""


def _class(text: bytes, at: int) -> _Member | None:
    close = text.find(b":]", at + 2)
    name = text[at + 2 : close]
    if text[at : at + 2] != b"[:" or close < 0 or b"]" in name:
        return None
    return _Member(_CLASSES.get(name), close + 2)


def _range(text: bytes, at: int, before: int) -> _Member | None:
    if text[at : at + 1] != b"-" or before < 0 or text[at + 1 : at + 2] in (b"", b"]"):
        return None
    end = _single(text, at + 1)
    if end is None:
        return _Member(None, at)
    regex = b"\\x%02x-\\x%02x" % (before, end.last) if before <= end.last else b""
    return _Member(regex, end.end)


def _single(text: bytes, at: int) -> _Member | None:
    at += text[at : at + 1] == b"\\"
    byte = text[at : at + 1]
    return _Member(b"\\x%02x" % byte[0], at + 1, byte[0]) if byte else None


def _matches_name(pattern: _Glob | bytes | None, name: bytes) -> bool:
    if isinstance(pattern, bytes):
        return pattern == name
    return pattern is None or pattern.matches(name)


def _matches_path(pattern: Sequence[_Glob | bytes | None], names: Sequence[bytes]) -> bool:
    """Match name by name; `**` takes as few names as will do, and one more when that was wrong."""
    at = position = 0
    back: tuple[int, int] | None = None
    while position < len(names):
        if at < len(pattern) and pattern[at] is _ANY_FOLDERS:
            if at == len(pattern) - 1:
                return True
            back = (at, position)
            at += 1
        elif at < len(pattern) and _matches_name(pattern[at], names[position]):
            at, position = at + 1, position + 1
        elif back is not None:
            back = (back[0], back[1] + 1)
            at, position = back[0] + 1, back[1]
        else:
            return False
    return at == len(pattern)
