from __future__ import annotations

import pytest

from support import simulated
from support.simulated import Known, Suite, always, in_files, verify
from traceproof.replay.verdict import Cause, TestVerdict

NAME = "tests/test_0.py::test_4"


def found(known: Known, seed: int = 3) -> TestVerdict:
    tests = in_files(12, lambda _: always("passed")) | {NAME: known}
    verdict, _ = verify(Suite(tests, seed))
    return next(test for test in verdict.tests if test.test == NAME)


def cause_of(known: Known, seed: int = 3) -> Cause:
    test = found(known, seed)
    assert test.class_ == "flaky"
    (cause,) = test.causes
    assert cause.shown is not None
    return cause


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_pythons_random_numbers(rate: float) -> None:
    cause = cause_of(simulated.python_random(rate))

    assert cause.name == "randomness"
    assert cause.text.startswith("the seed of Python's random numbers decides")


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_random_numbers_from_elsewhere(rate: float) -> None:
    cause = cause_of(simulated.any_random(rate))

    assert cause.name == "randomness"
    assert cause.shown is not None
    assert cause.shown.conditions.fixed_random


def test_a_race_of_threads() -> None:
    cause = cause_of(simulated.race(0.1))

    assert (cause.name, cause.axis) == ("concurrency", "threads")
    assert "how threads are switched decides" in cause.text


def test_threads_whose_switching_changes_nothing() -> None:
    known = simulated.by_chance(0.3)._replace(threads=3)

    cause = cause_of(known)

    assert cause.name == "concurrency"
    assert cause.text == "starts threads, and comes out both ways whatever the seed"


def test_what_load_makes_likely() -> None:
    known = Known(
        lambda h: "failed" if h.chance < (0.95 if h.conditions.load else 0.1) else "passed"
    )

    assert cause_of(known).name == "load"


def test_what_the_box_decides() -> None:
    assert cause_of(simulated.by_box(), seed=4).name == "infrastructure"


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_what_nothing_explains(rate: float) -> None:
    assert cause_of(simulated.by_chance(rate)).name == "unknown"


def test_a_test_that_is_sometimes_skipped() -> None:
    known = Known(lambda here: "skipped" if here.chance < 0.3 else "passed")

    test = found(known)

    assert (test.class_, test.failures) == ("flaky", 0)
    assert test.flips > 0
