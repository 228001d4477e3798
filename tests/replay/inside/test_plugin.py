"""What the plugin tells of a session, and how it arranges one."""

from __future__ import annotations

import os
import sys
from typing import Literal

import pytest

from support.heard import Suite
from traceproof.replay.asks import broke_off
from traceproof.replay.runs import Session, SessionResult

ALL = """
import pytest, threading
from pytest import mark as m
def test_passes(): pass
def test_fails(): assert 1 == 2, "no"
@m.xfail
def test_is_to_fail(): assert 0
@m.xfail
def test_passes_and_was_to_fail(): pass
@m.xfail(strict=True)
def test_passes_and_must_not(): pass
@m.skip(reason="why")
def test_is_left_out(): pass
@pytest.fixture
def broken(): raise OSError("set-up")
def test_has_no_set_up(broken): pass
@pytest.fixture
def breaks():
    yield
    raise OSError("tear-down")
def test_cannot_be_torn_down(breaks): pass
@m.parametrize("x", [1, 2])
def test_starts_threads(x):
    for _ in range(x):
        threading.Thread(target=int).start()
"""
ORDER = """
def test_1(): pass
def test_2(): pass
def test_3(): pass
"""


def names(result: SessionResult) -> list[str]:
    return [case.test.rpartition("::")[2] or case.test for case in result.cases]


def test_each_outcome_is_told(suite: Suite) -> None:
    suite.write(test_a=ALL)

    result = suite.hear()

    assert (result.problem, result.complete, result.source) == ("", True, "plugin")
    assert result.exit_code == 1
    told = {case.test.rpartition("::")[2]: (case.outcome, case.phase) for case in result.cases}
    assert told == {
        "test_passes": ("passed", ""),
        "test_fails": ("failed", "call"),
        "test_is_to_fail": ("xfailed", ""),
        "test_passes_and_was_to_fail": ("xpassed", ""),
        "test_passes_and_must_not": ("failed", "call"),
        "test_is_left_out": ("skipped", ""),
        "test_has_no_set_up": ("error", "setup"),
        "test_cannot_be_torn_down": ("error", "teardown"),
        "test_starts_threads[1]": ("passed", ""),
        "test_starts_threads[2]": ("passed", ""),
    }
    by_name = {case.test.rpartition("::")[2]: case for case in result.cases}
    assert by_name["test_fails"].message == "AssertionError: no"
    assert "assert 1 == 2" in by_name["test_fails"].detail
    assert by_name["test_has_no_set_up"].message == "OSError: set-up"
    assert by_name["test_is_left_out"].message == "why"
    assert by_name["test_starts_threads[2]"].threads == 2
    assert result.collected == tuple(case.test for case in result.cases)


def test_a_file_that_cannot_be_imported_is_an_error_and_the_others_run(suite: Suite) -> None:
    suite.write(test_a="import no_such_module", test_b="def test_b(): pass")

    result = suite.hear()

    error, passed = result.cases
    assert (error.test, error.outcome, error.phase) == ("test_a.py", "error", "collect")
    assert error.message == "ModuleNotFoundError: No module named 'no_such_module'"
    assert (passed.test, passed.outcome) == ("test_b.py::test_b", "passed")
    assert result.complete


def test_tests_run_in_the_order_that_was_given_over_files(suite: Suite) -> None:
    suite.write(test_a=ORDER, test_b=ORDER)
    order = ("test_b.py::test_3", "test_a.py::test_2", "test_b.py::test_1")

    result = suite.hear(session=Session(seed=1, tests=(*order, "test_a.py::not_there")))

    assert tuple(case.test for case in result.cases) == order
    assert len(result.collected) == 6


@pytest.mark.parametrize(("collect", "imported"), [("all", True), ("only", False)])
def test_files_of_other_tests_are_imported_or_not(
    suite: Suite, collect: Literal["all", "only"], imported: bool
) -> None:
    suite.write(test_a="open('imported', 'w')", test_b=ORDER)

    result = suite.hear(session=Session(seed=1, tests=("test_b.py::test_2",), collect=collect))

    assert names(result) == ["test_2"]
    assert (suite.work / "imported").exists() is imported


def test_tests_are_reversed(suite: Suite) -> None:
    suite.write(test_a=ORDER)

    assert names(suite.hear(session=Session(seed=1, shuffle="reverse"))) == [
        "test_3", "test_2", "test_1",
    ]  # fmt: skip


def test_a_shuffle_is_another_for_another_seed_and_the_same_for_the_same(suite: Suite) -> None:
    suite.write(test_a="\n".join(f"def test_{n}(): pass" for n in range(30)))

    orders = [names(suite.hear(session=Session(seed=n, shuffle="random"))) for n in (1, 1, 2)]

    assert orders[0] == orders[1] != orders[2]
    assert sorted(orders[0]) == sorted(orders[2])


