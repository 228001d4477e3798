"""The whole state machine, on simulated suites whose every test is known."""

from __future__ import annotations

import random

import pytest

from support import simulated
from support.simulated import Known, Suite, always, in_files, verify
from traceproof.replay.options import Options
from traceproof.replay.runs import Outcome, Run, RunResult, SessionResult
from traceproof.replay.verdict import TestVerdict, Verdict
from traceproof.replay.verification import Verification

START = Suite({}).started


def by_test(verdict: Verdict) -> dict[str, TestVerdict]:
    return {test.test: test for test in verdict.tests}


def passing(count: int) -> dict[str, Known]:
    return in_files(count, lambda _: always("passed"))


def is_right(verdict: TestVerdict, known: Known) -> bool:
    """Return whether a test is called what it is, with its cause and its polluters or setters."""
    causes = {cause.name for cause in verdict.causes}
    named = {frozenset(others) for cause in verdict.causes for others in cause.others}
    wanted = {frozenset(others) for others in known.others}
    if known.class_ == "steady":
        return verdict.class_ == "steady" and not causes
    right = verdict.class_ == known.class_ and bool(known.causes & causes)
    return right and (not wanted or bool(wanted & named))


def wrong(tests: dict[str, Known], verdict: Verdict) -> list[tuple[str, str]]:
    found = by_test(verdict)
    assert set(found) == set(tests)
    return [(t, found[t].class_) for t, known in tests.items() if not is_right(found[t], known)]


def one_of_each() -> dict[str, Known]:
    tests = passing(100)
    t = list(tests)
    of_its_own = {
        20: simulated.victim((t[70],)),
        21: simulated.victim((t[5],)),
        22: simulated.brittle((t[3],)),
        23: simulated.brittle((t[90],)),
        24: simulated.victim((t[60], t[80])),
        25: simulated.victim((t[60],), (t[81],)),
        26: simulated.cleaned_victim(t[61], t[62]),
        27: simulated.needs_import("tests/test_7.py"),
        28: simulated.not_idempotent(),
        29: simulated.under("hash_seed", lambda h: h.conditions.hash_seed % 3 != 1),
        30: simulated.under("time", lambda h: h.now < START + 300 * 86400),
        31: simulated.under("timezone", lambda h: h.conditions.timezone != "Asia/Kolkata"),
        32: simulated.under("locale", lambda h: h.conditions.locale != "tr_TR.UTF-8"),
        33: simulated.under("network", lambda h: h.conditions.network),
        34: simulated.under("filesystem_order", lambda h: (h.conditions.file_order or 0) % 2 == 0),
        35: simulated.python_random(0.1),
        36: simulated.any_random(0.1),
        37: simulated.race(0.1),
        38: simulated.race(0.0, 0.8),
        39: simulated.under_load(0.9),
        40: simulated.by_chance(0.3),
        41: simulated.by_box(),
        42: always("failed"),
        43: simulated.mended(),
        44: simulated.victim(tuple(t[50:64])),
        45: simulated.brittle((t[4],), (t[90],)),
    }
    return tests | {t[k]: known for k, known in of_its_own.items()}


def test_one_of_each_is_recognised() -> None:
    tests = one_of_each()

    verdict, _ = verify(Suite(tests, 1), network=True)

    assert wrong(tests, verdict) == []
    assert (verdict.class_, verdict.outcome, verdict.verified) == ("steady", "resolved", True)
    assert verdict.fail_to_pass == ("tests/test_4.py::test_43",)
    assert len(verdict.taken_out) == 24
    assert verdict.causes[0] == "order"


def test_what_a_cause_shows_comes_out_so_when_it_is_repeated() -> None:
    tests = one_of_each()
    suite = Suite(tests, 2)
    verdict, _ = verify(suite, network=True)
    by_luck = {"concurrency", "load", "unknown", "infrastructure", "randomness"}

    for test in verdict.tests:
        for cause in test.causes:
            if cause.name in by_luck:
                continue
            for one in filter(None, (cause.shown, cause.contrast)):
                run = Run(id="x", tree="final", axis="probe", conditions=one.conditions,
                          sessions=(one.session,))  # fmt: skip
                cases = [c for c in suite.run(run).sessions[0].cases if c.test == test.test]
                assert one.outcome in {case.outcome for case in cases}, (test.test, cause)
            assert cause.shown is not None


