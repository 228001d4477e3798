"""Tests that lie about themselves: each ends as a problem, or with what really happened.

What runs in the process of the judge can in the end do anything to it; docs/decisions/0035 says
what is held and what is not.
"""

from __future__ import annotations

import sys

import pytest

from support.heard import Suite
from traceproof.replay.runs import SessionResult

FAILS = "\ndef test_z(): assert 0\n"

FIND = """
import gc, os, sys
def find(name):
    for one in gc.get_objects():
        if type(one).__name__ == name and "_traceproof" in type(one).__module__:
            return one
def channel():
    for fd in os.listdir("/proc/self/fd"):
        path = os.readlink(f"/proc/self/fd/{fd}") if os.path.lexists(f"/proc/self/fd/{fd}") else ""
        if path.endswith("/channel"):
            return path
"""


def outcome(result: SessionResult) -> str | None:
    return {case.test.rpartition("::")[2]: case.outcome for case in result.cases}.get("test_z")


def test_stdout_and_report_files_count_for_nothing(suite: Suite) -> None:
    suite.write(
        test_a="""
import sys
def test_a():
    sys.__stdout__.write("test_a.py::test_z PASSED\\n2 passed in 0.1s\\n")
    with open("report.xml", "w") as file:
        file.write('<testsuite><testcase name="test_z"/></testsuite>')
"""
        + FAILS
    )

    result = suite.hear(sys.executable, "-m", "pytest", "-s")

    assert (outcome(result), result.problem) == ("failed", "")


def test_words_on_the_channel_are_a_problem(suite: Suite) -> None:
    suite.write(
        test_a=FIND
        + """
def test_a():
    with open(channel(), "wb", buffering=0) as file:
        file.write(b'{"event":"case","test":"test_a.py::test_z","outcome":"passed"}\\n')
"""
        + FAILS
    )

    assert suite.hear().problem == "forged: a line on the channel that is not of the plugin"


def test_a_line_with_a_guessed_seal_is_a_problem(suite: Suite) -> None:
    suite.write(
        test_a=FIND
        + """
def test_a():
    with open(channel(), "wb", buffering=0) as file:
        file.write(b"tp1 3 . " + b"0" * 32 + b' {"event":"end","cases":1,"failed":0}\\n')
    os._exit(0)
"""
        + FAILS
    )

    assert suite.hear().problem == "forged: a line on the channel without the plugin's seal"


def test_lines_that_came_before_come_twice_in_vain(suite: Suite) -> None:
    suite.write(
        test_a=FIND
        + """
def test_a():
    wire = find("Wire")
    wire._sequence -= 1
    wire.send("start", test="test_a.py::test_z", repeat=0)
"""
        + FAILS
    )

    problem = "contradiction: line 4 is missing or came twice"
    assert suite.hear().problem == problem


def test_a_lie_told_through_the_plugin_contradicts_the_truth(suite: Suite) -> None:
    suite.write(
        test_a=FIND
        + """
def test_a():
    find("Wire").send("case", test="test_a.py::test_z", outcome="passed")
"""
        + FAILS
    )

    assert suite.hear().problem == "contradiction: test_a.py::test_z ended, and had not begun"


def test_an_end_that_is_told_too_soon_contradicts_what_comes(suite: Suite) -> None:
    suite.write(
        test_a=FIND + "\ndef test_a(): find('Wire').send('end', cases=0, failed=0)\n" + FAILS
    )

    assert suite.hear().problem == "contradiction: the end came during test_a.py::test_a"


def test_a_process_that_leaves_with_success_is_a_problem(suite: Suite) -> None:
    suite.write(test_a="import os\ndef test_a(): os._exit(0)" + FAILS)

    assert suite.hear().problem == "ended early: exit code 0 during test_a.py::test_a"


def test_a_plugin_that_is_told_to_see_no_failure_is_contradicted_by_pytest(suite: Suite) -> None:
    suite.write(
        test_a=FIND
        + """
def test_a():
    observer = find("Observer")
    execution = sys.modules["gc"] and type(next(iter(observer._running.values())))
    original = execution.add
    def add(self, report):
        report = type("Fake", (), dict(vars(report), outcome="passed", longrepr=None))
        original(self, report)
    execution.add = add
"""
        + FAILS
    )

    result = suite.hear()

    assert result.problem == "contradiction: the runner counted 1 failures, reported were 0"


@pytest.mark.parametrize("how", ["unregister", "overwrite"])
def test_a_plugin_that_is_taken_away_is_missed(suite: Suite, how: str) -> None:
    what = {
        "unregister": "request.config.pluginmanager.unregister(name='traceproof')",
        "overwrite": "type(find('Observer'))._case = lambda *_: None",
    }
    suite.write(test_a=FIND + f"\ndef test_a(request): {what[how]}\n" + FAILS)

    result = suite.hear()

    assert result.problem != "" or outcome(result) == "failed"


def test_there_is_no_job_to_read_while_tests_run(suite: Suite) -> None:
    suite.write(
        test_a="""
import glob, os, pathlib
def test_a():
    folder = os.environ.get("TMPDIR", "/tmp")
    found = [path for path in pathlib.Path(folder).rglob("job")]
    told = b"".join(pathlib.Path(path).read_bytes() for path in ("/proc/self/environ",
                                                                  "/proc/self/cmdline"))
    assert not found and b'"key"' not in told, (found, told)
"""
    )

    result = suite.hear()

    assert (result.problem, [case.outcome for case in result.cases]) == ("", ["passed"])


