"""Order: which tests before it make a test fail (its polluters), or pass (its setters).

A *victim* fails after others; a *brittle* test fails without others before it. Either may fail or
pass in the usual order. What is only imported may matter as well.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import NamedTuple

from traceproof.replay.asks import Answer, Ask
from traceproof.replay.causes.lab import Lab, agreed, rate, state_in
from traceproof.replay.causes.recheck import recheck
from traceproof.replay.ddmin import Part, smallest
from traceproof.replay.ledger import Flip
from traceproof.replay.states import State, file_of
from traceproof.replay.verdict import Cause, Rate

Steps = Generator[list[Ask], list[Answer], None]

_TRIES = 2
_GUESSES = 6
_KNOWN = 2
_MOST_SETS = 4
_MOST_PROBES, _FURTHER_PROBES = 300, 24
"""For the first set, and for each further one: that is a single test, or not worth the time."""


class _Question(NamedTuple):
    """What is looked for: a part of `items` after which a test comes to `wanted`."""

    test: str
    items: Part
    wanted: State
    alone: State
    only: bool
    """Whether only the files of the tests that are run are imported."""


class _Found(NamedTuple):
    part: Part
    minimal: bool
    answers: list[Answer]
    """Sessions that confirm it."""


def order(lab: Lab, flip: Flip) -> Steps:
    """Find out what must come before a test, from a session where it came out otherwise."""
    test, only = flip.test, flip.ask.session.collect == "only"
    prefix = _prefix(flip)
    if (yield from _as_others(lab, flip, prefix)):
        return
    answers = yield [
        *_after(lab, test, (), "alone", _TRIES),
        *_after(lab, test, prefix, f"as in {flip.answer.ref}", _TRIES, only=only),
    ]
    states = [state_in(answer, test) for answer in answers]
    alone, there, usual = agreed(states[:_TRIES]), agreed(states[_TRIES:]), lab.usual(test)
    if alone is None or there is None or there == usual:
        yield from recheck(lab, flip)
        return
    without = rate(states[:_TRIES], usual)
    if only and alone == usual:
        question = _Question(test, _one_a_file(lab, test), usual, there, only=True)
        without = rate(states[_TRIES:], usual)
    elif alone == usual:
        question = _Question(test, prefix, there, alone, only=False)
    else:
        question = _Question(test, lab.ledger.before(test), usual, alone, only=False)
    lone = answers[_TRIES] if question.only else answers[0]
    found = yield from _sets(lab, question)
    lab.causes[test].append(_cause(lab, question, found, _Seen(flip, answers[-1], lone, without)))


def _as_others(lab: Lab, flip: Flip, prefix: Part) -> Generator[list[Ask], list[Answer], bool]:
    """Try the sets that were found for other tests last; return whether one explains it."""
    test, usual = flip.test, lab.usual(flip.test)
    there = set(prefix or lab.ledger.before(test))
    parts = [part for part in reversed(lab.sets) if there.issuperset(part)][:_KNOWN]
    if not parts:
        return False
    asks = _after(lab, test, (), "alone", _TRIES)
    for part in parts:
        asks += _after(lab, test, part, f"after {' '.join(part)}", _TRIES)
    answers = yield asks
    lab.probes -= len(answers)
    states = [state_in(answer, test) for answer in answers]
    alone = agreed(states[:_TRIES])
    for k, part in enumerate(parts, 1):
        mine = slice(k * _TRIES, (k + 1) * _TRIES)
        after = agreed(states[mine])
        if alone is None or after is None or {alone, after} != {usual, flip.state}:
            continue
        question = _Question(test, prefix, after, alone, only=False)
        found = [_Found(part, minimal=True, answers=answers[mine])]
        seen = _Seen(flip, answers[mine][0], answers[0], rate(states[:_TRIES], usual))
        lab.causes[test].append(_cause(lab, question, found, seen))
        return True
    return False


class _Seen(NamedTuple):
    flip: Flip
    there: Answer
    alone: Answer
    without: Rate


def _prefix(flip: Flip) -> Part:
    """Return the tests that ran before it."""
    cases = flip.answer.session.cases if flip.answer.session else ()
    before: dict[str, None] = {}
    for case in cases:
        if case.test == flip.test:
            break
        if case.phase != "collect":
            before[case.test] = None
    return tuple(before)


def _one_a_file(lab: Lab, test: str) -> Part:
    first: dict[str, str] = {}
    for other in lab.ledger.runnable:
        first.setdefault(file_of(other), other)
    return tuple(other for file, other in first.items() if file != file_of(test))


def _after(
    lab: Lab, test: str, part: Part, label: str, times: int, *, only: bool = False
) -> list[Ask]:
    """Ask for a test after others, with other seeds each time."""
    named = f"{test} {label}"
    return [
        lab.probe(named, lab.session(f"{named} {len(part)} {k}", (*part, test), only=only))
        for k in range(times)
    ]


def _sets(lab: Lab, question: _Question) -> Generator[list[Ask], list[Answer], list[_Found]]:
    """Find several sets, each enough without the others."""
    found: list[_Found] = []
    everything = question.items if question.only else lab.ledger.runnable
    gone = {question.test}
    while question.items and len(found) < _MOST_SETS and lab.probes > 0:
        one = yield from _set(lab, question, _FURTHER_PROBES if found else _MOST_PROBES)
        if one is None or (found and not one.minimal):
            break
        found.append(one)
        lab.sets[one.part] = None
        gone.update(one.part)
        question = question._replace(items=tuple(t for t in everything if t not in gone))
    return found


def _set(
    lab: Lab, question: _Question, budget: int
) -> Generator[list[Ask], list[Answer], _Found | None]:
    """Find the smallest set: guessed from what was seen, else by delta debugging."""
    guesses = _guesses(lab, question)
    yes = yield from _try(lab, question, [*guesses, question.items])
    for guess in sorted((g for g, y in zip(guesses, yes, strict=False) if y), key=len):
        if found := (yield from _confirmed(lab, question, guess, minimal=True)):
            return found
    if not yes[-1]:
        return None
    search = smallest(question.items, min(budget, lab.probes))
    try:
        parts = next(search)
        while True:
            parts = search.send((yield from _try(lab, question, parts)))
    except StopIteration as end:
        part, minimal = end.value
    return (yield from _confirmed(lab, question, part, minimal=minimal))


def _try(
    lab: Lab, question: _Question, parts: Sequence[Part]
) -> Generator[list[Ask], list[Answer], list[bool]]:
    lab.probes -= len(parts)
    asks = [_question(lab, question, part, "looking for what matters") for part in parts]
    answers = yield asks
    return [state_in(answer, question.test) == question.wanted for answer in answers]


def _confirmed(
    lab: Lab, question: _Question, part: Part, *, minimal: bool
) -> Generator[list[Ask], list[Answer], _Found | None]:
    answers = yield [_question(lab, question, part, f"again {k}") for k in range(_TRIES)]
    lab.probes -= len(answers)
    if any(state_in(answer, question.test) != question.wanted for answer in answers):
        return None
    return _Found(part, minimal, answers)


def _question(lab: Lab, question: _Question, part: Part, label: str) -> Ask:
    tests = (*part, question.test)
    session = lab.session(f"{label} {' '.join(tests)}", tests, only=question.only)
    return lab.probe(f"{question.test} after {len(part)}: {label}", session)


def _guesses(lab: Lab, question: _Question) -> list[Part]:
    """Return sets that others have, and single tests that were before it when it was so."""
    items = set(question.items)
    known = [part for part in reversed(lab.sets) if items.issuperset(part)][:_GUESSES]
    singles = sorted(((score, t) for t, score in _scores(lab, question).items()), reverse=True)
    likely = [(test,) for score, test in singles[:_GUESSES] if score > 0]
    return list(dict.fromkeys(part for part in known + likely if part != question.items))


def _scores(lab: Lab, question: _Question) -> dict[str, float]:
    """Return how much oftener a test came to this after each other one than before it."""
    sessions = [s for s in lab.ledger.in_order if question.test in s.states]
    scores: dict[str, float] = {}
    for other in question.items:
        after, before = [0, 0], [0, 0]
        for session in sessions:
            if other not in session.places:
                continue
            came_after = session.places[other] < session.places[question.test]
            counts = after if came_after else before
            counts[0] += 1
            counts[1] += session.states[question.test] == question.wanted
        if after[0]:
            scores[other] = after[1] / after[0] - (before[1] / before[0] if before[0] else 0.0)
    return scores


def _cause(lab: Lab, question: _Question, found: list[_Found], seen: _Seen) -> Cause:
    usual, test = lab.usual(question.test), question.test
    best = min(found, key=lambda one: len(one.part), default=None)
    after = best.answers[0] if best else seen.there
    confirming = [a for one in found for a in one.answers] if found else [seen.there]
    rates = [rate((state_in(answer, test) for answer in confirming), usual), seen.without]
    sessions = [after, seen.alone]
    if question.wanted == usual:  # it is being alone that makes it flip
        rates.reverse()
        sessions.reverse()
    return Cause(
        name="order",
        text=_text(question, found, usual),
        axis=seen.flip.ask.axis,
        value=seen.flip.ask.value,
        role="victim" if question.wanted == "bad" else "brittle",
        others=tuple(one.part for one in found),
        imports=question.only,
        with_cause=rates[0],
        without=rates[1],
        shown=lab.demonstration(sessions[0], test),
        contrast=lab.demonstration(sessions[1], test),
    )


def _text(question: _Question, found: list[_Found], usual: State) -> str:
    if not found:
        return "comes out otherwise in another order; no smaller set of tests shows it"
    does, otherwise = ("fails", "passes") if question.wanted == "bad" else ("passes", "fails")
    others = " or after ".join(_named(one) for one in found)
    if question.only:
        return f"{does} only when the file of {others} is imported as well"
    in_usual = ", as in the usual order" if question.wanted == usual else ""
    return f"{does} after {others}{in_usual}; {otherwise} alone"


def _named(found: _Found) -> str:
    if len(found.part) == 1:
        return found.part[0]
    few = " + ".join(found.part[:3]) + (" + …" if len(found.part) > 3 else "")  # noqa: PLR2004
    return f"{len(found.part)} tests ({few})" + ("" if found.minimal else ", perhaps fewer")
