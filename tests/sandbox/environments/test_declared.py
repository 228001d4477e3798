from __future__ import annotations

from pathlib import Path

import pytest

from traceproof.sandbox.environments.config import Config, PythonConfig
from traceproof.sandbox.environments.declared import python, wanted


def test_extras_and_groups_named_for_tests_are_wanted(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("""
        [project]
        name = "mine"
        requires-python = ">=3.9"
        [project.optional-dependencies]
        test = ["pytest"]
        docs = ["sphinx"]
        [dependency-groups]
        dev = ["ruff", {include-group = "tests"}]
        tests = ["mock"]
    """)

    found = python(tmp_path, Config())

    assert found is not None
    assert found.project
    assert found.metadata == "pyproject.toml"
    assert (found.extras, found.groups) == (("test",), ("tests",))
    assert found.requires == ">=3.9"


def test_without_one_for_tests_the_one_for_developing_is_wanted() -> None:
    assert wanted(["dev", "docs"]) == ["dev"]
    assert wanted(["dev", "Tests"]) == ["Tests"]
    assert wanted(["docs"]) == []


def test_tools_tables_are_read(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("""
        [project]
        name = "mine"
        [tool.pdm.dev-dependencies]
        test = ["pytest>=7"]
        lint = ["ruff"]
        [tool.uv]
        dev-dependencies = ["mock"]
        [tool.hatch.envs.test]
        dependencies = ["coverage"]
    """)

    found = python(tmp_path, Config())

    assert found is not None
    assert found.requirements == ("pytest>=7", "coverage", "mock")


def test_a_pyproject_of_tools_alone_makes_no_project(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.ruff]\nline-length = 100\n")
    (tmp_path / "mine.py").write_text("")

    found = python(tmp_path, Config())

    assert found is not None
    assert not found.project
    assert found.metadata == ""


def test_setup_py_beside_a_pyproject_without_project_holds_the_metadata(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[build-system]\nrequires = ["setuptools"]\n')
    (tmp_path / "setup.py").write_text("from setuptools import setup\nsetup(name='mine')\n")

    found = python(tmp_path, Config())

    assert found is not None
    assert (found.project, found.metadata) == (True, "setup.py")


def test_what_the_configuration_says_comes_first(tmp_path: Path) -> None:
    (tmp_path / "setup.py").write_text("from setuptools import setup\nsetup(tests_require=['x'])\n")
    (tmp_path / "requirements.txt").write_text("six\n")
    said = PythonConfig(extras=("all",), files=(), requirements=("mock",), install=False)

    found = python(tmp_path, Config(python=said))

    assert found is not None
    assert (found.project, found.extras, found.files) == (False, ("all",), ())
    assert found.requirements == ("mock", "x")


def test_a_tree_without_python_needs_none(tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text("module mine\n")

    assert python(tmp_path, Config()) is None


def test_a_broken_pyproject_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("<<<<<<< HEAD\n")

    with pytest.raises(ValueError, match=r"^pyproject\.toml is no TOML: .*$"):
        python(tmp_path, Config())
