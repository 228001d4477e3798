from __future__ import annotations

from pathlib import Path

import pytest

from traceproof.sandbox.environments import Base, Node, Python, recipe_for


def test_scripts_and_their_tests_need_python_and_no_more(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("")

    recipe = recipe_for(tmp_path, "/home/me/mine", test_command="python3 -m unittest -q")

    assert recipe.python == Python()
    assert recipe.base == Base()
    assert recipe.test == "python3 -m unittest -q"


@pytest.mark.parametrize("command", ["pytest -q", "python -m pytest", "cd x && py.test", "pytest"])
def test_pytest_is_added_where_the_command_names_it(tmp_path: Path, command: str) -> None:
    (tmp_path / "mine.py").write_text("")

    recipe = recipe_for(tmp_path, "/w/mine", test_command=command)

    assert recipe.python is not None
    assert recipe.python.runner == "pytest"


@pytest.mark.parametrize("command", ["make test", "python tests/my_pytest.py", "./pytest-like"])
def test_pytest_is_not_added_for_other_commands(tmp_path: Path, command: str) -> None:
    (tmp_path / "mine.py").write_text("")

    recipe = recipe_for(tmp_path, "/w/mine", test_command=command)

    assert recipe.python is not None
    assert recipe.python.runner == ""


def test_the_trees_configuration_is_read(tmp_path: Path) -> None:
    (tmp_path / "traceproof.toml").write_text(
        'setup = ["make"]\ntest = "make test"\ndate = 2024-01-01\n[env]\nA = "b"\n'
    )
    (tmp_path / "setup.py").write_text("")

    recipe = recipe_for(tmp_path, "/w/mine", date="2020-01-01")

    assert recipe.setup == ("make",)
    assert recipe.python is None
    assert (recipe.test, recipe.date, recipe.environment) == ("make test", "2024-01-01", {"A": "b"})


def test_one_beside_the_trace_comes_before_the_trees(tmp_path: Path) -> None:
    tree, beside = tmp_path / "tree", tmp_path / "beside.toml"
    tree.mkdir()
    (tree / "traceproof.toml").write_text('image = "theirs"\n')
    beside.write_text('image = "ours"\n')

    assert recipe_for(tree, "/w/mine", config_file=beside).base.image == "ours"
    assert recipe_for(tree, "/w/mine", config_file=beside, image="mine").base.image == "mine"


def test_npm_projects_with_a_lock_are_known(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text("{}")
    (tmp_path / "package-lock.json").write_text("{}")

    recipe = recipe_for(tmp_path, "/w/mine")

    assert recipe.node == Node()
    assert recipe.python is None


@pytest.mark.parametrize(
    ("file", "language"), [("go.mod", "Go"), ("Cargo.toml", "Rust"), ("package.json", "Node")]
)
def test_for_other_languages_a_dockerfile_is_asked_for(
    tmp_path: Path, file: str, language: str
) -> None:
    (tmp_path / file).write_text("")

    with pytest.raises(ValueError, match=rf"{language}.*`--dockerfile`") as caught:
        recipe_for(tmp_path, "/w/mine")

    assert "\n" not in str(caught.value)
    assert recipe_for(tmp_path, "/w/mine", image="golang@sha256:00").python is None


def test_a_dockerfile_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no Dockerfile\.test in the tree"):
        recipe_for(tmp_path, "/w/mine", dockerfile="Dockerfile.test")


@pytest.mark.parametrize("workspace", ["/", "/usr", "/home", "relative", "/proc/1", "", "/tmp/.."])
def test_a_system_folder_is_no_workspace(tmp_path: Path, workspace: str) -> None:
    with pytest.raises(ValueError, match="cannot be a workspace"):
        recipe_for(tmp_path, workspace)
