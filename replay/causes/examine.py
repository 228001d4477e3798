"""Which experiments to make, from the flips that were seen.

One job a test for order and repetition, one for each condition that any test flipped under, and one
for all tests that identical reruns contradict each other about.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from traceproof.replay.asks import Job
from traceproof.replay.causes.chance import chance
from traceproof.replay.causes.conditions import NAMES, conditions
from traceproof.replay.causes.lab import Lab
from traceproof.replay.causes.order import Steps, order
from traceproof.replay.causes.repetition import repetition
from traceproof.replay.ledger import Flip
from traceproof.replay.runs import Axis

_LEADING = 8
"""Tests that are examined for order first; many others often have the same polluters."""


def first(lab: Lab) -> Iterator[Job]:
    """Yield the experiments on everything that flipped."""
    contradicted = lab.ledger.contradicted
    if contradicted:
        yield chance(lab, contradicted)
    for group in _by_condition(_by_test(lab)).values():
        yield conditions(lab, group)
    for of_test in _in_order(lab)[:_LEADING]:
        yield _one_test(lab, of_test)


def rest(lab: Lab) -> Iterator[Job]:
    """Yield the experiments on the other tests that depend on order: the first ones help them."""
    for of_test in _in_order(lab)[_LEADING:]:
        yield _one_test(lab, of_test)


def second(lab: Lab) -> Iterator[Job]:
    """Yield the experiments on what the first ones found to come out both ways."""
    tests = [test for test in lab.contradicted if not lab.causes[test]]
    if tests:
        yield chance(lab, tests)


def _by_test(lab: Lab) -> dict[str, list[Flip]]:
    """Return the flips of the tests that identical reruns agree about."""
    known = set(lab.ledger.contradicted)
    flips: dict[str, list[Flip]] = {}
    for flip in lab.ledger.flips:
        if flip.test not in known:
            flips.setdefault(flip.test, []).append(flip)
    return flips


def _in_order(lab: Lab) -> list[list[Flip]]:
    """Return the flips of each test that flipped in another order, alone, or twice."""
    axes = ("order", "alone", "twice")
    return [
        flips for flips in _by_test(lab).values() if any(flip.ask.axis in axes for flip in flips)
    ]


def _by_condition(flips: dict[str, list[Flip]]) -> dict[tuple[Axis, str], list[Flip]]:
    """Return the first flip of each test on each axis, by what it was under."""
    groups: dict[tuple[Axis, str], list[Flip]] = {}
    for of_test in flips.values():
        firsts = {flip.ask.axis: flip for flip in reversed(of_test) if flip.ask.axis in NAMES}
        for axis, flip in firsts.items():
            groups.setdefault((axis, flip.ask.value), []).append(flip)
    return groups


def _one_test(lab: Lab, flips: Sequence[Flip]) -> Steps:
    test = flips[0].test
    by_axis = {axis: [f for f in flips if f.ask.axis == axis] for axis in ("order", "alone")}
    if by_axis["order"]:
        yield from order(lab, min(by_axis["order"], key=_length))
    if by_axis["alone"] and not _explained_alone(lab, test):
        yield from order(lab, by_axis["alone"][0])
    twice = [flip for flip in flips if flip.ask.axis == "twice"]
    if twice:
        yield from repetition(lab, min(twice, key=lambda flip: flip.ask.value != "each"))


def _explained_alone(lab: Lab, test: str) -> bool:
    """Return whether it is known already why it comes out otherwise alone."""
    shown = [cause.shown for cause in lab.causes[test] if cause.name == "order" and cause.shown]
    return any(one.session.tests == (test,) for one in shown)


def _length(flip: Flip) -> int:
    """Return how many tests ran before it."""
    cases = flip.answer.session.cases if flip.answer.session else ()
    return next((k for k, case in enumerate(cases) if case.test == flip.test), len(cases))
