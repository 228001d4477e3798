"""Repetition: what a test leaves behind makes its own second execution come out otherwise.

Only within one process; how often a test flips from run to run is not told by it.
"""

from __future__ import annotations

import msgspec

from traceproof.replay.asks import Answer
from traceproof.replay.causes.lab import Lab, rate, state_in
from traceproof.replay.causes.order import Steps, order
from traceproof.replay.causes.recheck import recheck
from traceproof.replay.ledger import Flip
from traceproof.replay.runs import SessionResult
from traceproof.replay.states import State
from traceproof.replay.verdict import Cause

_TRIES = 2


def repetition(lab: Lab, flip: Flip) -> Steps:
    """Find out whether it is the test's own first execution, or another test's."""
    test, usual = flip.test, lab.usual(flip.test)
    alone = [
        msgspec.structs.replace(lab.session(f"{test} twice {k}", (test,), only=True), twice="each")
        for k in range(_TRIES)
    ]
    answers = yield [lab.probe(f"{test} twice", session) for session in alone]
    first = [state_in(answer, test) for answer in answers]
    second = [state_in(answer, test, 1) for answer in answers]
    if set(first) == {usual} and set(second) == {flip.state}:
        lab.causes[test].append(_own(lab, flip, answers, first, second))
    elif any(cause.name == "order" for cause in lab.causes[test]):
        return
    else:
        yield from _of_others(lab, flip, usual)


def _own(
    lab: Lab,
    flip: Flip,
    answers: list[Answer],
    first: list[State | None],
    second: list[State | None],
) -> Cause:
    usual = lab.usual(flip.test)
    does = "fails" if flip.state == "bad" else "passes"
    return Cause(
        name="repetition",
        text=f"{does} the second time that it runs in one process",
        axis="twice",
        value=flip.ask.value,
        with_cause=rate(second, usual),
        without=rate(first, usual),
        shown=lab.demonstration(answers[0], flip.test, 1),
        contrast=lab.demonstration(answers[0], flip.test, 0),
    )


def _of_others(lab: Lab, flip: Flip, usual: State) -> Steps:
    """Run it after all others; and repeat the session that it was seen in."""
    test = flip.test
    others = tuple(t for t in lab.ledger.runnable if t != test)
    last = lab.probe(f"{test} last", lab.session(f"{test} last", (*others, test)))
    again = [
        flip.ask._replace(
            axis="probe",
            label=f"{flip.answer.ref} again",
            session=msgspec.structs.replace(flip.ask.session, seed=lab.seeds("again", test, k)),
        )
        for k in range(_TRIES)
    ]
    answers = yield [last, *again]
    states = [state_in(answer, test, flip.repeat) for answer in answers[1:]]
    if state_in(answers[0], test) == flip.state and answers[0].session:
        yield from order(lab, flip._replace(answer=_first_only(answers[0]), repeat=0))
    elif set(states) == {flip.state}:
        lab.causes[test].append(
            Cause(
                name="repetition",
                text=f"comes out otherwise where {_whose(flip)}",
                axis="twice",
                value=flip.ask.value,
                with_cause=rate(states, usual),
                shown=lab.demonstration(answers[1], test, flip.repeat),
            )
        )
    else:
        yield from recheck(lab, flip)


def _whose(flip: Flip) -> str:
    if flip.ask.session.twice == "each":
        return "each test is run twice in one process"
    return "all tests are run twice in one process"


def _first_only(answer: Answer) -> Answer:
    """Return a session as if nothing had run twice in it."""
    assert answer.session is not None  # noqa: S101 - the caller has looked
    cases = tuple(case for case in answer.session.cases if not case.repeat)
    session: SessionResult = msgspec.structs.replace(answer.session, cases=cases)
    return answer._replace(session=session)