def test_commands_that_show_it() -> None:
    verdict, _ = verify(Suite(one_of_each(), 1))
    causes = {test.test: test.causes[0] for test in verdict.tests if test.causes}

    polluted = causes["tests/test_2.py::test_20"]
    assert polluted.role == "victim"
    assert polluted.shown is not None
    assert polluted.contrast is not None
    assert polluted.shown.command == (
        "PYTHONHASHSEED=0 python -m pytest tests/test_7.py::test_70 tests/test_2.py::test_20"
    )
    assert polluted.contrast.command == "PYTHONHASHSEED=0 python -m pytest tests/test_2.py::test_20"
    hashed = causes["tests/test_2.py::test_29"].shown
    assert hashed is not None
    assert hashed.command == "PYTHONHASHSEED=1 python -m pytest tests/test_2.py::test_29"
    clock = causes["tests/test_3.py::test_30"].shown
    assert clock is not None
    assert (clock.command, clock.conditions.clock) == ("", 1096 * 86400)


@pytest.mark.parametrize("seed", range(3))
def test_five_hundred_steady_tests_are_never_called_otherwise(seed: int) -> None:
    tests = in_files(500)

    verdict, _ = verify(Suite(tests, seed, trouble=0.02 * seed), seed=seed)

    assert wrong(tests, verdict) == []
    assert not any(test.unconfirmed or test.seen for test in verdict.tests)
    assert {test.runs for test in verdict.tests} == {59}
    assert max(test.bound for test in verdict.tests) < 0.05
    assert {test.outcome for test in verdict.tests} == {"passed", "failed", "skipped", "xfailed"}


