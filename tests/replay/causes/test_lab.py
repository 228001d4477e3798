from __future__ import annotations

import pytest

from support.simulated import Suite, in_files, victim
from traceproof.replay.asks import Answer, Ask
from traceproof.replay.causes.lab import agreed, command, find, rate
from traceproof.replay.options import Options
from traceproof.replay.runs import Case, Conditions, Session, SessionResult
from traceproof.replay.verdict import Rate
from traceproof.replay.verification import Verification

ONE = Session(seed=1, tests=("tests/test_a.py::t[a b]",))


@pytest.mark.parametrize(
    ("tests", "conditions", "shell"),
    [
        (
            ("python", "-m", "pytest", "-q"),
            Conditions(),
            "PYTHONHASHSEED=0 python -m pytest 'tests/test_a.py::t[a b]'",
        ),
        (
            ("/usr/bin/py.test",),
            Conditions(hash_seed=3, timezone="Asia/Tokyo", locale="C"),
            "PYTHONHASHSEED=3 TZ=Asia/Tokyo LC_ALL=C python -m pytest 'tests/test_a.py::t[a b]'",
        ),
        (
            ("python", "-m", "unittest"),
            Conditions(),
            "PYTHONHASHSEED=0 python -m unittest 'tests/test_a.py::t[a b]'",
        ),
        (("make", "test"), Conditions(), ""),
        (("pytest",), Conditions(clock=3600), ""),
        (("pytest",), Conditions(load=2), ""),
    ],
)
def test_a_shell_command_where_one_does_it(
    tests: tuple[str, ...], conditions: Conditions, shell: str
) -> None:
    assert command(tests, conditions, ONE) == shell


def test_no_shell_command_runs_a_test_twice() -> None:
    assert command(("pytest",), Conditions(), Session(seed=1, tests=("t",), twice="each")) == ""
    assert command(("pytest",), Conditions(), Session(seed=1)) == ""


def test_what_agrees() -> None:
    assert agreed(["ok", None, "ok"]) == "ok"
    assert agreed(["ok", "bad"]) is None
    assert agreed([None]) is None


def test_how_often() -> None:
    assert rate(["ok", "bad", None, "skipped"], "ok") == Rate(runs=3, flips=2)


def test_of_a_file_that_cannot_be_collected_each_test_has_its_error() -> None:
    lost = Case(test="tests/test_a.py", outcome="error", phase="collect")
    answer = Answer(Ask(ONE, ""), "final/probe/1#0", SessionResult(cases=(lost,)))

    assert find(answer, "tests/test_a.py::t") == lost
    assert find(answer, "tests/test_b.py::t") is None
    assert find(answer._replace(session=None), "tests/test_a.py::t") is None


def test_a_flip_that_nobody_could_look_into_is_no_steady_test() -> None:
    tests = in_files(20)
    tests["tests/test_1.py::test_12"] = victim(("tests/test_0.py::test_4",), fails=True)
    suite = Suite(tests)
    verification = Verification(Options(now=suite.started, axes=("order",), base=False))
    while verification.phase != "causes":
        for run in verification.next(2):
            verification.feed(run, suite.run(run))
    verification.stop("the time was up")

    verdict = verification.verdict()

    assert verdict.class_ == "inconclusive"
    unclear = [test.test for test in verdict.tests if test.class_ != "steady"]
    assert unclear == ["tests/test_1.py::test_12"]


def test_tests_that_were_not_perturbed_as_they_were_to_be_are_no_steady_ones() -> None:
    suite = Suite(in_files(20))
    verification = Verification(Options(now=suite.started, axes=("order",), base=False))
    while verification.phase != "perturbations":
        for run in verification.next(2):
            verification.feed(run, suite.run(run))
    verification.stop("the time was up")

    verdict = verification.verdict()

    assert verdict.class_ == "inconclusive"
    assert any("perturbed sessions were left out" in note for note in verdict.notes)
