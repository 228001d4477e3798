from __future__ import annotations

import pytest

from traceproof.recorder.shell.command import CommandStart
from traceproof.recorder.testruns.plan import FOLDER, Door, TestPlan, plan

DOOR = Door("/tmp/s/sock", "token", "7")


def planned(script: str, **environment: str) -> TestPlan | None:
    args = ("bash", "-c", script)
    return plan(CommandStart("SHELL", "/bin/bash", args, "/", 1, 1, environment=environment), DOOR)


def test_pytest_is_led_to_the_plugin() -> None:
    found = planned("cd a && pytest -q")

    assert found is not None
    assert found.environment == {
        "PYTHONPATH": FOLDER,
        "TRACEPROOF_TESTS": "u:token:7:/tmp/s/sock",
    }


def test_the_users_own_path_is_kept_behind() -> None:
    found = planned("pytest", PYTHONPATH="a:b")

    assert found is not None
    assert found.environment["PYTHONPATH"] == f"{FOLDER}:a:b"
    assert found.environment["TRACEPROOF_TESTS"].startswith("s:")


@pytest.mark.parametrize("script", ["go test ./...", "npm test", "tox", "python -m unittest"])
def test_what_runs_no_pytest_keeps_its_environment(script: str) -> None:
    found = planned(script)

    assert found is not None
    assert found.environment == {}


@pytest.mark.parametrize(
    "script",
    ["env; pytest", "pytest && env | sort", "printenv PYTHONPATH; pytest",
     "echo $PYTHONPATH; pytest", "PYTHONPATH=${PYTHONPATH}:src pytest", "declare -p\npytest"],
)  # fmt: skip
def test_a_script_that_looks_at_its_environment_finds_it_as_it_was(script: str) -> None:
    found = planned(script)

    assert found is not None
    assert found.environment == {}


@pytest.mark.parametrize("script", ["ls", "grep pytest .", "", "echo 'unclosed"])
def test_other_commands_have_no_plan(script: str) -> None:
    assert planned(script) is None


def test_a_script_file_may_be_one() -> None:
    start = CommandStart("SHELL", "/bin/bash", ("bash", "run_tests.sh"), "/", 1, 1)

    found = plan(start, DOOR)

    assert found is not None
    assert [runner.certain for runner in found.runners] == [False]


def test_without_a_door_nothing_is_set() -> None:
    found = plan(CommandStart("SHELL", "/bin/sh", ("sh", "-c", "pytest"), "/", 1, 1))

    assert found is not None
    assert found.environment == {}