def test_each_test_runs_twice_one_by_one_or_all_after_all(suite: Suite) -> None:
    suite.write(test_a=ORDER)

    each = suite.hear(session=Session(seed=1, twice="each"))
    whole = suite.hear(session=Session(seed=1, twice="suite"))

    assert names(each) == ["test_1", "test_1", "test_2", "test_2", "test_3", "test_3"]
    assert [case.repeat for case in each.cases] == [0, 1] * 3
    assert names(whole) == ["test_1", "test_2", "test_3"] * 2
    assert [case.repeat for case in whole.cases] == [0] * 3 + [1] * 3


def test_random_numbers_are_those_of_the_seed(suite: Suite) -> None:
    suite.write(test_a="import random\ndef test_a(): assert 0, random.random()")

    said = [suite.hear(session=Session(seed=n)).cases[0].message for n in (1, 1, 2)]

    assert said[0] == said[1] != said[2]


def test_fixed_random_numbers_are_a_tests_own_wherever_it_runs(suite: Suite) -> None:
    suite.write(
        test_a="""
import os, random, secrets, uuid
def show(): return (random.random(), os.urandom(4), secrets.token_hex(4), str(uuid.uuid4()),
                    random.Random().random(), random.SystemRandom().random())
def test_1(): assert 0, show()
def test_2(): assert 0, show()
"""
    )

    first = suite.hear(fixed_random=True)
    turned = suite.hear(session=Session(seed=1, shuffle="reverse"), fixed_random=True)
    other = suite.hear(session=Session(seed=2), fixed_random=True)

    said = {case.test: case.message for case in first.cases}
    assert said == {case.test: case.message for case in turned.cases}
    assert len({*said.values(), *(case.message for case in other.cases)}) == 4


def test_a_process_that_ends_in_the_middle_names_the_test(suite: Suite) -> None:
    suite.write(test_a="import os\ndef test_1(): pass\ndef test_2(): os._exit(0)")

    result = suite.hear()

    assert result.problem == "ended early: exit code 0 during test_a.py::test_2"
    assert not result.complete
    assert names(result) == ["test_1"]


def test_a_process_that_is_killed_names_the_signal(suite: Suite) -> None:
    suite.write(test_a="import os\ndef test_1(): os.kill(os.getpid(), 9)")

    result = suite.hear()

    assert (result.signal, result.problem) == (9, "killed by signal 9 during test_a.py::test_1")


def test_a_session_that_takes_too_long_is_a_problem(suite: Suite) -> None:
    suite.write(test_a="import time\ndef test_1(): pass\ndef test_2(): time.sleep(60)")

    result = suite.hear(seconds=3)

    assert result.problem == "timed out after 3 s"
    assert names(result) == ["test_1"]


def test_who_interrupts_a_session_is_named(suite: Suite) -> None:
    suite.write(test_a="def test_1(): raise KeyboardInterrupt")

    assert suite.hear().problem.startswith("interrupted: KeyboardInterrupt")


def test_a_plugin_that_breaks_pytest_is_a_problem(suite: Suite) -> None:
    suite.write(conftest="def pytest_runtest_setup(item): pass\ndef pytest_collection(): 1 / 0",
                test_a=ORDER)  # fmt: skip

    assert suite.hear().problem.startswith("internal error: ")


@pytest.mark.parametrize("hook", ["pytest_terminal_summary", "pytest_runtest_logfinish"])
def test_what_was_told_before_pytest_breaks_is_there(suite: Suite, hook: str) -> None:
    suite.write(conftest=f"""
import pytest
@pytest.hookimpl(trylast=True)
def {hook}(): 1 / 0
""", test_a=ORDER)  # fmt: skip

    result = suite.hear()

    assert names(result)[0] == "test_1"
    assert {case.outcome for case in result.cases} == {"passed"}
    assert broke_off(result) or result.complete


def test_several_sessions_of_one_command_are_heard(suite: Suite) -> None:
    suite.write(test_a=ORDER, test_b="def test_4(): pass")
    python = sys.executable

    result = suite.hear(
        "sh", "-c", f"{python} -m pytest -q test_a.py && {python} -m pytest -q test_b.py"
    )

    assert names(result) == ["test_1", "test_2", "test_3", "test_4"]
    assert result.problem == ""


