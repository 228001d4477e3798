"""A simulated test suite: tests with given behaviours, run as a box would run them, in no time.

What is true of each test is known, so that a verdict can be checked against it. Chance comes from a
generator with a seed; everything that a real test may depend on is in `Here`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from traceproof.replay.options import Options
from traceproof.replay.runs import (
    Case,
    Conditions,
    Outcome,
    Run,
    RunResult,
    Session,
    SessionResult,
    Tree,
)
from traceproof.replay.verdict import Verdict
from traceproof.replay.verification import Verification


class Here(NamedTuple):
    """What a test can depend on."""

    test: str
    before: Sequence[str]
    """What ran in this process before it."""
    imported: frozenset[str]
    conditions: Conditions
    python_random: float
    """The next number of Python's `random`: from the session's seed and all that was drawn."""
    any_random: float
    """A number from elsewhere (`os.urandom`), which only `fixed_random` fixes."""
    chance: float
    """What nothing fixes."""
    now: float
    tree: Tree
    box: int


Behaviour = Callable[[Here], Outcome]


class Known(NamedTuple):
    """A behaviour, and what a right verdict says of it."""

    behaviour: Behaviour
    class_: str = "steady"
    causes: frozenset[str] = frozenset()
    threads: int = 0
    group: str = ""
    others: frozenset[tuple[str, ...]] = frozenset()
    """The polluters or setters to be named, if any."""


def _ok(passes: bool) -> Outcome:
    return "passed" if passes else "failed"


def always(outcome: Outcome) -> Known:
    return Known(lambda _: outcome)


def mended() -> Known:
    """Fails on the base tree, passes on the final one."""
    return Known(lambda here: _ok(here.tree == "final"))


def broken() -> Known:
    return Known(lambda here: _ok(here.tree == "base"))


def victim(*sets: tuple[str, ...], fails: bool = True) -> Known:
    """Fails (or passes) when all tests of any set ran before it."""

    def behaviour(here: Here) -> Outcome:
        return _ok(any(set(s) <= set(here.before) for s in sets) != fails)

    return Known(behaviour, "fragile", frozenset({"order"}), others=frozenset(sets))


def brittle(*sets: tuple[str, ...]) -> Known:
    return victim(*sets, fails=False)


def cleaned_victim(polluter: str, cleaner: str) -> Known:
    """Fails after its polluter, unless a cleaner ran between."""

    def behaviour(here: Here) -> Outcome:
        last = [t for t in here.before if t in (polluter, cleaner)]
        return _ok(not last or last[-1] == cleaner)

    return Known(behaviour, "fragile", frozenset({"order"}), others=frozenset({(polluter,)}))


def needs_import(file: str) -> Known:
    return Known(lambda h: _ok(file in h.imported), "fragile", frozenset({"order"}))


def not_idempotent() -> Known:
    return Known(lambda h: _ok(h.test not in h.before), "fragile", frozenset({"repetition"}))


def under(name: str, passes: Callable[[Here], bool]) -> Known:
    return Known(lambda h: _ok(passes(h)), "fragile", frozenset({name}))


def python_random(rate: float) -> Known:
    return Known(lambda h: _ok(h.python_random >= rate), "flaky", frozenset({"randomness"}))


def any_random(rate: float) -> Known:
    return Known(lambda h: _ok(h.any_random >= rate), "flaky", frozenset({"randomness"}))


def race(rate: float, quick: float = 0.6) -> Known:
    def behaviour(here: Here) -> Outcome:
        interval = here.conditions.switch_interval
        chance = rate if interval == 0 else quick if interval < 0.001 else 0.0
        return _ok(here.chance >= chance)

    return Known(behaviour, "flaky" if rate else "fragile", frozenset({"concurrency"}), threads=2)


def under_load(rate: float) -> Known:
    def behaviour(here: Here) -> Outcome:
        busy = here.conditions.load or here.conditions.cpus
        return _ok(not busy or here.chance >= rate)

    return Known(behaviour, "fragile", frozenset({"load"}))


def by_chance(rate: float) -> Known:
    return Known(lambda h: _ok(h.chance >= rate), "flaky", frozenset({"unknown"}))


def by_box() -> Known:
    return Known(lambda h: _ok(h.box % 3 != 0), "flaky", frozenset({"infrastructure"}))


class _Process(NamedTuple):
    run: Run
    session: Session
    box: int
    files: frozenset[str]
    generator: random.Random
    before: list[str]


class Suite:
    """A suite, and the machine that runs it.

    Args:
        tests: by id, in the order of the runner.
        seed: for all chance.
        trouble: how often a session does not come to its end.
    """

    def __init__(self, tests: Mapping[str, Known], seed: int = 0, trouble: float = 0.0) -> None:
        self.tests = dict(tests)
        self.files = {test.partition("::")[0] for test in tests}
        self.trouble = trouble
        self.elapsed = 0.0
        self.started = 1_800_000_000.0
        self.runs: list[Run] = []
        self._random = random.Random(seed)

    def run(self, run: Run) -> RunResult:
        self.runs.append(run)
        box = self._random.randrange(1 << 30)
        sessions = tuple(self.session(run, session, box) for session in run.sessions)
        return RunResult(run=run.id, sessions=sessions, seconds=sum(s.seconds for s in sessions))

    def session(self, run: Run, session: Session, box: int) -> SessionResult:
        if self._random.random() < self.trouble:
            return SessionResult(cases=(), complete=False, problem="killed by signal 9")
        chosen = [t for t in session.tests or tuple(self.tests) if t in self.tests]
        files = {t.partition("::")[0] for t in chosen} if session.collect == "only" else self.files
        process = _Process(run, session, box, frozenset(files), random.Random(session.seed), [])
        executions = _executions(chosen, session.twice)
        cases = tuple(self._case(process, test, repeat) for test, repeat in executions)
        return SessionResult(
            cases=cases,
            collected=tuple(self.tests),
            exit_code=int(any(case.outcome == "failed" for case in cases)),
            seconds=0.3 + 0.01 * len(cases),
        )

    def _case(self, process: _Process, test: str, repeat: int) -> Case:
        known = self.tests[test]
        outcome = known.behaviour(self._here(process, test))
        process.before.append(test)
        return Case(
            test=test,
            outcome=outcome,
            repeat=repeat,
            seconds=0.01,
            phase="call" if outcome == "failed" else "",
            threads=known.threads,
            group=known.group,
        )

    def _here(self, process: _Process, test: str) -> Here:
        conditions = process.run.conditions
        drawn = process.generator.random()
        fixed = 0.0
        if conditions.fixed_random:
            fixed = random.Random(f"{process.session.seed} {test}").random()
        return Here(
            test=test,
            before=process.before,
            imported=process.files,
            conditions=conditions,
            python_random=fixed or drawn,
            any_random=fixed or self._random.random(),
            chance=self._random.random(),
            now=self.started + self.elapsed + conditions.clock,
            tree=process.run.tree,
            box=process.box,
        )


def _executions(tests: Sequence[str], twice: str) -> list[tuple[str, int]]:
    if twice == "each":
        return [(test, repeat) for test in tests for repeat in (0, 1)]
    if twice == "suite":
        return [(test, repeat) for repeat in (0, 1) for test in tests]
    return [(test, 0) for test in tests]


def verify(suite: Suite, places: int = 2, **options: object) -> tuple[Verdict, Verification]:
    """Run a verification to its end, `places` boxes at a time."""
    verification = Verification(Options(now=suite.started, **options))  # type: ignore[arg-type]
    out: list[Run] = []
    while not verification.done:
        out += verification.next(places - len(out), suite.elapsed)
        if not out:
            continue
        run = out.pop(0)
        result = suite.run(run)
        suite.elapsed += (result.seconds + 0.5) / places
        verification.feed(run, result)
    return verification.verdict(seconds=suite.elapsed), verification


def in_files(count: int, known: Callable[[int], Known] | None = None) -> dict[str, Known]:
    """Return steady tests, ten to a file; some fail, are skipped, or are expected to fail."""
    outcomes: list[Outcome] = [*["passed"] * 7, "failed", "skipped", "xfailed"]  # type: ignore[list-item]
    return {
        f"tests/test_{k // 10}.py::test_{k}": known(k) if known else always(outcomes[k * 7 % 10])
        for k in range(count)
    }


def failed(case: Case) -> Case:
    """Return an execution as if it had failed."""
    return msgspec.structs.replace(case, outcome="failed", phase="call", message="stumbled")
