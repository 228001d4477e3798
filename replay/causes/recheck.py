"""A flip that did not come again with other seeds: is it the seed, or chance, or never seen again?

The session is repeated as it was. If it then comes out both ways, identical reruns contradict each
other; if it never flips again it is kept as unconfirmed, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Generator

import msgspec

from traceproof.replay.asks import Answer, Ask
from traceproof.replay.causes.lab import Lab, find, seen, seen_in, state_in
from traceproof.replay.ledger import Flip
from traceproof.replay.verdict import Cause, Rate

_AGAIN = 4


def recheck(lab: Lab, flip: Flip) -> Generator[list[Ask], list[Answer], None]:
    """Repeat the session of a flip with its own seed, and with others."""
    if flip.test in lab.contradicted:
        return
    answers = yield _asks(lab, flip)
    if flip.test in lab.contradicted:
        return
    flips = [_flipped(lab, flip, answer) for answer in answers]
    own, others = sum(flips[:_AGAIN]), sum(flips[_AGAIN:])
    if own == _AGAIN and not others:
        lab.contradicted[flip.test].append(seen(flip))
        lab.causes[flip.test].append(_seed(lab, flip, answers))
    elif own + others:
        again = [a for a, yes in zip(answers, flips, strict=True) if yes]
        cases = [(a, find(a, flip.test, flip.repeat)) for a in again]
        lab.contradicted[flip.test] += [seen(flip), *(seen_in(a, c) for a, c in cases if c)]
    else:
        lab.unconfirmed[flip.test].append(seen(flip))


def _asks(lab: Lab, flip: Flip) -> list[Ask]:
    ask = flip.ask._replace(axis="probe", label=f"{flip.answer.ref} again", tries=2)
    others = [
        msgspec.structs.replace(ask.session, seed=lab.seeds(flip.answer.ref, k))
        for k in range(_AGAIN)
    ]
    return [ask] * _AGAIN + [ask._replace(session=session) for session in others]


def _flipped(lab: Lab, flip: Flip, answer: Answer) -> bool:
    as_usual = flip.ask.session.tests is None and not flip.ask.session.twice
    now = state_in(answer, flip.test, flip.repeat, as_usual=as_usual)
    return now == flip.state and now != lab.usual(flip.test, as_usual=as_usual)


def _seed(lab: Lab, flip: Flip, answers: list[Answer]) -> Cause:
    return Cause(
        name="randomness",
        text="comes out otherwise with one seed of Python's random numbers each time, and not "
        "with others",
        axis=flip.ask.axis,
        value=flip.ask.value,
        with_cause=Rate(runs=_AGAIN, flips=_AGAIN),
        without=Rate(runs=_AGAIN, flips=0),
        shown=lab.demonstration(answers[0], flip.test, flip.repeat),
        contrast=lab.demonstration(answers[-1], flip.test, flip.repeat),
    )
