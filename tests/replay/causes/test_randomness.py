from __future__ import annotations

from support import simulated
from support.simulated import Known, Suite, always, in_files, verify


def test_several_random_tests_share_their_experiments() -> None:
    tests = in_files(20, lambda _: always("passed"))
    names = list(tests)
    tests |= {names[k]: simulated.any_random(0.2) for k in (2, 5, 9, 13)}
    suite = Suite(tests, 1)

    verdict, _ = verify(suite)

    causes = {test.test: test.causes[0].name for test in verdict.tests if test.causes}
    assert causes == dict.fromkeys((names[k] for k in (2, 5, 9, 13)), "randomness")
    searched = [run for run in suite.runs if run.conditions.fixed_random]
    assert {run.sessions[0].tests for run in searched} == {tuple(names[k] for k in (2, 5, 9, 13))}
    assert sum(len(run.sessions) for run in searched) < 150


def test_a_seed_is_no_cause_where_the_same_seed_does_both() -> None:
    tests = in_files(5, lambda _: always("passed"))
    tests |= {list(tests)[2]: Known(lambda h: "failed" if h.chance < 0.3 else "passed")}

    verdict, _ = verify(Suite(tests, 1))

    (test,) = [test for test in verdict.tests if test.causes]
    assert [cause.name for cause in test.causes] == ["unknown"]
