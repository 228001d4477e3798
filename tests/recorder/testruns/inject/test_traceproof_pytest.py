"""The plugin in real runs of pytest: what it tells, and that nobody else notices."""

from __future__ import annotations

import re
import sys

import pytest

from support.testruns import Ear, Steady
from traceproof.recorder.testruns.cases import Status, Verdict
from traceproof.recorder.testruns.plan import FOLDER

KINDS = {
    "test_adds": "passed",
    "test_is_wrong": "failed",
    "test_skipped": "skipped",
    "test_known": "xfailed",
    "test_mended": "xpassed",
    "test_param[a b]": "passed",
    "test_param[1 - 2]": "failed",
    "test_setup_fails": "error",
    "test_teardown_fails": "error",
    "test_method": "passed",
    "test_old": "passed",
}
QUIET = ["-q", "--tb=short"]


def test_each_kind_of_end_is_told(ear: Ear, command: list[str], toy: str) -> None:
    ear.write(test_calc=toy)

    heard = ear.hear([*command, "-k", "not nothing"])

    run = heard.run
    assert {name: heard.outcomes()[name] for name in KINDS} == KINDS
    assert (heard.code, run.verdict, run.framework) == (1, Verdict.FAILURE, "pytest")
    assert run.version == pytest.__version__
    assert run.facts["collected"] == 14
    assert run.facts["keyword"] == "not nothing"
    assert run.facts["exit_code"] == 1
    assert run.started < run.ended
    cases = {case.name: case for case in run.cases}
    wrong = cases["test_calc.py::test_is_wrong"]
    assert wrong.message.startswith("AssertionError: arithmetic - as usual")
    assert (wrong.file, wrong.line) == ("test_calc.py", 11)
    assert wrong.seconds is not None
    assert wrong.seconds > 0
    assert cases["test_calc.py::test_skipped"].message == "not today"
    assert cases["test_calc.py::test_known"].message == "known bug"
    assert cases["test_calc.py::test_setup_fails"].phase == "setup"
    assert cases["test_calc.py::test_teardown_fails"].phase == "teardown"


@pytest.mark.parametrize("more", [["-q"], ["-v"], ["-rA"], ["-n", "2"], ["-s"]])
def test_the_output_is_the_same_byte_for_byte(
    ear: Ear, command: list[str], toy: str, steady: Steady, more: list[str]
) -> None:
    ear.write(test_calc=toy)
    argv = [*command, *more]

    alone, heard = ear.alone(argv), ear.hear(argv)

    assert (heard.code, heard.stderr) == (alone.code, alone.stderr)
    if "-n" in more:  # in what order workers end is theirs
        assert sorted(steady(heard.stdout)) == sorted(steady(alone.stdout))
    else:
        assert steady(heard.stdout) == steady(alone.stdout)
    assert len(heard.run.cases) == 14


@pytest.mark.parametrize(
    "argument", ["--version", "--help", "--fixtures", "--collect-only", "--nonsense"]
)
def test_what_runs_no_tests_says_the_same_too(
    ear: Ear, command: list[str], toy: str, steady: Steady, argument: str
) -> None:
    ear.write(test_calc=toy)
    argv = [*command, argument]

    alone, heard = ear.alone(argv), ear.hear(argv)

    assert heard.code == alone.code
    assert steady(heard.stdout) == steady(alone.stdout)
    assert steady(heard.stderr) == steady(alone.stderr)
    assert all(run.verdict is Verdict.SKIPPED for run in heard.runs)


LOOKS = """
import os, sys, subprocess, json
def look():
    return {"env": {k: v for k, v in os.environ.items() if k != "PYTEST_CURRENT_TEST"},
            "path": sys.path, "meta": [type(one).__name__ for one in sys.meta_path],
            "site": "sitecustomize" in sys.modules,
            "files": sorted(os.listdir("/proc/self/fd"), key=int)[:12]}
def test_looks():
    child = "import os, sys, json; print(json.dumps([dict(os.environ), sys.path]))"
    said = subprocess.run([sys.executable, "-c", child], stdout=subprocess.PIPE).stdout
    seen = look()
    seen["child"] = json.loads(said)
    seen["child"][0].pop("PYTEST_CURRENT_TEST", None)
    with open("seen.json", "a") as file:
        file.write(json.dumps(seen, sort_keys=True) + "\\n")
"""


