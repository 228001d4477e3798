"""Randomness: is what a test comes to a function of a seed?

The same seed must give the same outcome each time, and another seed the other one. First the seed
of Python's `random`, as identical reruns have it; then all random numbers at once.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from typing import NamedTuple

from traceproof.replay.asks import AS_USUAL, Answer, Ask
from traceproof.replay.causes.lab import Lab, identical_rate, rate, state_in
from traceproof.replay.runs import Conditions, Session
from traceproof.replay.states import State
from traceproof.replay.verdict import Cause

Some = Generator[list[Ask], list[Answer], list[str]]
"""Steps that return the tests that are still to be explained."""

_SEEDS, _AGAIN = 2, 3
"""Of each outcome so many seeds are repeated, so many times each."""
_ALL = Conditions(fixed_random=True)
_AT_A_TIME, _MOST_SEARCHED = 32, 400
_ENOUGH = 4
"""So many expected flips are waited for in a search."""


class _Seeds(NamedTuple):
    """Seeds with which a test came out as usual, and otherwise."""

    usual: dict[int, None]
    other: dict[int, None]

    def add(self, seed: int, state: State | None, usual: State) -> None:
        if state is not None:
            (self.usual if state == usual else self.other).setdefault(seed)

    @property
    def chosen(self) -> tuple[list[int], list[int]]:
        return list(self.usual)[:_SEEDS], list(self.other)[:_SEEDS]


def pythons_seed(lab: Lab, tests: list[str]) -> Some:
    """Repeat identical reruns with their own seeds."""
    seeds = {test: _Seeds({}, {}) for test in tests}
    for test, found in seeds.items():
        for sight in lab.ledger.identical[test]:
            state = state_in(sight.answer, test, as_usual=True)
            found.add(sight.answer.ask.session.seed, state, lab.usual(test, as_usual=True))
    text = "the seed of Python's random numbers decides: the same seed, the same outcome"
    return (yield from _explained(lab, seeds, None, AS_USUAL, text))


def any_seed(lab: Lab, tests: list[str]) -> Some:
    """Seed everything random anew before each test, and look for a seed that makes it flip."""
    if not tests:
        return tests
    seeds = {test: _Seeds({}, {}) for test in tests}
    number = 0
    while number < _enough(lab, tests) and not all(all(found) for found in seeds.values()):
        numbers = range(number, number + _AT_A_TIME)
        asks = [_ask(tests, lab.seeds("any seed", k), _ALL) for k in numbers]
        for answer in (yield asks):
            for test, found in seeds.items():
                seed = answer.ask.session.seed
                found.add(seed, state_in(answer, test), lab.usual(test))
        number += _AT_A_TIME
    text = "random numbers decide: with all of them seeded, the same seed gives the same outcome"
    return (yield from _explained(lab, seeds, tests, _ALL, text))


def _enough(lab: Lab, tests: list[str]) -> int:
    rates = [identical_rate(lab, test) for test in tests]
    least = min((r.flips / r.runs for r in rates if r.flips), default=0.05)
    return min(_MOST_SEARCHED, math.ceil(_ENOUGH / least))


def _explained(
    lab: Lab,
    seeds: dict[str, _Seeds],
    tests: Sequence[str] | None,
    conditions: Conditions,
    text: str,
) -> Some:
    """Repeat seeds; write the cause of those tests that follow them."""
    both = {test: found.chosen for test, found in seeds.items() if all(found)}
    wanted = dict.fromkeys(s for usual, other in both.values() for s in (*usual, *other))
    answers = yield [
        _ask(tests, seed, conditions)._replace(box=f"again {k}")  # lest it be the box that decides
        for k in range(_AGAIN)
        for seed in wanted
    ]
    explained = set()
    for test, (usual, other) in both.items():
        as_before = [a for a in answers if a.ask.session.seed in usual]
        otherwise = [a for a in answers if a.ask.session.seed in other]
        if _follows(lab, test, as_before, otherwise, as_usual=tests is None):
            explained.add(test)
            lab.causes[test].append(_cause(lab, test, as_before, otherwise, text))
    return [test for test in seeds if test not in explained]


def _ask(tests: Sequence[str] | None, seed: int, conditions: Conditions) -> Ask:
    session = Session(seed=seed, tests=None if tests is None else tuple(tests))
    return Ask(session, f"seed {seed}", axis="random", value="seeds", conditions=conditions)


def _follows(
    lab: Lab, test: str, usual: list[Answer], other: list[Answer], *, as_usual: bool
) -> bool:
    expected = lab.usual(test, as_usual=as_usual)
    before = [state_in(answer, test, as_usual=as_usual) for answer in usual]
    after = [state_in(answer, test, as_usual=as_usual) for answer in other]
    known = None not in before and None not in after
    return known and set(before) == {expected} and len(set(after)) == 1 and expected not in after


def _cause(lab: Lab, test: str, usual: list[Answer], other: list[Answer], text: str) -> Cause:
    expected = lab.usual(test)
    return Cause(
        name="randomness",
        text=text,
        axis="random",
        with_cause=rate((state_in(answer, test) for answer in other), expected),
        without=rate((state_in(answer, test) for answer in usual), expected),
        shown=lab.demonstration(other[0], test),
        contrast=lab.demonstration(usual[0], test),
    )
