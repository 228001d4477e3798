"""Compares what a command wrote with what it wrote when it was recorded, line by line.

Pure. Equal lines are equal; of the others, `rules` says which parts need not be.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec

from traceproof.replay.steps.rules import (
    GITS,
    ORDER,
    RECORDER,
    SEARCH,
    Surroundings,
    has_pid,
    places,
)

_SHOWN = 300
_LONG = 4000
"""Characters of a line, or a script, up to which rules look at it; a longer line is as it is."""

_RECORDER = re.compile(r"(?:^|[\s/'\":])\.traceproof(?:[/\s'\":]|$)")
_HERE = "./"
_GITS = re.compile(r"^(?:Binary file )?(?:\./)?\.git/")
_LISTS = re.compile(
    r"(?<![\w./-])(?:find|fd|fdfind|rg|ag|du|tar|zip|tree -U|ls -\w*[fU]|grep -\w*[rR]|grep --rec)"
    r"(?![\w-])|(?<![\w./-])grep\b[^|;&\n]* -\w*[rR]"
)


class Use(msgspec.Struct, kw_only=True):
    """How often a rule was needed, and how many bytes of output differed where it was."""

    rule: str
    count: int = 0
    bytes: int = 0


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """The first line that differs."""

    stream: str
    number: int
    recorded: str
    replayed: str


class Compared(msgspec.Struct, kw_only=True):
    """What a comparison found; with no `first` line they are alike."""

    first: Line | None = None
    lines: int = 0
    """How many lines differ."""
    bytes: int = 0
    """Of the recorded output: what was compared."""
    uses: dict[str, Use] = {}

    def use(self, rule: str, count: int, size: int) -> None:
        """Count a rule."""
        found = self.uses.setdefault(rule, Use(rule=rule))
        found.count += count
        found.bytes += size


def compare(
    stream: str,
    recorded: str,
    replayed: str,
    then: Surroundings,
    now: Surroundings,
    *,
    script: str = "",
) -> Compared:
    """Compare one stream.

    Args:
        stream: its name.
        recorded: what was written when it was recorded.
        replayed: what was written in the replay.
        then: what is known of the recorded run.
        now: what is known of the replay.
        script: what ran; it tells whether lines may come in another order.
    """
    result = Compared(bytes=_size(recorded))
    if recorded == replayed:
        return result
    before, after = recorded.split("\n"), replayed.split("\n")
    lists = bool(_LISTS.search(script[:_LONG]))
    for rule, pattern in ((RECORDER, _RECORDER), *(((GITS, _GITS),) if lists else ())):
        after = _without(pattern, after)
        kept = _without(pattern, before)
        if len(kept) < len(before):
            dropped = _all(before) - _all(kept)
            result.use(rule, len(before) - len(kept), dropped)
            result.bytes = max(result.bytes - dropped, 0)
            before = kept
    if lists and before != after:
        before, after = _searched(before, after, result)
        after = _reordered(before, after, result)
    for number in range(max(len(before), len(after))):
        one = before[number] if number < len(before) else None
        other = after[number] if number < len(after) else None
        if one != other and not _alike(one, other, then, now, result):
            result.lines += 1
            if result.first is None:
                result.first = Line(
                    stream=stream, number=number + 1, recorded=_shown(one), replayed=_shown(other)
                )
    return result


def _alike(
    one: str | None, other: str | None, then: Surroundings, now: Surroundings, result: Compared
) -> bool:
    if one is None or other is None or max(len(one), len(other)) > _LONG:
        return False
    if not has_pid(one, then.pids):
        then, now = then._replace(pids=frozenset()), now._replace(pids=frozenset())
    left, right = places(one, then), places(other, now)
    if [part.rule for part in left] != [part.rule for part in right]:
        return False
    pairs = [pair for pair in zip(left, right, strict=True) if pair[0].text != pair[1].text]
    if any(not part.rule for part, _ in pairs):
        return False
    for part, _ in pairs:
        result.use(part.rule, 1, _size(part.text))
    return True


def _without(pattern: re.Pattern[str], lines: Sequence[str]) -> list[str]:
    return [line for line in lines if not pattern.search(line)]


def _searched(
    before: Sequence[str], after: Sequence[str], result: Compared
) -> tuple[list[str], list[str]]:
    """Take away the `./` that paths begin with, where one of two programs writes it."""
    counts = [sum(line.startswith(_HERE) for line in lines) for lines in (before, after)]
    more = abs(counts[0] - counts[1])
    if not more:
        return list(before), list(after)
    result.use(SEARCH, more, more * len(_HERE))
    return [line.removeprefix(_HERE) for line in before], [
        line.removeprefix(_HERE) for line in after
    ]


def _reordered(before: Sequence[str], after: Sequence[str], result: Compared) -> list[str]:
    """Return the replayed lines in the recorded order, if they are the same lines."""
    if Counter(before) != Counter(after):
        return list(after)
    moved = [one for one, other in zip(before, after, strict=True) if one != other]
    result.use(ORDER, len(moved), sum(map(_size, moved)))
    return list(before)


def _shown(line: str | None) -> str:
    if line is None:
        return "(no such line)"
    text = line.encode(errors="backslashreplace").decode()
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def _all(lines: Sequence[str]) -> int:
    return sum(_size(line) + 1 for line in lines)


def _size(text: str) -> int:
    return len(text.encode(errors="replace"))


def summed(found: Sequence[Compared]) -> Iterator[Use]:
    """Yield the rules of several comparisons, each once, in the order in which they came up."""
    total = Compared()
    for one in found:
        for use in one.uses.values():
            total.use(use.rule, use.count, use.bytes)
    yield from total.uses.values()
