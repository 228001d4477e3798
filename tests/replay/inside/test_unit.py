"""What is told of a suite of unittest's, and how it is arranged."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from support.heard import Suite
from traceproof.replay.runs import Session, SessionResult

ALL = """
import threading, unittest
from unittest import skip
class TestA(unittest.TestCase):
    def test_passes(self): threading.Thread(target=int).start()
    def test_fails(self): self.assertEqual(1, 2)
    def test_raises(self): raise OSError("x")
    @skip("why")
    def test_left_out(self): pass
    @unittest.expectedFailure
    def test_to_fail(self): self.fail()
    @unittest.expectedFailure
    def test_must_not_pass(self): pass
    def test_parts(self):
        for part in range(4):
            with self.subTest(part=part):
                self.assertNotIn(part, (1, 2))
class TestB(unittest.TestCase):
    def setUp(self): raise OSError("set-up")
    def test_1(self): pass
class TestC(unittest.TestCase):
    def tearDown(self): raise OSError("tear-down")
    def test_1(self): pass
class TestD(unittest.TestCase):
    @classmethod
    def setUpClass(cls): cls.x = 1
    def test_1(self): pass
    def test_2(self): pass
class TestE(unittest.TestCase):
    @classmethod
    def setUpClass(cls): raise OSError("class")
    def test_1(self): pass
"""
THREE = """
import unittest
class TestA(unittest.TestCase):
    def test_1(self): self.assertFalse(hasattr(self, "left")); self.left = 1
    def test_2(self): pass
    def test_3(self): pass
"""


SKIPS = """
import unittest
class TestA(unittest.TestCase):
    def test_1(self):
        for part in range(3):
            with self.subTest(part=part):
                self.skipTest("not here") if part == 1 else None
    def test_2(self): pass
"""


def hear(suite: Suite, **session: Any) -> SessionResult:
    command = (sys.executable, "-m", "unittest", "-q")
    return suite.hear(*command, session=Session(seed=1, **session))


def names(result: SessionResult) -> list[str]:
    return [case.test.rpartition(".")[2] for case in result.cases]


def test_a_part_that_is_skipped_leaves_the_test_as_it_is(suite: Suite) -> None:
    suite.write(test_a=SKIPS)

    result = hear(suite)

    assert (result.problem, [case.outcome for case in result.cases]) == ("", ["passed"] * 2)


def test_each_outcome_is_told(suite: Suite) -> None:
    suite.write(test_a=ALL, test_b="import no_such_module")

    result = hear(suite)

    told = {case.test.partition(".")[2]: (case.outcome, case.phase) for case in result.cases}
    assert told == {
        "TestA.test_passes": ("passed", ""),
        "TestA.test_fails": ("failed", "call"),
        "TestA.test_raises": ("failed", "call"),
        "TestA.test_left_out": ("skipped", ""),
        "TestA.test_to_fail": ("xfailed", ""),
        "TestA.test_must_not_pass": ("failed", "call"),
        "TestA.test_parts": ("failed", "call"),
        "TestB.test_1": ("error", "setup"),
        "TestC.test_1": ("error", "teardown"),
        "TestD.test_1": ("passed", ""),
        "TestD.test_2": ("passed", ""),
        "TestE": ("error", "collect"),
        "": ("error", "collect"),
    }
    assert (result.problem, result.source, result.exit_code) == ("", "plugin", 1)
    by_name = {case.test: case for case in result.cases}
    assert by_name["test_a.TestD.test_1"].group == "test_a.TestD"
    assert by_name["test_a.TestA.test_passes"].threads == 1
    assert by_name["test_a.TestA.test_fails"].message == "AssertionError: 1 != 2"
    assert by_name["test_b"].message == "ImportError: Failed to import test module: test_b"
    assert len(result.collected) == 12


@pytest.mark.parametrize(
    ("session", "order"),
    [
        ({}, ["test_1", "test_2", "test_3"]),
        ({"shuffle": "reverse"}, ["test_3", "test_2", "test_1"]),
        ({"tests": ("test_a.TestA.test_3", "test_a.TestA.test_1")}, ["test_3", "test_1"]),
        ({"twice": "suite"}, ["test_1", "test_2", "test_3"] * 2),
        ({"twice": "each"}, ["test_1", "test_1", "test_2", "test_2", "test_3", "test_3"]),
    ],
)
def test_tests_are_arranged(suite: Suite, session: dict[str, Any], order: list[str]) -> None:
    suite.write(test_a=THREE)

    result = hear(suite, **session)

    assert (names(result), result.problem) == (order, "")
    assert {case.outcome for case in result.cases} == {"passed"}


def test_random_numbers_are_those_of_the_seed_in_modules_too(suite: Suite) -> None:
    suite.write(
        test_a="""
import random, unittest
at_import = random.random()
class TestA(unittest.TestCase):
    def test_1(self): self.fail((at_import, random.random()))
"""
    )

    assert hear(suite).cases[0].message == hear(suite).cases[0].message


def test_runs_within_tests_are_not_heard(suite: Suite) -> None:
    suite.write(
        test_a="""
import io, unittest
class TestA(unittest.TestCase):
    def test_1(self):
        class Inner(unittest.TestCase):
            def runTest(self): self.fail()
        runner = unittest.TextTestRunner(stream=io.StringIO())
        self.assertFalse(runner.run(Inner()).wasSuccessful())
"""
    )

    result = hear(suite)

    assert (names(result), result.cases[0].outcome, result.problem) == (["test_1"], "passed", "")


def test_a_process_that_ends_in_the_middle_is_a_problem(suite: Suite) -> None:
    suite.write(test_a=THREE.replace("test_2(self): pass", "test_2(self): import os; os._exit(0)"))

    result = hear(suite)

    assert result.problem == "ended early: exit code 0 during test_a.TestA.test_2"


def test_pytest_is_heard_and_not_unittest_where_both_are(suite: Suite) -> None:
    suite.write(test_a=THREE)

    assert suite.hear().cases[0].test == "test_a.py::TestA::test_1"