def random_suite(seed: int) -> dict[str, Known]:
    """Return a suite of which some tests, chosen and made by chance, are not steady."""
    chance = random.Random(seed)
    tests = in_files(chance.choice([8, 12, 20, 33, 50]))
    names = list(tests)
    chosen = chance.sample(names, min(len(names) // 3, chance.randrange(7)))
    others = [t for t in names if t not in chosen]

    def some(count: int) -> tuple[str, ...]:
        return tuple(chance.sample(others, count))

    divisor, days = chance.choice([2, 3]), chance.choice([100, 180, 1000])
    kinds = (
        lambda: simulated.victim(some(1)),
        lambda: simulated.brittle(some(1)),
        lambda: simulated.victim(some(2)),
        lambda: simulated.victim(some(1), some(1)),
        lambda: simulated.brittle(some(1), some(1)),
        lambda: simulated.cleaned_victim(*some(2)),
        simulated.not_idempotent,
        lambda: simulated.under("hash_seed", lambda h: h.conditions.hash_seed % divisor != 1),
        lambda: simulated.under("time", lambda h: h.now < START + days * 86400),
        lambda: simulated.under("timezone", lambda h: not h.conditions.timezone.startswith("A")),
        lambda: simulated.under("locale", lambda h: h.conditions.locale != "C"),
        lambda: simulated.under("filesystem_order", lambda h: h.conditions.file_order != 2),
        lambda: simulated.python_random(0.15),
        lambda: simulated.any_random(0.15),
        lambda: simulated.race(0.15),
        lambda: simulated.race(0.0, 0.9),
        lambda: simulated.under_load(0.95),
    )
    return tests | {test: chance.choice(kinds)() for test in chosen}


@pytest.mark.parametrize("block", range(10))
def test_hundreds_of_suites(block: int) -> None:
    for seed in range(block * 20, block * 20 + 20):
        tests = random_suite(seed)
        verdict, _ = verify(Suite(tests, seed, trouble=0.02 * (seed % 2)), seed=seed)

        assert wrong(tests, verdict) == [], seed


@pytest.mark.parametrize(("rate", "runs"), [(0.1, 132), (0.02, 684)])
def test_rare_random_failures_are_found_and_laid_to_randomness(rate: float, runs: int) -> None:
    tests = passing(6)
    names = list(tests)
    tests[names[2]] = simulated.python_random(rate)
    tests[names[4]] = simulated.any_random(rate)

    verdict, _ = verify(Suite(tests, 5), runs=runs)

    assert wrong(tests, verdict) == []
    assert {test.runs for test in verdict.tests} == {runs}


def test_the_same_seed_asks_for_the_same_runs() -> None:
    one, other, third = Suite(one_of_each(), 3), Suite(one_of_each(), 3), Suite(one_of_each(), 3)

    verify(one, seed=1)
    verify(other, seed=1)
    verify(third, seed=2)

    assert one.runs == other.runs
    assert one.runs != third.runs
    assert len({run.id for run in one.runs}) == len(one.runs)


def test_identical_reruns_are_one_session_a_box_with_their_own_seeds() -> None:
    suite = Suite(passing(3))

    verify(suite)

    same = [run for run in suite.runs if run.axis == "same" and run.tree == "final"]
    assert [run.id for run in same] == [f"final/same/{k}" for k in range(1, 60)]
    assert {len(run.sessions) for run in same} == {1}
    assert len({run.sessions[0].seed for run in same}) == 59
    assert len([run for run in suite.runs if run.tree == "base"]) == 5


def test_what_loads_the_machine_runs_alone() -> None:
    suite, verification = Suite(passing(5)), Verification(Options(now=START))
    out: list[Run] = []
    while not verification.done:
        out += verification.next(4 - len(out), suite.elapsed)
        assert len(out) == 1 or not any(r.conditions.load or r.conditions.cpus for r in out)
        if out:
            run = out.pop()
            verification.feed(run, suite.run(run))


def test_too_few_runs_are_inconclusive() -> None:
    verdict, _ = verify(Suite(passing(3)), runs=10, axes=())

    assert verdict.class_ == "inconclusive"
    assert {test.class_ for test in verdict.tests} == {"inconclusive"}
    assert (verdict.budgets.runs, verdict.budgets.needed) == (10, 59)


def test_when_the_time_is_up_what_is_known_is_said() -> None:
    verdict, _ = verify(Suite(passing(3)), seconds=10)

    assert verdict.class_ == "inconclusive"
    assert "the time was up after 10 s, in the phase of identical reruns" in verdict.notes


def test_perturbations_leave_time_to_find_causes() -> None:
    tests = passing(60)
    tests["tests/test_1.py::test_12"] = simulated.victim(("tests/test_4.py::test_44",))

    verdict, _ = verify(Suite(tests), seconds=90)

    assert wrong(tests, verdict) == []
    assert any("perturbed sessions were left out" in note for note in verdict.notes)


def test_stopped_by_somebody() -> None:
    suite, verification = Suite(passing(3)), Verification(Options(now=START))
    run, *others = verification.next(2)
    verification.stop("interrupted")

    assert not verification.done
    problem = SessionResult(cases=(), problem="killed by signal 9")
    verification.feed(run, RunResult(run=run.id, sessions=(problem,)))
    assert verification.next(4) == []
    for other in others:
        verification.feed(other, suite.run(other))
    assert verification.done
    assert "interrupted" in verification.verdict().notes


def test_no_tests() -> None:
    verdict, _ = verify(Suite({}))

    assert (verdict.class_, verdict.outcome) == ("no_tests", None)
    assert not verdict.verified


def test_tests_that_never_come_to_their_end() -> None:
    verdict, _ = verify(Suite(passing(3), trouble=1.0))

    assert (verdict.class_, verdict.outcome) == ("inconclusive", "unresolved")
    assert "killed by signal 9" in verdict.reason
    assert [control.complete for control in verdict.controls] == [False, False]


def test_an_engine_that_goes_away_is_no_test_that_failed() -> None:
    verification = Verification(Options(now=START))
    for _ in range(3):
        run = next(r for r in verification.next(9) if r.tree == "final")
        verification.feed(run, RunResult(run=run.id, sessions=(), failure="no engine answers"))

    verdict = verification.verdict()
    assert verification.failed == "no engine answers"
    assert (verdict.class_, verdict.reason) == ("environment_failed", "no engine answers")


def test_a_flip_that_never_comes_again_is_kept_and_changes_nothing() -> None:
    suite = Suite(passing(10))
    tests = list(suite.tests)
    failed: list[str] = []

    def once(here: simulated.Here) -> Outcome:
        if not failed and here.before[:1] == [tests[-1]]:
            failed.append(here.test)
            return "failed"
        return "passed"

    suite.tests[tests[4]] = Known(once)
    verdict, _ = verify(suite)

    test = by_test(verdict)[tests[4]]
    assert failed
    assert test.class_ == "steady"
    assert [one.outcome for one in test.unconfirmed] == ["failed"]
    assert test.axes["order"].flips == 1
    assert any("did not come again" in note for note in verdict.notes)


def test_a_machine_that_stumbles_once_is_infrastructure() -> None:
    class Stumbling(Suite):
        def run(self, run: Run) -> RunResult:
            result = super().run(run)
            if run.id != "final/same/30":
                return result
            (session,) = result.sessions
            cases = tuple(simulated.failed(case) for case in session.cases)
            sessions = (SessionResult(cases=cases, seconds=session.seconds),)
            return RunResult(run=run.id, sessions=sessions)

    verdict, _ = verify(Stumbling(passing(12)))

    assert {test.class_ for test in verdict.tests} == {"flaky"}
    assert verdict.causes == ("infrastructure",)
    assert verdict.class_ == "flaky"


def test_the_plan_counts_what_will_be_run() -> None:
    suite, verification = Suite(passing(20)), Verification(Options(now=START, cores=2))
    before = verification.estimate()
    for run in verification.next(2):
        verification.feed(run, suite.run(run))
    after = verification.estimate()

    assert before.seconds == 0
    rows = {row.what: row for row in after.rows}
    assert (rows["identical reruns"].boxes, rows["base"].boxes) == (59, 5)
    assert (rows["order"].sessions, rows["alone"].sessions) == (41, 20)
    assert after.boxes == sum(row.boxes for row in after.rows)
    assert after.seconds > 0


class Ending(Suite):
    """A suite whose process ends too soon in some runs, having told of its first tests."""

    def __init__(self, tests: dict[str, Known], ends: str, problem: str) -> None:
        super().__init__(tests)
        self.ends, self.problem = ends, problem

    def run(self, run: Run) -> RunResult:
        result = super().run(run)
        if not run.id.startswith(self.ends):
            return result
        cut = [
            SessionResult(cases=one.cases[:-1], complete=False, problem=self.problem)
            for one in result.sessions
        ]
        return RunResult(run=run.id, sessions=tuple(cut))


def test_a_process_that_ends_too_soon_in_one_identical_rerun_is_a_contradiction() -> None:
    tests = passing(20) | {"tests/test_9.py::test_m": simulated.mended()}

    verdict, _ = verify(Ending(tests, "final/same/7", "ended early: exit code 0"), axes=())

    assert (verdict.class_, verdict.verified, verdict.outcome) == ("flaky", False, "resolved")
    assert verdict.reason.endswith(
        "1 of 60 identical reruns did not come to their end: ended early: exit code 0"
    )


def test_flips_of_orders_in_which_the_runner_breaks_are_used() -> None:
    tests = passing(20)
    names = list(tests)
    tests[names[3]] = simulated.victim((names[7],))

    verdict, _ = verify(Ending(tests, "final/order/", "internal error: IndexError"))

    found = by_test(verdict)
    assert found[names[3]].class_ == "fragile"
    assert found[names[3]].causes[0].others == ((names[7],),)
    assert {test.class_ for test in verdict.tests if test.test != names[3]} == {"steady"}
    assert any("broke off; what came before counts" in note for note in verdict.notes)