@pytest.mark.parametrize(
    "before", [{}, {"PYTHONPATH": "lib"}, {"PYTHONPATH": "a:b", "PYTEST_ADDOPTS": "-v"}]
)
@pytest.mark.parametrize("more", [[], ["-n", "1"]])
def test_a_test_sees_nothing_of_it(
    ear: Ear, command: list[str], before: dict[str, str], more: list[str]
) -> None:
    ear.write(test_looks=LOOKS)
    argv = [*command, *more]

    ear.alone(argv, before)
    heard = ear.hear(argv, before)

    alone, with_us = (ear.folder / "seen.json").read_text().splitlines()
    same = {"PYTEST_XDIST_TESTRUNUID"}  # of each run its own
    for name in same:
        assert (name in alone) == (name in with_us)
    assert _without_run_ids(with_us) == _without_run_ids(alone)
    assert heard.outcomes() == {"test_looks": "passed"}


def _without_run_ids(seen: str) -> str:
    return re.sub(r"[0-9a-f]{32}", "…", seen)


def test_a_run_within_a_test_is_not_reported(ear: Ear, command: list[str]) -> None:
    ear.write(
        test_outer="""
import subprocess, sys, pytest
def test_child(tmp_path):
    (tmp_path / "test_inner.py").write_text("def test_inner(): assert 0")
    argv = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(tmp_path)]
    assert subprocess.run(argv, stdout=subprocess.PIPE).returncode == 1
def test_same_process(tmp_path):
    (tmp_path / "test_inner2.py").write_text("def test_inner(): assert 0")
    assert pytest.main(["-p", "no:cacheprovider", str(tmp_path)]) == 1
def test_fork():
    import os
    if not (pid := os.fork()):
        os._exit(0)
    os.waitpid(pid, 0)
"""
    )

    heard = ear.hear(command)

    assert heard.outcomes() == {
        "test_child": "passed",
        "test_same_process": "passed",
        "test_fork": "passed",
    }, heard.text


def test_two_runs_of_one_process_are_two(ear: Ear) -> None:
    ear.write(
        test_a="def test_a(): pass",
        test_b="def test_b(): assert 0",
        both="import pytest, sys\n[pytest.main(['-q', f'test_{name}.py']) for name in 'ab']",
    )

    heard = ear.hear([sys.executable, "both.py"])

    assert [run.verdict for run in heard.runs] == [Verdict.SUCCESS, Verdict.FAILURE]


def test_a_crash_leaves_what_was_told_before_it(ear: Ear, command: list[str]) -> None:
    tests = "def test_first(): pass\ndef test_dies(): os._exit(7)\ndef test_c(): pass"
    ear.write(test_crash=f"import os\n{tests}")

    heard = ear.hear(command)

    assert heard.code == 7
    assert heard.run.verdict is Verdict.ABORTED
    assert heard.outcomes() == {"test_first": "passed", "test_dies": "unknown"}


def test_a_worker_that_crashes_is_an_error(ear: Ear, command: list[str]) -> None:
    ear.write(test_crash="import os\ndef test_dies(): os._exit(7)\ndef test_b(): pass")

    heard = ear.hear([*command, "-n", "1"])

    assert heard.outcomes() == {"test_dies": "error", "test_b": "passed"}
    assert heard.run.verdict is Verdict.FAILURE
    assert heard.run.facts["workers"] == 1


def test_an_interruption_aborts(ear: Ear, command: list[str]) -> None:
    ear.write(test_stop="def test_a(): pass\ndef test_stop(): raise KeyboardInterrupt('enough')")

    heard = ear.hear(command)

    assert heard.code == 2
    assert heard.run.verdict is Verdict.ABORTED
    assert heard.run.facts["interrupted"] == "KeyboardInterrupt: enough"
    assert heard.outcomes()["test_a"] == "passed"


def test_sys_exit_in_a_test_fails_it(ear: Ear, command: list[str]) -> None:
    ear.write(test_exit="import sys\ndef test_exit(): sys.exit(3)")

    heard = ear.hear(command)

    assert heard.outcomes() == {"test_exit": "failed"}
    assert heard.run.cases[0].message == "SystemExit: 3"


