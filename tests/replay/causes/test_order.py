from __future__ import annotations

from support import simulated
from support.simulated import Known, Suite, always, in_files, verify
from traceproof.replay.verdict import Cause


def named(k: int) -> str:
    return f"tests/test_{k // 10}.py::test_{k}"


def causes(count: int, k: int, known: Known) -> tuple[Cause, ...]:
    """Return what is found out about one test in a suite of steady ones."""
    tests = in_files(count, lambda _: always("passed")) | {named(k): known}
    verdict, _ = verify(Suite(tests))
    assert [test.test for test in verdict.tests if test.class_ != "steady"] == [named(k)]
    return next(test.causes for test in verdict.tests if test.test == named(k))


def the_cause(count: int, k: int, known: Known) -> Cause:
    (cause,) = causes(count, k, known)
    assert cause.name == "order"
    return cause


def test_a_victim_that_passes_in_the_usual_order() -> None:
    cause = the_cause(40, 3, simulated.victim((named(30),)))

    assert (cause.role, cause.others) == ("victim", ((named(30),),))
    assert cause.text == f"fails after {named(30)}; passes alone"
    assert cause.shown is not None
    assert cause.contrast is not None
    assert (cause.shown.outcome, cause.shown.session.tests) == ("failed", (named(30), named(3)))
    assert (cause.contrast.outcome, cause.contrast.session.tests) == ("passed", (named(3),))
    assert cause.with_cause is not None
    assert cause.without is not None
    assert (cause.with_cause.flips, cause.without.flips) == (cause.with_cause.runs, 0)


def test_a_victim_that_fails_in_the_usual_order() -> None:
    cause = the_cause(40, 30, simulated.victim((named(3),)))

    assert (cause.role, cause.others) == ("victim", ((named(3),),))
    assert cause.text == f"fails after {named(3)}, as in the usual order; passes alone"
    assert cause.shown is not None
    assert (cause.shown.outcome, cause.shown.session.tests) == ("passed", (named(30),))


def test_a_brittle_test_that_passes_in_the_usual_order() -> None:
    cause = the_cause(40, 30, simulated.brittle((named(3),)))

    assert (cause.role, cause.others) == ("brittle", ((named(3),),))
    assert cause.text == f"passes after {named(3)}, as in the usual order; fails alone"
    assert cause.shown is not None
    assert (cause.shown.outcome, cause.shown.session.tests) == ("failed", (named(30),))


def test_a_brittle_test_that_fails_in_the_usual_order() -> None:
    cause = the_cause(40, 3, simulated.brittle((named(30),)))

    assert (cause.role, cause.others) == ("brittle", ((named(30),),))
    assert cause.shown is not None
    assert cause.shown.outcome == "passed"


def test_several_polluters_each_enough() -> None:
    cause = the_cause(60, 3, simulated.victim((named(30),), (named(50),), (named(8),)))

    assert set(cause.others) == {(named(30),), (named(50),), (named(8),)}


def test_a_set_of_fourteen() -> None:
    polluters = tuple(map(named, range(10, 24)))

    cause = the_cause(60, 50, simulated.victim(polluters))

    assert [set(one) for one in cause.others] == [set(polluters)]
    assert "14 tests (" in cause.text


def test_a_polluter_with_a_cleaner() -> None:
    cause = the_cause(60, 3, simulated.cleaned_victim(named(30), named(31)))

    assert cause.others == ((named(30),),)


def test_it_is_enough_that_a_file_is_imported() -> None:
    cause = the_cause(60, 3, simulated.needs_import("tests/test_4.py"))

    assert (cause.role, cause.imports, cause.others) == ("brittle", True, ((named(40),),))
    assert cause.text == f"passes only when the file of {named(40)} is imported as well"
    assert cause.shown is not None
    assert cause.shown.session.collect == "only"


def test_in_a_large_suite_shuffles_do() -> None:
    cause = the_cause(300, 3, simulated.victim((named(250),)))

    assert cause.others == ((named(250),),)


def test_many_victims_of_one_polluter_cost_few_probes_each() -> None:
    tests = in_files(100, lambda _: always("passed"))
    victims = list(tests)[:40]
    tests |= dict.fromkeys(victims, simulated.victim((named(90),)))

    verdict, verification = verify(Suite(tests))

    found = {test.test: test.causes[0].others for test in verdict.tests if test.causes}
    assert found == dict.fromkeys(victims, ((named(90),),))
    probes = [run for run in verdict.runs if run.axis == "probe"]
    assert sum(len(run.sessions) for run in probes) < 12 * len(victims)
    assert verification.done
