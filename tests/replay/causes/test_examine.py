from __future__ import annotations

from support import simulated
from support.simulated import Suite, always, in_files, verify


def test_where_nothing_flips_nothing_is_examined() -> None:
    suite = Suite(in_files(30))

    verify(suite)

    assert not [run for run in suite.runs if run.axis in ("probe", "random")]


def test_a_flaky_test_is_not_examined_for_order_too() -> None:
    tests = in_files(10, lambda _: always("passed"))
    name = list(tests)[3]
    tests[name] = simulated.by_chance(0.4)

    verdict, _ = verify(Suite(tests))

    (test,) = [test for test in verdict.tests if test.causes]
    assert test.axes["order"].flips > 0
    assert [cause.name for cause in test.causes] == ["unknown"]


def test_two_causes_of_one_test() -> None:
    tests = in_files(20, lambda _: always("passed"))
    first, last = list(tests)[2], list(tests)[17]
    tests[first] = simulated.under(
        "", lambda here: here.conditions.locale != "C" and last not in here.before
    )

    verdict, _ = verify(Suite(tests))

    (test,) = [test for test in verdict.tests if test.causes]
    assert {cause.name for cause in test.causes} == {"locale", "order"}
