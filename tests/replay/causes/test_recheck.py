from __future__ import annotations

from support.simulated import Here, Known, Suite, always, in_files, verify
from traceproof.replay.runs import Outcome
from traceproof.replay.verdict import TestVerdict

NAME = "tests/test_0.py::test_4"


def found(known: Known, seed: int = 0) -> TestVerdict:
    tests = in_files(12, lambda _: always("passed")) | {NAME: known}
    verdict, _ = verify(Suite(tests, seed))
    return next(test for test in verdict.tests if test.test == NAME)


def in_another_order(here: Here) -> bool:
    return len(here.before) > 7


def test_a_seed_in_one_order_is_randomness() -> None:
    def unlucky(here: Here) -> Outcome:
        return "failed" if in_another_order(here) and here.python_random < 0.1 else "passed"

    test = found(Known(unlucky))

    assert test.class_ == "flaky"
    assert [cause.name for cause in test.causes] == ["randomness"]


def test_chance_in_another_order_is_a_contradiction_of_identical_reruns() -> None:
    def by_chance(here: Here) -> Outcome:
        return "failed" if in_another_order(here) and here.chance < 0.4 else "passed"

    test = found(Known(by_chance), seed=2)

    assert test.class_ == "flaky"
    assert [cause.name for cause in test.causes] == ["unknown"]
    assert test.flips == 0
    assert len(test.seen) > 1
