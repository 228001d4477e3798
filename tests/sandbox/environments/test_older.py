from __future__ import annotations

from pathlib import Path

from traceproof.sandbox.environments.older import requirements_files, setup, tox


def test_setup_py_is_read_without_being_run(tmp_path: Path) -> None:
    (tmp_path / "setup.py").write_text("""
import setuptools
open("ran", "w")
TESTS = ["pytest>=5", "mock"]
setuptools.setup(
    name="mine", version=open("VERSION").read(), python_requires=">=3.6",
    tests_require=TESTS, extras_require={"test": TESTS, "docs": ["sphinx"], computed(): []},
)
""")

    found = setup(tmp_path)

    assert found.there
    assert found.metadata == "setup.py"
    assert found.tests == ("pytest>=5", "mock")
    assert found.extras == ("test", "docs")
    assert found.requires == ">=3.6"
    assert not (tmp_path / "ran").exists()


def test_setup_cfg_alone_is_a_project(tmp_path: Path) -> None:
    (tmp_path / "setup.cfg").write_text("""
[metadata]
name = mine
[options]
python_requires = >=3.8
tests_require =
    pytest
[options.extras_require]
testing = coverage
""")

    found = setup(tmp_path)

    assert found.metadata == "setup.cfg"
    assert (found.extras, found.tests, found.requires) == (("testing",), ("pytest",), ">=3.8")


def test_settings_of_tools_in_setup_cfg_make_no_project(tmp_path: Path) -> None:
    (tmp_path / "setup.cfg").write_text("[flake8]\nmax-line-length = 100\n")

    assert not setup(tmp_path).there


def test_a_setup_py_of_another_time_or_world_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "setup.py").write_text("print 'two'\n")

    assert setup(tmp_path).there
    assert setup(tmp_path).extras == ()


def test_requirements_for_tests_come_before_those_for_developing(tmp_path: Path) -> None:
    (tmp_path / "requirements").mkdir()
    for name in ("requirements.txt", "dev-requirements.txt", "requirements/docs.txt"):
        (tmp_path / name).write_text("")
    assert requirements_files(tmp_path) == ["requirements.txt", "dev-requirements.txt"]

    (tmp_path / "requirements/tests.txt").write_text("")
    assert requirements_files(tmp_path) == ["requirements.txt", "requirements/tests.txt"]


def test_of_tox_what_holds_everywhere_is_taken(tmp_path: Path) -> None:
    (tmp_path / "tox.ini").write_text("""
[tox]
envlist = py38, py39
[testenv]
deps =
    pytest>=5  # the runner
    mock
    py38: typing-extensions
    django{22,30}: Django
    -r requirements.txt
    {toxinidir}/helper
    .[test]
commands = pytest
""")

    assert tox(tmp_path) == ["pytest>=5", "mock"]
