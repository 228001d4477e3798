"""The traps that make steady tests look flaky, numbered as where they are described.

They were met while an oracle of known flaky tests was built: docs/verify.md has them in words.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

import pytest

from support.heard import Suite
from traceproof.replay.runs import Session, SessionResult

ONCE = Session(seed=1)


def outcomes(result: SessionResult) -> dict[tuple[str, int], str]:
    return {(case.test.rpartition("::")[2], case.repeat): case.outcome for case in result.cases}


@pytest.mark.parametrize("how", ["each", "suite"])
def test_trap_1_a_repeated_item_has_its_fixtures_set_up_again(
    suite: Suite, how: Literal["each", "suite"]
) -> None:
    suite.write(
        test_a='''
import pytest, unittest
@pytest.fixture
def made(): return []
def test_fixture(made): assert made == []; made.append(1)
def test_marker(request):
    assert not list(request.node.iter_markers()); request.applymarker(pytest.mark.usefixtures())
@pytest.mark.parametrize("x", [[]])
def test_parameter(x, tmp_path): assert not list(tmp_path.iterdir()); (tmp_path / "a").touch()
class TestClass:
    def setup_method(self): self.own = 1
    def test_instance(self): assert not hasattr(self, "left"); self.left = 1
class TestCase(unittest.TestCase):
    def setUp(self): self.own = 1
    def test_case(self): assert not hasattr(self, "left"); self.left = 1
def example():
    """
    >>> made = 1
    >>> made
    1
    """
'''
    )

    result = suite.hear(
        sys.executable, "-m", "pytest", "--doctest-modules", session=Session(seed=1, twice=how)
    )

    assert result.problem == ""
    assert {name for name, outcome in outcomes(result).items() if outcome != "passed"} == set()
    assert len(result.cases) == 12


@pytest.mark.parametrize("ahead", [43200, 190 * 86400, -86400])
def test_trap_2_sleeps_and_waits_take_as_long_under_a_shifted_clock(
    suite: Suite, ahead: int
) -> None:
    suite.write(
        test_a="""
import threading, time
def test_a():
    before = time.monotonic()
    time.sleep(0.05)
    assert not threading.Event().wait(0.05)
    assert 0.1 <= time.monotonic() - before < 5
    assert 0, int(time.time())
"""
    )

    plain, shifted = suite.hear(), suite.hear(clock=ahead)

    told = [int(result.cases[0].message.split()[1]) for result in (plain, shifted)]
    assert 0 <= told[1] - told[0] - ahead < 60
    assert shifted.problem == ""


def test_trap_3_a_shuffle_splits_no_fixture_of_a_class_or_module(suite: Suite) -> None:
    module = """
import pytest
@pytest.fixture(scope="module")
def once(request):
    with open(f"{request.module.__name__}.set-up", "x"): pass
def test_1(once): pass
def test_2(once): pass
class TestA:
    @classmethod
    def setup_class(cls): open(f"{__name__}.class", "x").close()
    def test_3(self): pass
    def test_4(self): pass
def test_5(): pass
"""
    suite.write(test_a=module, test_b=module)

    for seed in range(4):
        for left in suite.work.glob("test_?.[sc]*"):
            left.unlink()
        result = suite.hear(session=Session(seed=seed, shuffle="random"))

        assert {case.outcome for case in result.cases} == {"passed"}
    groups = {case.test: case.group for case in result.cases}
    assert groups["test_a.py::test_1"] == "test_a.py"
    assert groups["test_a.py::TestA::test_3"] == "test_a.py::TestA"
    assert groups["test_a.py::test_5"] == ""


def test_trap_3_errors_of_a_set_up_are_apart_from_failures(suite: Suite) -> None:
    suite.write(
        test_a="""
import pytest
@pytest.fixture
def broken(): assert 0
def test_1(broken): pass
def test_2(): assert 0
"""
    )

    assert outcomes(suite.hear()) == {("test_1", 0): "error", ("test_2", 0): "failed"}


@pytest.mark.parametrize("module", [True, False])
def test_trap_4_a_test_sees_the_path_the_folder_and_the_environment_as_without_us(
    suite: Suite, module: bool
) -> None:
    pytest_itself = str(Path(sys.executable).parent / "pytest")
    words = [sys.executable, "-m", "pytest", "-s"] if module else [pytest_itself, "-s"]
    suite.write(
        test_a="""
import json, os, sys
def test_a():
    set_on_purpose = ("PYTHONHASHSEED",)
    by_any_shell = ("PWD", "OLDPWD", "SHLVL", "_")
    environment = sorted(set(os.environ.items()))
    environment = [one for one in environment if one[0] not in set_on_purpose + by_any_shell]
    names = sorted(name for name in sys.modules if "traceproof" in name)
    told = [sys.path, sys.argv, os.getcwd(), environment, names, len(sys.meta_path)]
    with open("told", "a") as file: print(json.dumps(told), file=file)
"""
    )

    suite.hear(*words)
    bare = suite.run_bare(*words)

    heard, alone = (suite.work / "told").read_text().splitlines()
    assert bare.returncode == 0
    assert heard == alone


def test_trap_5_a_second_time_in_one_process_is_told_from_a_rerun(suite: Suite) -> None:
    suite.write(test_a="seen = []\ndef test_a(): assert not seen; seen.append(1)")

    again = [suite.hear(), suite.hear()]
    twice = suite.hear(session=Session(seed=1, twice="each"))

    assert [outcomes(one) for one in again] == [{("test_a", 0): "passed"}] * 2
    assert outcomes(twice) == {("test_a", 0): "passed", ("test_a", 1): "failed"}


# Trap 6, a fresh tree for every session, is the box's: tests/replay/test_runner.py.


def test_trap_7_load_is_beside_the_tests_and_they_know_nothing_of_it(suite: Suite) -> None:
    suite.write(
        test_a="""
import glob, os, pathlib, time
def busy():
    found = 0
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            words = pathlib.Path(path).read_bytes()
            group = os.getpgid(int(path.split("/")[2]))
        except OSError:
            continue
        found += group == os.getpgid(0) and b"while :; do" in words
    return found
def test_load():
    assert 0, busy()
def test_children():
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return
    assert 0
"""
    )

    loaded, quiet = suite.hear(load=2), suite.hear()

    assert [one.cases[0].message for one in (loaded, quiet)] == [
        "AssertionError: 2", "AssertionError: 0",
    ]  # fmt: skip
    assert {one.cases[1].outcome for one in (loaded, quiet)} == {"passed"}


def test_trap_8_a_set_of_polluters_and_an_import_can_be_told_apart(suite: Suite) -> None:
    state = "import state\ndef test_{0}(): state.seen.add({0})"
    suite.write(
        state="seen = set()",
        test_a=state.format(1),
        test_b=state.format(2) + "\nstate.imported = True",
        test_c="""
import state
def test_set(): assert not state.seen >= {1, 2}
def test_import(): assert hasattr(state, "imported")
""",
    )

    def outcome(test: str, *before: str, collect: Literal["all", "only"] = "all") -> str:
        tests = (*before, f"test_c.py::{test}")
        result = suite.hear(session=Session(seed=1, tests=tests, collect=collect))
        return result.cases[-1].outcome

    one, two = "test_a.py::test_1", "test_b.py::test_2"
    assert outcome("test_set", one) == outcome("test_set", two) == "passed"
    assert outcome("test_set", one, two) == "failed"
    assert outcome("test_import") == "passed"
    assert outcome("test_import", collect="only") == "failed"
