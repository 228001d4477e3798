"""What is known of each test so far: how it is as usual, and where it came out otherwise.

It only counts. What a flip means is found out by `traceproof.replay.causes`.
"""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from traceproof.replay.asks import Answer, Ask
from traceproof.replay.runs import Axis, Case, SessionResult, Source, Tree
from traceproof.replay.states import (
    State,
    differ,
    executions,
    file_of,
    kind_state,
    state,
    uncollected,
)


class Sight(NamedTuple):
    """An execution, and where it was."""

    answer: Answer
    case: Case


class Flip(NamedTuple):
    """An execution under perturbation that came out otherwise."""

    test: str
    answer: Answer
    case: Case
    state: State
    repeat: int

    @property
    def ask(self) -> Ask:
        """What was asked for."""
        return self.answer.ask


class InOrder(NamedTuple):
    """A session in another order: where each test was, and what it came to."""

    places: Mapping[str, int]
    states: Mapping[str, State]


class Ledger:
    """What is known. Sessions are taken as they come."""

    def __init__(self) -> None:
        self.identical: dict[str, list[Sight]] = defaultdict(list)
        self.base: dict[str, list[Sight]] = defaultdict(list)
        self.sessions = 0
        """Identical reruns that count."""
        self.base_sessions = 0
        self.tests: tuple[str, ...] = ()
        """What identical reruns have, as the runner orders it."""
        self.groups: dict[str, str] = {}
        self.undone: dict[Tree, list[SessionResult]] = {"base": [], "final": []}
        """Sessions by the tests of the beginning."""
        self.sources: dict[Tree, set[Source]] = {"base": set(), "final": set()}
        """Where what is known of a tree's tests is from."""
        self.beyond: dict[Tree, list[int | None]] = {"base": [], "final": []}
        """Exit codes of identical reruns in which something else than the tests failed."""
        self.plugins: dict[Tree, set[str]] = {"base": set(), "final": set()}
        """Modules of the project that took part in pytest."""
        self.unheard: list[int | None] = []
        """Exit codes of identical reruns of the final tree of which nothing else is known."""
        self.passed_whole: set[Tree] = set()
        """Trees of which nothing is known but an exit code of 0."""
        self.threads: set[str] = set()
        """Tests that start threads."""
        self.suite_seconds = 0.0
        self.flips: list[Flip] = []
        self.flipped: set[str] = set()
        self.rates: dict[str, dict[Axis, list[int]]] = defaultdict(dict)
        """By test and axis: executions, and how many flipped."""
        self.in_order: list[InOrder] = []
        self._counts: dict[str, Counter[State]] = defaultdict(Counter)
        self._seconds: dict[str, float] = {}

    def take(self, answer: Answer, session: SessionResult) -> None:
        """Take a session that counts."""
        if answer.ask.conditions.undone_tests:
            self.undone[answer.ask.tree].append(session)
            return
        self.threads.update(case.test for case in session.cases if case.threads)
        if answer.ask.tree == "base" or answer.ask.axis == "same":
            self.sources[answer.ask.tree].add(session.source)
            self.plugins[answer.ask.tree].update(session.plugins)
            if session.beyond:
                self.beyond[answer.ask.tree].append(session.exit_code)
            if session.source == "exit code" and session.exit_code == 0:
                self.passed_whole.add(answer.ask.tree)
        if answer.ask.tree == "base":
            self.base_sessions += 1
            for test, case in executions(session).items():
                self.base[test].append(Sight(answer, case))
        elif answer.ask.axis == "same":
            self._take_identical(answer, session)
        elif answer.ask.axis not in ("probe", "random"):
            self._take_perturbed(answer, session)

    def usual(self, test: str) -> State | None:
        """Return what a test comes to in identical reruns, most often; None: it is not known."""
        counts = self._counts.get(test)
        if not counts:
            return None
        most: State = max(counts, key=counts.__getitem__)
        return most

    def case(self, test: str) -> Case:
        """Return an execution as it usually is."""
        usual = self.usual(test)
        return next(s.case for s in self.identical[test] if state(s.case) == usual)

    @property
    def contradicted(self) -> list[str]:
        """The tests that identical reruns contradict each other about."""
        return [test for test in self.tests if len(self._counts[test]) > 1]

    @property
    def runnable(self) -> tuple[str, ...]:
        """The tests, without files that cannot be collected."""
        return tuple(t for t in self.tests if self.identical[t][0].case.phase != "collect")

    def before(self, test: str) -> tuple[str, ...]:
        """Return the tests that usually run before one."""
        return self.runnable[: self.runnable.index(test)]

    def seconds(self, test: str) -> float:
        """Return the median time that a test takes."""
        return statistics.median(sight.case.seconds for sight in self.identical[test])

    def weigh(self, ask: Ask) -> float:
        """Return how many seconds a session takes, about."""
        tests, times = ask.session.tests, 2 if ask.session.twice else 1
        if tests is None:
            return self.suite_seconds * times
        return self.overhead + times * sum(self._seconds.get(test, 0.0) for test in tests)

    @property
    def overhead(self) -> float:
        """Seconds that a session takes without its tests."""
        return max(0.1, self.suite_seconds - sum(self._seconds.values()))

    def _take_identical(self, answer: Answer, session: SessionResult) -> None:
        cases = executions(session)
        if not self.sessions:
            self.suite_seconds = session.seconds
            self._seconds = {test: case.seconds for test, case in cases.items()}
        self.sessions += 1
        if session.source == "exit code":
            self.unheard.append(session.exit_code)
        self.groups.update((test, case.group) for test, case in cases.items() if case.group)
        self.tests += tuple(test for test in cases if test not in self._counts)
        for test, case in cases.items():
            self.identical[test].append(Sight(answer, case))
            self._counts[test][state(case)] += 1

    def _take_perturbed(self, answer: Answer, session: SessionResult) -> None:
        asked = answer.ask.session
        as_usual = asked.tests is None and not asked.twice
        for repeat in (0, 1) if asked.twice else (0,):
            cases = self._with_uncollected(executions(session, repeat), asked.tests)
            for test, case in cases.items():
                self._compare(Flip(test, answer, case, "ok", repeat), as_usual=as_usual)
        if answer.ask.axis == "order":
            self.in_order.append(_in_order(session))

    def _with_uncollected(
        self, cases: dict[str, Case], asked: tuple[str, ...] | None
    ) -> dict[str, Case]:
        """Return the cases, and for each test of a file that cannot be collected that error."""
        lost = uncollected(case for test, case in cases.items() if not self.usual(test))
        if not lost:
            return cases
        tests = self.tests if asked is None else asked
        missing = {t: lost[file_of(t)] for t in tests if t not in cases and file_of(t) in lost}
        return cases | missing

    def _compare(self, seen: Flip, *, as_usual: bool) -> None:
        usual = self.usual(seen.test)
        if usual is None:
            return
        rate = self.rates[seen.test].setdefault(seen.ask.axis, [0, 0])
        rate[0] += 1
        now = kind_state(seen.case, as_usual=as_usual)
        if differ(kind_state(self.case(seen.test), as_usual=as_usual), now):
            rate[1] += 1
            self.flips.append(seen._replace(state=now))
            self.flipped.add(seen.test)


def _in_order(session: SessionResult) -> InOrder:
    cases = executions(session)
    places = {test: k for k, test in enumerate(cases)}
    return InOrder(places, {t: kind_state(c, as_usual=False) for t, c in cases.items()})
