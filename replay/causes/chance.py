"""Chance: why identical reruns contradict each other.

In this order: is it a function of random numbers; of how threads are switched; of the box; of load.
What is none of these is `unknown`.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence

import msgspec

from traceproof.replay import statistics
from traceproof.replay.asks import Answer, Ask
from traceproof.replay.causes.lab import Lab, identical_rate, rate, state_in
from traceproof.replay.causes.randomness import Some, any_seed, pythons_seed
from traceproof.replay.runs import Axis, Conditions, Session
from traceproof.replay.states import State, state
from traceproof.replay.verdict import Cause, Rate

Steps = Generator[list[Ask], list[Answer], None]

_QUICK = Conditions(switch_interval=1e-6)
_SLOW = Conditions(switch_interval=1.0)
_THREADS, _LOADED = 12, 12
_SURE = 0.001
_BOXES, _IN_BOX = 10, 3
_IN_BOXES = 4
"""Sessions under one condition are spread over so many boxes: no single one decides."""
_TOGETHER = 5
"""So many tests that flipped in one and the same session only, met something around it."""


def chance(lab: Lab, tests: Sequence[str]) -> Steps:
    """Find out why some tests come out both ways."""
    rest = yield from pythons_seed(lab, list(tests))
    rest = _one_session(lab, rest)
    rest = yield from any_seed(lab, rest)
    rest = yield from _threads(lab, rest)
    rest = yield from _boxes(lab, rest)
    rest = yield from _load(lab, rest)
    for test in rest:
        text = "comes out both ways in identical reruns; no experiment says why"
        _write(lab, test, Cause(name="unknown", text=text, axis="same"))


def _one_session(lab: Lab, tests: list[str]) -> list[str]:
    """Explain tests that flipped together, in one session and never again."""
    where: dict[str, list[str]] = {}
    for test in tests:
        usual, sights = lab.ledger.usual(test), lab.ledger.identical[test]
        refs = [sight.answer.ref for sight in sights if state(sight.case) != usual]
        if len(refs) == 1:
            where.setdefault(refs[0], []).append(test)
    explained = set()
    for ref, together in where.items():
        if len(together) < _TOGETHER:
            continue
        for test in together:
            text = f"came out otherwise in {ref} alone, together with {len(together) - 1} others"
            _write(lab, test, Cause(name="infrastructure", text=text, axis="same"))
        explained.update(together)
    return [test for test in tests if test not in explained]


def _threads(lab: Lab, tests: list[str]) -> Some:
    """Switch threads very often and very seldom."""
    mine = [test for test in tests if test in lab.ledger.threads]
    asks = [
        ask
        for test in mine
        for conditions in (_QUICK, _SLOW)
        for ask in _alone(lab, test, conditions, "threads", _THREADS)
    ]
    answers = yield asks
    for k, test in enumerate(mine):
        _switched(lab, test, answers[k * 2 * _THREADS : (k + 1) * 2 * _THREADS])
    return [test for test in tests if test not in mine]


def _switched(lab: Lab, test: str, answers: list[Answer]) -> None:
    usual = lab.usual(test)
    states = [state_in(answer, test) for answer in answers]
    quick, slow = rate(states[:_THREADS], usual), rate(states[_THREADS:], usual)
    more, less = (quick, slow) if quick.flips >= slow.flips else (slow, quick)
    text = "starts threads, and comes out both ways whatever the seed"
    if _more_often(more, less) or _more_often(more, identical_rate(lab, test)):
        text = (
            f"how threads are switched decides: it flips {quick.flips} times in {quick.runs} with "
            f"a switch every microsecond, {slow.flips} in {slow.runs} with one every second"
        )
    cause = Cause(name="concurrency", text=text, axis="threads", with_cause=more, without=less)
    _write(lab, test, cause, _first_flip(answers, test, usual))


def _load(lab: Lab, tests: list[str]) -> Some:
    """Run each beside busy processes."""
    busy = Conditions(load=2 * lab.options.cores)
    answers = yield [a for test in tests for a in _alone(lab, test, busy, "load", _LOADED)]
    rest = []
    for k, test in enumerate(tests):
        here = answers[k * _LOADED : (k + 1) * _LOADED]
        usual, quiet = lab.usual(test), identical_rate(lab, test)
        loaded = rate((state_in(answer, test) for answer in here), usual)
        if _more_often(loaded, quiet):
            text = f"flips {loaded.flips} times in {loaded.runs} beside busy processes"
            cause = Cause(name="load", text=text, axis="load", with_cause=loaded, without=quiet)
            _write(lab, test, cause, _first_flip(here, test, usual))
        else:
            rest.append(test)
    return rest


def _boxes(lab: Lab, tests: list[str]) -> Some:
    """Repeat one session several times in each of several boxes: is it the box that decides?"""
    often = [test for test in tests if _is_often(identical_rate(lab, test))]
    if not often:
        return tests
    seed = lab.seeds("same", 1)
    answers = yield [
        Ask(Session(seed=seed), f"box {box}", value="boxes", box=f"box {box}")
        for box in range(_BOXES)
        for _ in range(_IN_BOX)
    ]
    explained = {test for test in often if _by_box(test, answers)}
    for test in explained:
        text = "comes out the same each time in one box, and otherwise in another"
        _write(lab, test, Cause(name="infrastructure", text=text, axis="same"))
    return [test for test in tests if test not in explained]


def _is_often(rate: Rate) -> bool:
    # More seldom, and all boxes would be alike by chance.
    return rate.flips >= 0.2 * rate.runs


def _by_box(test: str, answers: list[Answer]) -> bool:
    boxes: dict[str, set[State | None]] = {}
    for answer in answers:
        state = state_in(answer, test, as_usual=True)
        boxes.setdefault(answer.ref.partition("#")[0], set()).add(state)
    one_each = all(len(states) == 1 for states in boxes.values())
    return one_each and len(set.union(*boxes.values()) - {None}) > 1


def _alone(lab: Lab, test: str, conditions: Conditions, axis: Axis, times: int) -> list[Ask]:
    sessions = [lab.session(f"{test} {conditions} {k}", (test,), only=True) for k in range(times)]
    label = f"{test} alone, {axis}"
    return [
        lab.probe(label, session, conditions, f"{axis} {k % _IN_BOXES}")
        for k, session in enumerate(sessions)
    ]


def _first_flip(answers: Iterable[Answer], test: str, usual: State) -> Answer | None:
    return next((a for a in answers if state_in(a, test) not in (usual, None)), None)


def _more_often(one: Rate, other: Rate) -> bool:
    return statistics.more_often(one.flips, one.runs, other.flips, other.runs) < _SURE


def _write(lab: Lab, test: str, cause: Cause, shown: Answer | None = None) -> None:
    usual = lab.usual(test, as_usual=True)
    sessions = (sight.answer for sight in lab.ledger.identical[test])
    shown = shown or _first_flip(sessions, test, usual)
    shows = lab.demonstration(shown, test) if shown else None
    rate_ = cause.with_cause or identical_rate(lab, test)
    lab.causes[test].append(msgspec.structs.replace(cause, shown=shows, with_cause=rate_))
