"""What is around the tests: hash seed, clock, time zone, locale, files, network, threads, load.

A flip is confirmed by repeating the whole suite under the condition with other seeds; identical
reruns are what it is compared with.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence

import msgspec

from traceproof.replay.asks import Answer, Ask
from traceproof.replay.causes.lab import Lab, identical_rate, rate, seen, state_in
from traceproof.replay.causes.recheck import recheck
from traceproof.replay.ledger import Flip
from traceproof.replay.runs import Axis, Session
from traceproof.replay.states import State
from traceproof.replay.verdict import Cause, CauseName, Rate

NAMES: dict[Axis, CauseName] = {
    "hash_seed": "hash_seed",
    "clock": "time",
    "timezone": "timezone",
    "locale": "locale",
    "network": "network",
    "file_order": "filesystem_order",
    "threads": "concurrency",
    "slow_cpu": "load",
    "load": "load",
}
BY_CHANCE: frozenset[Axis] = frozenset(("threads", "slow_cpu", "load"))
"""Where a condition makes a flip likely, not certain."""

_TEXTS: dict[Axis, str] = {
    "hash_seed": "with PYTHONHASHSEED={value} it {does}",
    "clock": "with the clock at {value} it {does}",
    "timezone": "in the time zone {value} it {does}",
    "locale": "in the locale {value} it {does}",
    "network": "{value} it {does}",
    "file_order": "with its files created in another order it {does}",
    "threads": "with {value} of threads it {does}",
    "slow_cpu": "with {value} it {does}",
    "load": "beside {value} it {does}",
}
_FEW, _MORE = 3, 6
_LIKELY = 0.01

Steps = Generator[list[Ask], list[Answer], None]


def conditions(lab: Lab, flips: Sequence[Flip]) -> Steps:
    """Confirm flips of several tests under one condition, and show each as small as it goes."""
    answers = yield _again(lab, flips[0], range(_FEW))
    unsure = [flip for flip in flips if not _agree(flip, answers)]
    by_chance = flips[0].ask.axis in BY_CHANCE
    if unsure and (by_chance or any(_flipped(flip, a) for flip in unsure for a in answers)):
        answers += yield _again(lab, flips[0], range(_FEW, _FEW + _MORE))
    sure = [flip for flip in flips if _is_confirmed(lab, flip, answers)]
    if sure:
        yield from _shown(lab, sure, answers)
    shown = {flip.test for flip in sure}
    for flip in (flip for flip in flips if flip.test not in shown):
        if flip.ask.axis in BY_CHANCE:
            lab.unconfirmed[flip.test].append(seen(flip))
        else:
            yield from recheck(lab, flip)


def _again(lab: Lab, flip: Flip, numbers: range) -> list[Ask]:
    ask = flip.ask
    return [
        ask._replace(
            session=Session(seed=lab.seeds(ask.axis, ask.value, k)),
            axis="probe",
            label=f"{ask.label} again",
            box=f"{ask.axis} {ask.value} {k}",
        )
        for k in numbers
    ]


def _states(flip: Flip, answers: Sequence[Answer]) -> list[State]:
    states = (state_in(answer, flip.test, as_usual=True) for answer in answers)
    return [state for state in states if state]


def _flipped(flip: Flip, answer: Answer) -> bool:
    return state_in(answer, flip.test, as_usual=True) == flip.state


def _agree(flip: Flip, answers: Sequence[Answer]) -> bool:
    states = _states(flip, answers)
    return len(states) == len(answers) and set(states) == {flip.state}


def _is_confirmed(lab: Lab, flip: Flip, answers: Sequence[Answer]) -> bool:
    states = _states(flip, answers)
    sure = {"sure": _LIKELY} if flip.ask.axis in BY_CHANCE else {}
    return lab.confirmed(states.count(flip.state), len(states), flip.test, **sure)


def _shown(lab: Lab, flips: Sequence[Flip], answers: Sequence[Answer]) -> Steps:
    """Look whether each test alone shows it, and write its cause."""
    times = 3 if flips[0].ask.axis in BY_CHANCE else 1
    small = yield [ask for flip in flips for ask in _small(lab, flip, times)]
    for k, flip in enumerate(flips):
        mine = small[k * (times + 1) : (k + 1) * (times + 1)]
        shown = next((a for a in (*mine[:times], *answers) if _flipped(flip, a)), None)
        usual = lab.usual(flip.test, as_usual=True)
        contrast = mine[times] if state_in(mine[times], flip.test) == usual else None
        rates = rate(_states(flip, answers), usual)
        lab.causes[flip.test].append(_cause(lab, flip, rates, shown, contrast))


def _small(lab: Lab, flip: Flip, times: int) -> list[Ask]:
    session = lab.session(f"{flip.test} alone", (flip.test,), only=True)
    ask = flip.ask._replace(session=session, axis="probe", box="", tries=1)
    here = ask._replace(label=f"{flip.test} alone, {flip.ask.label}")
    if flip.ask.axis == "file_order":
        here = here._replace(box=flip.test)
    return [here] * times + [lab.probe(f"{flip.test} alone, as usual", session)]


def _cause(
    lab: Lab, flip: Flip, with_cause: Rate, shown: Answer | None, contrast: Answer | None
) -> Cause:
    axis, value = flip.ask.axis, flip.ask.value
    does = {"ok": "passes", "bad": "fails", "skipped": "is skipped"}[flip.state]
    if with_cause.flips < with_cause.runs:
        does += f" {with_cause.flips} times in {with_cause.runs}"
    value = value.removeprefix("hash seed ") if axis == "hash_seed" else value
    cause = Cause(
        name=NAMES[axis],
        text=_TEXTS[axis].format(value=value, does=does),
        axis=axis,
        value=flip.ask.value,
        with_cause=with_cause,
        without=identical_rate(lab, flip.test),
        shown=lab.demonstration(shown, flip.test) if shown else None,
    )
    if contrast is None:
        return cause
    return msgspec.structs.replace(cause, contrast=lab.demonstration(contrast, flip.test))
