from __future__ import annotations

from support import simulated
from support.simulated import Known, Suite, always, in_files, verify
from traceproof.replay.verdict import TestVerdict

EARLIER, NAME, LATER = (f"tests/test_{k // 10}.py::test_{k}" for k in (2, 4, 11))


def found(known: Known) -> TestVerdict:
    tests = in_files(14, lambda _: always("passed")) | {NAME: known}
    verdict, _ = verify(Suite(tests))
    return next(test for test in verdict.tests if test.test == NAME)


def test_its_own_first_execution() -> None:
    test = found(simulated.not_idempotent())

    (cause,) = test.causes
    assert (test.class_, cause.name) == ("fragile", "repetition")
    assert cause.text == "fails the second time that it runs in one process"
    assert cause.shown is not None
    assert (cause.shown.session.tests, cause.shown.session.twice) == ((NAME,), "each")
    assert cause.shown.outcome == "failed"


def test_another_tests_execution_is_order() -> None:
    test = found(simulated.victim((LATER,)))

    assert [cause.name for cause in test.causes] == ["order"]
    assert test.axes["twice"].flips > 0


def test_both() -> None:
    test = found(
        simulated.under("", lambda here: here.test not in here.before and LATER not in here.before)
    )

    assert {cause.name for cause in test.causes} == {"order", "repetition"}


def test_another_test_that_runs_twice() -> None:
    test = found(simulated.under("", lambda here: list(here.before).count(EARLIER) < 2))

    assert [cause.name for cause in test.causes] == ["repetition"]
    assert test.causes[0].text == "comes out otherwise where each test is run twice in one process"
