"""What may be another in a replay without being another result: the rules of normalisation, named.

A rule finds places in a line of output. Two lines are alike if they are equal but for places that
the same rule found in both. The list is short on purpose: numbers as such are compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_DAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_CLOCK = r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?"
_ZONE = r"(?:Z|UTC|GMT|[A-Z]{3,4}|[+-]\d{2}:?\d{2})"
_NUMBER = re.compile(r"(?<![\w.])\d+(?![\w.])")
_DATE = rf"{_MONTH} +\d+ +(?:{_CLOCK}|\d{{4}})"
"""As `ls -l` has it."""
_OFFSET = r"(?: ?(?:Z\b|UTC\b|GMT\b|[+-]\d{2}:?\d{2}))?"
_LIBRARY = r"(?:/[\w.@+-]+){0,40}/lib(?:64)?/python\d\.\d+(?:/(?:site|dist)-packages)?"
_JOB = r"(?: *\d+ (?=[A-Z][a-z]))?"
_UNITS = r"(?:[nµμum]?s(?:ecs?|econds?)?|[mnu]sec|minutes?|min)"
_NEAR = 86400.0
"""Seconds from a run within which a number of Unix seconds is its time."""

WORKSPACE, HOME, TEMPORARY, LIBRARY = "workspace", "home", "temporary", "library"
PID, COMMIT = "pid", "commit"
USER, ORDER, SEARCH, RECORDER, GITS, CACHES, AGENT, MASKED, LEFT_OUT = (
    "user", "file order", "search", "recorder", ".git", "caches", "agent's files", "masked",
    "left out",
)  # fmt: skip
_TIME = "time"

RULES: dict[str, str] = {
    WORKSPACE: "the path of the workspace, where it stands at another place in the box",
    HOME: "the path of the home folder",
    USER: "the user's name: who recorded, and who commands run as in the box",
    LIBRARY: "where Python's library and packages are installed, and their line numbers",
    TEMPORARY: "temporary folders, and names with random letters in them",
    _TIME: "dates and times of day; Unix seconds within a day of the run",
    "duration": "how long something took: a number with a unit of time, bytes a second, `time`",
    PID: "process ids: the shell's own, and numbers that are said to be one",
    "address": "addresses in memory: 0x and six hexadecimal digits or more",
    "random id": "UUIDs",
    "port": "port numbers of this machine, four digits or more",
    "seed": "seeds of random numbers",
    COMMIT: "commit ids, in what a command with `git` in it prints",
    "listing": "owner, links and time in a line of `ls -l`, a folder's size; `.`, `..` and `total`",
    "shell": "a shell's name, line number and job's process id before its message",
    "padding": "the length of a ruled line: four or more of = - _ ~ * #",
    ORDER: "the order of lines, where a command lists files in the order of the disk",
    SEARCH: "`./` before paths: an agent's own `find` and `grep` write it otherwise",
    RECORDER: "lines that name the recorder's folder, .traceproof, which is not in a replay",
    GITS: "lines that a search brings from within .git, which has no hooks and logs in a replay",
    CACHES: "files that tools keep for themselves: __pycache__, .pytest_cache, node_modules, …",
    AGENT: "files that the agent keeps in the workspace: .aider*",
    MASKED: "files whose recorded content has masked secrets",
    LEFT_OUT: "files that the recording left out, for a reason that is in the trace",
}
"""Every rule, and what it lets differ; the last four are about files, the others about output."""


LEAVING_OUT = frozenset((RECORDER, GITS))
"""Rules that take whole lines out of a comparison; these count neither as compared nor as alike."""


class Rule(NamedTuple):
    """A pattern; where it has groups, these are the places, else the whole match."""

    name: str
    pattern: re.Pattern[str]


def _rule(name: str, *patterns: str) -> Iterator[Rule]:
    for pattern in patterns:
        yield Rule(name, re.compile(pattern))


_RULES: tuple[Rule, ...] = (
    *_rule(
        "listing",
        r"^(d[-rwxsStTl]{9}[.+@]? +\d+ .* )\.\.?/?$",
        rf"^d[-rwxsStTl]{{9}}[.+@]?( +\d+ +\S+ +\S+ +\d+ )({_DATE})",
        rf"^[-lbcps][-rwxsStTl]{{9}}[.+@]?( +\d+ +\S+ +\S+ +)\d+ ({_DATE})",
        r"^total (\d+[KMG]?)$",
    ),
    *_rule("shell", rf"^(?:\S*/)?(?:ba|da|z|k)?sh: ?(?:eval: )?(?:line )?\d+: {_JOB}"),
    *_rule("shell", r"^\(eval\):\d+: "),
    *_rule(LIBRARY, rf'({_LIBRARY})(?=/)[^"]*", line (\d+)', rf"{_LIBRARY}(?=[/\s'\"]|$)"),
    *_rule(
        TEMPORARY,
        r"(?:/[\w.@%+-]+){0,40}/(?:tmp|T)/(?:tmp[a-z0-9_]{8}|"
        r"[\w-]{0,64}[._-]?(?=[A-Za-z0-9]{0,12}(?:\d|[a-z][A-Z]))[A-Za-z0-9]{6,12})(?![\w-])",
        r"(?:/[\w.@%+-]+){0,40}/(?:tmp|T)/pytest-of-\w+/pytest-\d+",
    ),
    *_rule(HOME, r"(?<![\w.])/(?:root|(?:home|Users)/[\w.-]+)(?=[/\s:;,'\")\]]|$)"),
    *_rule("random id", r"(?i)\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b"),
    *_rule(
        _TIME,
        rf"\b{_DAY},? +(?:\d{{1,2}} +)?{_MONTH} +(?:\d{{1,2}} +)?(?:\d{{4}} +)?{_CLOCK}"
        rf"(?: +[AP]M)?(?: +{_ZONE})?(?: +\d{{4}})?",
        rf"\b\d{{4}}-\d{{2}}-\d{{2}}(?:[T ]{_CLOCK})?{_OFFSET}",
        rf"\b\d{{2}}/{_MONTH}/\d{{4}}[: ]{_CLOCK}(?: [+-]\d{{4}})?",
        rf"\b{_MONTH} +\d{{1,2}},? +(?:{_CLOCK}|\d{{4}}\b)(?: +\d{{4}}\b)?",
        r"(?<![\d:])\d{1,2}:\d{2}:\d{2}(?:[.,]\d+)?(?![\d:])",
    ),
    *_rule(
        "duration",
        r"(?<![\w.])\d+m\d+(?:\.\d+)?s\b",
        r"^\d+\.\d+user \d+\.\d+system .*$",
        r"^\d+inputs\+\d+outputs .*$",
        rf"(?<![\w.])\d+(?:\.\d+)?(?:e-?\d+)? ?{_UNITS}(?!\w)",
        r"(?<![\w.])\d+(?:\.\d+)? ?[kKMGT]?i?[Bb](?:ytes)?/s\b",
    ),
    *_rule("address", r"\b0x[0-9a-fA-F]{6,16}\b"),
    *_rule(
        PID, r"(?i)\bp(?:id|gid|rocess(?: group)?(?: id)?)[ =:#]+(\d+)\b", r"^\[\d+\][+-]? +(\d+)$"
    ),
    *_rule("port", r"(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\]|::1)[: ](\d{4,5})\b"),
    *_rule("seed", r"(?i)\b\w*seed[ =:]+(\d+)"),
)
_COMMIT = Rule(COMMIT, re.compile(r"\b(?=[0-9a-f]*\d)[0-9a-f]{7,40}\b"))
_PADDING = Rule("padding", re.compile(r"([=\-_~*#])\1{3,}"))
_SECONDS = re.compile(r"(?<![\w.])(\d{10})(?:\d{3}|\d{9})?(?:\.\d+)?(?![\w.])")


class Place(NamedTuple):
    """A part of a line; `rule` is empty for what is compared."""

    rule: str
    text: str


class Surroundings(NamedTuple):
    """What is known of a run, recorded or replayed."""

    paths: tuple[tuple[str, str], ...] = ()
    """Rule and path: where the workspace and the home were."""
    pids: frozenset[int] = frozenset()
    time: float = 0.0
    """When it began, in Unix seconds."""
    git: bool = False
    users: frozenset[str] = frozenset()
    """Of both runs."""


def places(line: str, around: Surroundings) -> list[Place]:
    """Take a line apart into what is compared, and what rules have found."""
    taken: list[tuple[int, int, str]] = []
    for start, end, name in _found(line, around):
        if start < end and all(end <= begin or stop <= start for begin, stop, _ in taken):
            taken.append((start, end, name))
    parts: list[Place] = []
    at = 0
    for start, end, name in sorted(taken):
        parts += [Place("", line[at:start]), Place(name, line[start:end])]
        at = end
    return [*parts, Place("", line[at:])]


def has_pid(line: str, pids: frozenset[int]) -> bool:
    """Tell whether one of some process ids stands in a line."""
    return any(int(found[0]) in pids for found in _NUMBER.finditer(line) if len(found[0]) < 12)  # noqa: PLR2004


def _found(line: str, around: Surroundings) -> Iterator[tuple[int, int, str]]:
    """Yield the places that rules find, those first that go before others."""
    for name, path in around.paths:
        if path:
            yield from _matches(Rule(name, re.compile(re.escape(path) + r"(?![\w.-])")), line)
    for rule in _RULES:
        yield from _matches(rule, line)
    yield from _known(line, around)
    if around.git:
        yield from _matches(_COMMIT, line)
    for found in _PADDING.pattern.finditer(line):
        yield found.start(), found.end(), _PADDING.name


def _known(line: str, around: Surroundings) -> Iterator[tuple[int, int, str]]:
    """Yield the places of what is known of a run: names, process ids, its time."""
    for user in around.users:
        name = re.compile(rf"(?<![\w./-]){re.escape(user)}(?![\w./-])")
        yield from _matches(Rule(USER, name), line)
    for found in _NUMBER.finditer(line):
        if len(found[0]) < 12 and int(found[0]) in around.pids:  # noqa: PLR2004
            yield found.start(), found.end(), PID
    for found in _SECONDS.finditer(line):
        if abs(int(found[1]) - around.time) < _NEAR:
            yield found.start(), found.end(), _TIME


def _matches(rule: Rule, line: str) -> Iterator[tuple[int, int, str]]:
    for found in rule.pattern.finditer(line):
        for group in range(1, rule.pattern.groups + 1) or (0,):
            if found.start(group) >= 0:
                yield found.start(group), found.end(group), rule.name