def test_a_pytest_that_runs_no_tests_leaves_the_job_to_the_next(suite: Suite) -> None:
    suite.write(test_a=ORDER)
    python = sys.executable

    for before in ("-c 'import pytest'", "-m pytest --version", "-m pytest --help"):
        result = suite.hear("sh", "-c", f"{python} {before} && {python} -m pytest -q")

        assert (names(result), result.problem) == (["test_1", "test_2", "test_3"], "")


def test_a_conftest_that_is_broken_is_pytests_exit_code(suite: Suite) -> None:
    suite.write(conftest="1 / 0", test_a=ORDER)

    result = suite.hear()

    assert (result.source, result.exit_code, result.problem) == ("exit code", 4, "")
    assert "ZeroDivisionError" in result.output


def test_tests_that_remove_every_temporary_file_are_heard(suite: Suite) -> None:
    suite.write(
        test_a="""
import os, shutil
def test_a(): shutil.rmtree(os.environ["TMPDIR"])
"""
    )

    result = suite.hear()

    assert (names(result), result.problem, result.exit_code) == (["test_a"], "", 0)


def test_sessions_within_tests_are_not_heard(suite: Suite) -> None:
    suite.write(
        inner__test_inner="def test_inner(): assert 0",
        test_a="""
import subprocess, sys, pytest
def test_in_process(): assert pytest.main(["-q", "inner/test_inner.py"]) == 1
def test_beside(): assert subprocess.run([sys.executable, "-m", "pytest", "inner"]).returncode == 1
""",
    )

    result = suite.hear(sys.executable, "-m", "pytest", "-q", "test_a.py")

    assert (names(result), result.problem) == (["test_in_process", "test_beside"], "")
    assert {case.outcome for case in result.cases} == {"passed"}


def test_a_fork_says_nothing(suite: Suite) -> None:
    suite.write(test_a="""
import os
def test_1():
    if not os.fork():
        assert 0
    os.wait()
def test_2(): pass
""")  # fmt: skip

    result = suite.hear()

    assert [case.outcome for case in result.cases if case.test.endswith("2")] == ["passed"]
    assert result.problem == ""


def test_what_would_hide_or_reorder_is_set_aside(suite: Suite) -> None:
    suite.write(test_a="def test_0(): assert 0\n" + ORDER)
    (suite.work / "pytest.ini").write_text("[pytest]\naddopts = -x -n 2 -p xdist -p randomly\n")

    result = suite.hear(environment={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"})

    assert names(result) == ["test_0", "test_1", "test_2", "test_3"]
    assert result.problem == ""


def test_a_test_that_patches_the_functions_of_the_system_is_reported(suite: Suite) -> None:
    suite.write(test_a="""
import fcntl, hashlib, hmac, json, os, pytest
@pytest.fixture(autouse=True)
def patched(monkeypatch):
    for module, name in ((os, "write"), (fcntl, "fcntl"), (json, "dumps"), (hmac, "new"),
                         (json, "JSONEncoder"), (hashlib, "sha256")):
        monkeypatch.setattr(module, name, lambda *_: 1 / 0)
    yield
def test_1(): pass
def test_2(): assert 0
""")  # fmt: skip

    result = suite.hear()

    assert [case.outcome for case in result.cases] == ["passed", "failed"]
    assert result.problem == ""


def test_a_test_that_closes_our_file_is_reported(suite: Suite) -> None:
    suite.write(test_a="import os\ndef test_1(): os.closerange(100, 1024)\ndef test_2(): pass")

    result = suite.hear()

    assert (names(result), result.problem) == (["test_1", "test_2"], "")


def test_a_long_report_comes_whole(suite: Suite) -> None:
    suite.write(test_a="def test_1(): assert 0, 'ä' * 20000")

    (case,) = suite.hear().cases

    assert len(case.detail) == 8000
    assert len(case.message) == 500


def test_names_and_messages_that_are_no_unicode_are_spelt_out(suite: Suite) -> None:
    (suite.work / os.fsdecode(b"test_\xff.py")).write_text(
        "def test_b(): pass\ndef test_a(): raise ValueError('\\udcfe')\n"
    )
    order = ("test_\\udcff.py::test_a", "test_\\udcff.py::test_b")

    result = suite.hear(session=Session(seed=1, tests=order), fixed_random=True)

    assert (result.problem, result.complete) == ("", True)
    told = [(case.test, case.outcome, case.message) for case in result.cases]
    assert told == [(order[0], "failed", "ValueError: \\udcfe"), (order[1], "passed", "")]


def test_where_no_test_ran_the_output_tells_why(suite: Suite) -> None:
    result = suite.hear(sys.executable, "-m", "pytest", "-q", "nosuch")

    assert (result.cases, result.problem) == ((), "")
    assert "file or directory not found: nosuch" in result.output