def test_a_file_that_cannot_be_loaded_is_an_error(ear: Ear, command: list[str]) -> None:
    ear.write(test_broken="import nothing_of_the_kind", test_a="def test_a(): pass")

    heard = ear.hear(command)

    (case,) = heard.run.cases
    assert (case.name, case.status, case.phase) == ("test_broken.py", Status.ERROR, "collect")
    assert (heard.code, heard.run.verdict) == (2, Verdict.FAILURE)


@pytest.mark.parametrize("conftest", ["1 / 0", "raise SystemExit(9)", "import os; os._exit(8)"])
def test_a_conftest_that_fails_fails_as_ever(
    ear: Ear, command: list[str], steady: Steady, conftest: str
) -> None:
    ear.write(conftest=conftest, test_a="def test_a(): pass")

    alone, heard = ear.alone(command), ear.hear(command)

    assert (heard.code, steady(heard.stderr)) == (alone.code, steady(alone.stderr))
    assert steady(heard.stdout) == steady(alone.stdout)


def test_tests_that_break_the_world_are_told_of_all_the_same(ear: Ear, command: list[str]) -> None:
    ear.write(
        test_world="""
import builtins, json, os, signal, socket, time
def test_clock(monkeypatch):
    time.time = time.time_ns = lambda: 0
    json.dumps = None
def test_socket():
    socket.socket = None
    socket.setdefaulttimeout(0.001)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
def test_folder(tmp_path):
    os.chdir(tmp_path); tmp_path.rmdir()
def test_last():
    pass
"""
    )

    heard = ear.hear(command)

    assert set(heard.outcomes().values()) == {"passed"}, heard.text
    assert heard.run.verdict is Verdict.SUCCESS
    assert all(case.ended > 1e18 for case in heard.run.cases)


def test_a_test_that_closes_everything_ends_the_telling_only(ear: Ear, command: list[str]) -> None:
    ear.write(
        test_close="""
import os
def test_a(): pass
def test_closes():
    os.closerange(100, 2000)
    for number in range(100, 400):
        os.dup2(2, number)
def test_b(): pass
"""
    )

    alone, heard = ear.alone(command), ear.hear(command)

    assert (heard.code, heard.stderr) == (alone.code, b"") == (0, b"")
    assert heard.run.verdict is Verdict.ABORTED  # it says no more: nothing is claimed
    assert heard.outcomes()["test_a"] == "passed"


def test_without_a_recorder_it_is_silent(
    ear: Ear, command: list[str], toy: str, steady: Steady
) -> None:
    ear.write(test_calc=toy)
    alone = ear.alone(command)
    gone = {"PYTHONPATH": FOLDER, "TRACEPROOF_TESTS": f"u:t:1:{ear.folder}/nobody"}

    orphan = ear.alone(command, gone)

    assert (orphan.code, orphan.stderr) == (alone.code, alone.stderr)
    assert steady(orphan.stdout) == steady(alone.stdout)


def test_a_seed_is_told(ear: Ear) -> None:
    ear.write(test_a="def test_a(): pass\ndef test_b(): pass")
    argv = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--randomly-seed=77"]

    heard = ear.hear(argv, {"PYTHONHASHSEED": "5"})

    assert (heard.run.facts["seed"], heard.run.facts["hash_seed"]) == (77, "5")


def test_subtests_and_reruns_are_cases(ear: Ear, command: list[str]) -> None:
    ear.write(
        test_sub="""
import unittest
class Test(unittest.TestCase):
    def test_each(self):
        for number in range(3):
            with self.subTest("of three", number=number):
                self.assertNotEqual(number, 1)
"""
    )

    heard = ear.hear(command)

    assert "failed" in {status for name, status in heard.outcomes().items() if "number=1" in name}
    assert heard.run.verdict is Verdict.FAILURE


def test_warnings_as_errors_and_no_plugins_change_nothing(ear: Ear, command: list[str]) -> None:
    ear.write(test_a="def test_a(): pass")

    heard = ear.hear([*command[:1], "-Werror", *command[1:], "-Werror"],
                     {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"})  # fmt: skip

    assert (heard.code, heard.stderr) == (0, b""), heard.text
    assert heard.outcomes() == {"test_a": "passed"}


def test_very_long_names_and_messages_are_cut(ear: Ear, command: list[str]) -> None:
    ear.write(test_long=f"def test_{'x' * 5000}(): assert not 1, 'ü' * 99999")

    heard = ear.hear(command)

    (case,) = heard.run.cases
    assert len(case.name) == 2000
    assert len(case.message) == 2000
