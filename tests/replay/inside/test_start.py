"""What every Python process of the tests does at its start."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from support.heard import Suite
from traceproof.replay import inside, kit
from traceproof.replay.runs import Conditions

HERE = inside.__path__[0]


def python(code: str, **conditions: Any) -> str:
    environment = {"PYTHONPATH": HERE, **kit.environment(Conditions(**conditions))}
    command = [sys.executable, "-c", code]
    return subprocess.check_output(command, env=environment, text=True).strip()


def test_threads_are_switched_as_often_as_asked() -> None:
    assert (
        python("import sys; print(sys.getswitchinterval() < 2e-5)", switch_interval=1e-5) == "True"
    )


def test_a_process_without_a_job_is_left_alone() -> None:
    code = "import sys, unittest; print(len(sys.meta_path), '_pytest' in sys.modules)"

    bare = subprocess.check_output([sys.executable, "-c", code], text=True, env={})

    assert python(code) == bare.strip()


def test_who_imports_unittest_and_runs_none_does_not_take_the_job(suite: Suite) -> None:
    suite.write(helper="import unittest", test_a="def test_a(): pass")
    python = sys.executable

    result = suite.hear("sh", "-c", f"{python} helper.py && {python} -m pytest -q")

    assert [case.test for case in result.cases] == ["test_a.py::test_a"]


def test_the_path_that_was_there_stays(suite: Suite) -> None:
    (suite.work / "lib").mkdir()
    suite.write(
        lib__found="",
        test_a="import os\nimport found\ndef test_a(): assert 0, os.environ['PYTHONPATH']",
    )
    lib = str(suite.work / "lib")

    result = suite.hear(environment={"PYTHONPATH": lib})

    assert result.cases[0].message.startswith(f"AssertionError: {lib}")
    assert "inside" not in result.cases[0].message
