"""What all experiments share: what is known, what they found, and how they put it.

It asks for nothing itself.
"""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from traceproof.replay import statistics
from traceproof.replay.asks import AS_USUAL, Answer, Ask, Seeds
from traceproof.replay.ledger import Flip, Ledger
from traceproof.replay.options import Options
from traceproof.replay.runs import Case, Conditions, Session
from traceproof.replay.states import State, file_of, kind_state, state, uncollected
from traceproof.replay.verdict import Cause, Demonstration, Rate, Seen

MOST_SEEN = 8
_SURE = 0.001
_REPEATS = 3


class Lab:
    """What experiments know and write into."""

    def __init__(self, ledger: Ledger, options: Options, seeds: Seeds) -> None:
        self.ledger, self.options, self.seeds = ledger, options, seeds
        self.causes: dict[str, list[Cause]] = defaultdict(list)
        self.unconfirmed: dict[str, list[Seen]] = defaultdict(list)
        self.contradicted: dict[str, list[Seen]] = defaultdict(list)
        """Tests that came out both ways when one perturbed session was repeated as it was."""
        self.sets: dict[tuple[str, ...], None] = {}
        """Polluters and setters of other tests, last found last."""
        self.cut_short = False
        """Whether experiments were ended before they were over."""
        self.unseen = 0
        """Perturbed sessions that were to be run, and were not as it was stopped."""
        self.probes = 4000
        """How many sessions may still be spent on looking for polluters and setters."""

    def is_open(self, test: str) -> bool:
        """Return whether a test flipped under perturbation, and nobody got to know why.

        Where it was stopped while perturbed sessions ran, nobody knows whether it did.
        """
        if self.unseen:
            return True
        if self.cut_short or not (self.contradicted.get(test) or self.unconfirmed.get(test)):
            return test in self.ledger.flipped
        return False

    def usual(self, test: str, *, as_usual: bool = False) -> State:
        """Return what a test usually comes to, for comparison with another kind of session."""
        return kind_state(self.ledger.case(test), as_usual=as_usual)

    def session(self, name: str, tests: Iterable[str], *, only: bool = False) -> Session:
        """Return a session of some tests; its seed follows from its name."""
        return Session(seed=self.seeds(name), tests=tuple(tests), collect="only" if only else "all")

    def probe(
        self, label: str, session: Session, conditions: Conditions = AS_USUAL, box: str = ""
    ) -> Ask:
        """Return what to ask for to see a session."""
        return Ask(session, label, conditions=conditions, value=label, box=box)

    def confirmed(self, flips: int, runs: int, test: str, *, sure: float = _SURE) -> bool:
        """Return whether a test flips more often here than in identical reruns."""
        if runs >= _REPEATS and flips == runs:
            return True
        usual = self.usual(test, as_usual=True)
        sights = self.ledger.identical[test]
        usual_flips = sum(kind_state(s.case, as_usual=True) != usual for s in sights)
        return flips > 0 and statistics.more_often(flips, runs, usual_flips, len(sights)) < sure

    def demonstration(self, answer: Answer, test: str, repeat: int = 0) -> Demonstration | None:
        """Return a session as something that a person can repeat; None: the test is not in it."""
        case = find(answer, test, repeat)
        if case is None:
            return None
        ask = answer.ask
        return Demonstration(
            run=answer.ref,
            outcome=case.outcome,
            conditions=ask.conditions,
            session=ask.session,
            command=command(self.options.command, ask.conditions, ask.session),
        )


def find(answer: Answer, test: str, repeat: int = 0) -> Case | None:
    """Return a test's execution, or the error of its file; None: there is neither."""
    if answer.session is None:
        return None
    cases = [c for c in answer.session.cases if c.test == test and c.repeat == repeat]
    if cases:
        return next((case for case in cases if state(case) == "bad"), cases[0])
    return uncollected(answer.session.cases).get(file_of(test))


def state_in(answer: Answer, test: str, repeat: int = 0, *, as_usual: bool = False) -> State | None:
    """Return what a test came to in a session; None: it is not known."""
    case = find(answer, test, repeat)
    return kind_state(case, as_usual=as_usual) if case else None


def agreed(states: Sequence[State | None]) -> State | None:
    """Return what all known states are; None: they are not the same, or all unknown."""
    known = {one for one in states if one}
    return known.pop() if len(known) == 1 else None


def seen(flip: Flip) -> Seen:
    """Return a flip as the verdict has it."""
    return seen_in(flip.answer, flip.case)


def seen_in(answer: Answer, case: Case) -> Seen:
    """Return an execution as the verdict has it."""
    return Seen(
        run=answer.ref,
        outcome=case.outcome,
        phase=case.phase,
        repeat=case.repeat,
        message=case.message,
    )


def rate(states: Iterable[State | None], usual: State) -> Rate:
    """Return how many of some known states are not the usual one."""
    known = [one for one in states if one]
    return Rate(runs=len(known), flips=sum(one != usual for one in known))


def identical_rate(lab: Lab, test: str) -> Rate:
    """Return how many identical reruns came out otherwise."""
    usual = lab.usual(test, as_usual=True)
    sights = lab.ledger.identical[test]
    return rate((kind_state(sight.case, as_usual=True) for sight in sights), usual)


def command(tests: Sequence[str], conditions: Conditions, session: Session) -> str:
    """Return a shell command that does the same; empty where none does."""
    runner = next((name for name in ("pytest", "unittest") if _names(tests, name)), None)
    assigned = _assigned(conditions)
    if runner is None or assigned is None or session.twice or not session.tests:
        return ""
    return " ".join([*assigned, "python -m", runner, *map(shlex.quote, session.tests)])


def _names(words: Sequence[str], name: str) -> bool:
    return any(word.rpartition("/")[2] in (name, "py.test" if name == "pytest" else name)
               for word in words)  # fmt: skip


def _assigned(conditions: Conditions) -> list[str] | None:
    """Return conditions as assignments before a command; None: they cannot be had like that."""
    rest = msgspec.structs.replace(conditions, hash_seed=0, timezone="", locale="")
    if rest != AS_USUAL:
        return None
    given = [f"PYTHONHASHSEED={conditions.hash_seed}"]
    given += [f"TZ={shlex.quote(conditions.timezone)}"] if conditions.timezone else []
    given += [f"LC_ALL={shlex.quote(conditions.locale)}"] if conditions.locale else []
    return given