def test_a_file_in_the_place_of_pytest_is_not_heard(suite: Suite) -> None:
    suite.write(pytest="print('1 passed')")

    result = suite.hear()

    assert result.source == "exit code"
    assert [case.test.rpartition("/")[2] for case in result.cases] == [
        f"{sys.executable.rpartition('/')[2]} -m pytest -q -p no:cacheprovider"
    ]


REWRITES = """
import pytest
@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    report.outcome, report.longrepr = "passed", None
"""


@pytest.mark.parametrize(
    "conftest",
    [
        REWRITES,
        "def pytest_runtest_logreport(report): report.outcome, report.longrepr = 'passed', None",
    ],
)
def test_a_report_that_is_made_one_of_a_pass_is_none(suite: Suite, conftest: str) -> None:
    suite.write(
        conftest=conftest,
        test_a="import unittest\nclass A(unittest.TestCase):\n    def test_a(self): self.fail()\n"
        + FAILS,
    )

    result = suite.hear()

    assert [case.outcome for case in result.cases] == ["failed", "failed"] or result.problem
    if not result.problem:
        assert result.cases[1].message in (
            "AssertionError: assert 0, and its report was made one of a pass",
            "assert 0",  # it was heard before that
        )


PATCHES = {
    "pytest_pyfunc_call": "import _pytest.python as m\nm.pytest_pyfunc_call = lambda **k: True",
    "TestCase": "import unittest as m\nm.TestCase.assertEqual = lambda *a, **k: None",
    "code": "import _pytest.runner as m\n"
    "m.call_and_report.__code__ = (lambda item, when, log=True, **k: None).__code__",
    "from_call": """
import _pytest.runner as m
kept = m.CallInfo.from_call.__func__
m.CallInfo.from_call = classmethod(lambda cls, func, *a, **k: kept(cls, lambda: None, *a, **k))
""",
    "pluggy": "import sys, pluggy._manager as m\nm.PluginManager._hookexec = lambda *a: []",
    "exec": """
import _pytest.reports as m
kept = m.TestReport.from_item_and_call.__func__
exec("def made(cls, item, call):\\n call.excinfo = None\\n return kept(cls, item, call)")
m.TestReport.from_item_and_call = classmethod(made)
""",
    "mock": "import unittest.mock, _pytest.skipping as m\n"
    "m.pytest_runtest_setup = unittest.mock.Mock()",
}


@pytest.mark.parametrize("what", PATCHES)
def test_code_that_replaces_a_part_of_the_runner_is_a_problem(suite: Suite, what: str) -> None:
    suite.write(a=PATCHES[what], test_a="def test_1(): import a" + FAILS)

    assert suite.hear().problem.startswith("tampered: ")


def test_a_part_of_the_runner_that_is_put_back_is_none(suite: Suite) -> None:
    suite.write(
        test_a="""
import unittest
def test_a(monkeypatch):
    monkeypatch.setattr(unittest.TestCase, "fail", lambda *_: None)
"""
        + FAILS
    )

    assert (outcome(suite.hear()), suite.hear().problem) == ("failed", "")


@pytest.mark.parametrize("how", ["os._exit(0)", "sys.exit(0)"])
def test_a_conftest_that_leaves_with_success_is_a_problem(suite: Suite, how: str) -> None:
    suite.write(conftest=f"import os, sys\n{how}", test_a=FAILS)

    result = suite.hear()

    assert (result.problem, result.cases) == ("ended early: exit code 0", ())


def test_a_conftest_that_cannot_be_imported_is_the_exit_code(suite: Suite) -> None:
    suite.write(conftest="import no_such_module", test_a=FAILS)

    result = suite.hear()

    assert (result.source, result.exit_code, result.problem) == ("exit code", 4, "")
    assert [case.outcome for case in result.cases] == ["failed"]


UNITTEST = (sys.executable, "-m", "unittest", "-q")
FAILS_THERE = """
import unittest
class Z(unittest.TestCase):
    def test_z(self): self.assertEqual(1, 2)
"""


@pytest.mark.parametrize(
    "how",
    [
        "unittest.TestCase.assertEqual = lambda *a: None",
        "unittest.TestCase.run = lambda self, result: result.addSuccess(self)",
        "unittest.TestResult.addFailure = lambda *a: None",
        "unittest.suite.TestSuite.run = lambda self, result, debug=False: result",
    ],
)
def test_code_that_replaces_a_part_of_unittest_verifies_nothing(suite: Suite, how: str) -> None:
    suite.write(a=f"import unittest\n{how}", test_a="import a" + FAILS_THERE)

    result = suite.hear(*UNITTEST)

    told = {case.outcome for case in result.cases}
    assert result.problem.startswith(("tampered: ", "contradiction: ")) or told == {"failed"}


def test_something_in_the_place_of_unittest_is_not_heard(suite: Suite) -> None:
    suite.write(unittest="print('OK')", test_a=FAILS_THERE)

    assert suite.hear(*UNITTEST).source == "exit code"
