"""Delta debugging: the smallest part of a sequence that still does it.

Generators ask: they yield candidates that may be tried at the same time, and are sent what came of
them; an answer that cannot be had counts as a no. Nothing is run here, and nothing known of tests.

Culprits are looked for from the last one on, as if more never undid what fewer do: some 15 probes
each among 200. Where that does not hold, plain delta debugging follows (Zeller and Hildebrandt,
"Simplifying and isolating failure-inducing input", 2002).
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from itertools import pairwise

Part = tuple[str, ...]
Search = Generator[list[Part], Sequence[bool], tuple[Part, bool]]

_CUTS = 3
"""Lengths that are tried at the same time."""


class _OverBudget(Exception):  # noqa: N818 - it ends a search, nothing is wrong
    pass


class _Asker:
    """Counts what is asked, and remembers the smallest part that was seen to do it."""

    def __init__(self, whole: Part, budget: int) -> None:
        self.best = whole
        self.left = budget

    def __call__(self, parts: list[Part]) -> Generator[list[Part], Sequence[bool], list[bool]]:
        if len(parts) > self.left:
            raise _OverBudget
        self.left -= len(parts)
        answers = list((yield parts))
        for part, yes in zip(parts, answers, strict=True):
            if yes and len(part) < len(self.best):
                self.best = part
        return answers


def smallest(items: Sequence[str], budget: int) -> Search:
    """Find a part of a sequence, in its order, that does it and of which nothing can be left out.

    The whole does it, and nothing does not: neither is asked.

    Args:
        items: the sequence.
        budget: how many candidates may be asked about.

    Returns:
        the part, and whether it is known that nothing in it can be left out.
    """
    ask = _Asker(tuple(items), budget)
    try:
        if not (yield from _from_the_last(ask)):
            yield from _halving(ask)
    except _OverBudget:
        return ask.best, False
    return ask.best, True


def _from_the_last(
    ask: _Asker,
) -> Generator[list[Part], Sequence[bool], bool]:
    """Find the culprits, last first; return whether the part was seen to do it, and be minimal."""
    before: Part = ask.best
    kept: Part = ()
    while True:
        length = yield from _shortest(ask, before, kept)
        if length == 0:
            return False
        before, kept = before[: length - 1], (before[length - 1], *kept)
        if (yield from ask([kept]))[0]:
            break
        if not before:
            return False
    return len(kept) == 1 or not any((yield from ask(_each_left_out(kept))))


def _shortest(ask: _Asker, before: Part, kept: Part) -> Generator[list[Part], Sequence[bool], int]:
    """Return the shortest length of `before` that does it together with `kept`."""
    low, high = 0, len(before)
    while high - low > 1:
        cuts = sorted({low + (high - low) * k // (_CUTS + 1) for k in range(1, _CUTS + 1)} - {low})
        answers = yield from ask([before[:cut] + kept for cut in cuts])
        low, high = _narrowed(cuts, answers, low, high)
    return high


def _narrowed(cuts: list[int], answers: list[bool], low: int, high: int) -> tuple[int, int]:
    for cut, yes in zip(cuts, answers, strict=True):
        if yes:
            return low, cut
        low = cut
    return low, high


def _halving(ask: _Asker) -> Generator[list[Part], Sequence[bool], None]:
    """Cut what is left into more and more parts, and keep what does it."""
    rest, parts = ask.best, 2
    while len(rest) > 1:
        pieces = _pieces(rest, parts)
        answers = yield from ask([piece for piece in pieces if piece])
        found = next((k for k, yes in enumerate(answers) if yes), None)
        if found is None:
            if parts >= len(rest):
                return
            parts = min(2 * parts, len(rest))
        else:
            rest = pieces[found]
            parts = min(2 if found < parts else max(2, parts - 1), max(2, len(rest)))


def _pieces(rest: Part, parts: int) -> list[Part]:
    """Return the parts, then what is left without each; for two parts that is the same."""
    edges = list(pairwise(len(rest) * k // parts for k in range(parts + 1)))
    without = [rest[:a] + rest[b:] for a, b in edges] if parts > 2 else []  # noqa: PLR2004
    return [rest[a:b] for a, b in edges] + without


def _each_left_out(part: Part) -> list[Part]:
    return [part[:k] + part[k + 1 :] for k in range(len(part))]
