from __future__ import annotations

import os
from pathlib import Path

import pytest

from traceproof.sandbox.environments.detect import recipe_for
from traceproof.sandbox.environments.untrusted import content, strings, table, text, toml


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree, with a file of this machine's beside it."""
    (tmp_path / "secret").write_text("[options]\ntests_require = a-secret\n")
    tree = tmp_path / "tree"
    (tree / "sub").mkdir(parents=True)
    (tree / "a.txt").write_text("a\n")
    (tree / "sub" / "link").symlink_to("../a.txt")
    return tree


def test_files_of_the_tree_are_read_also_over_links_in_it(tree: Path) -> None:
    assert content(tree, "a.txt") == content(tree, "sub/link") == b"a\n"
    assert text(tree, "sub/../a.txt") == "a\n"


@pytest.mark.parametrize(
    "target", ["../secret", "/dev/zero", "/proc/self/environ", "..", "circle", "none"]
)
def test_a_link_leads_to_no_file_of_this_machine(tree: Path, target: str) -> None:
    (tree / "circle").symlink_to("link")
    (tree / "link").symlink_to(target)

    assert content(tree, "link") is None


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "sub", "none", "a\0b"])
def test_a_name_leads_to_none_either(tree: Path, name: str) -> None:
    assert text(tree, name) is None


def test_what_never_ends_is_not_waited_for(tree: Path) -> None:
    os.mkfifo(tree / "pipe")
    with (tree / "sparse").open("wb") as file:
        file.truncate(1 << 40)

    assert content(tree, "pipe") is None
    assert content(tree, "sparse") is None


def test_what_is_of_another_kind_is_empty() -> None:
    assert table({"a": {"b": 3}}, "a", "b") == table(3) == table({}, "a") == {}
    assert table({"a": {"b": {"c": 1}}}, "a", "b") == {"c": 1}
    assert strings(["x", 3, {}]) == ["x"]
    assert strings("x") == strings(None) == []


@pytest.mark.parametrize("data", [b"\xff", b"a =", b"a = " + b"[" * 9000])
def test_what_is_no_toml_is_one_line(data: bytes) -> None:
    with pytest.raises(ValueError, match="x is no TOML"):
        toml(data, "x")


@pytest.mark.parametrize("name", ["setup.cfg", "setup.py", "tox.ini", "traceproof.toml"])
@pytest.mark.parametrize("target", ["../secret", "/dev/zero"])
def test_a_tree_does_not_have_this_machines_files_read(tree: Path, name: str, target: str) -> None:
    (tree / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    (tree / name).symlink_to(target)

    recipe = recipe_for(tree, "/workspace", test_command="pytest -q")

    assert recipe.python
    assert recipe.python.requirements == ()


@pytest.mark.parametrize("name", ["../secret", "Dockerfile"])
def test_a_dockerfile_is_in_the_tree(tree: Path, name: str) -> None:
    (tree / "Dockerfile").symlink_to("../secret")

    with pytest.raises(FileNotFoundError, match="in the tree"):
        recipe_for(tree, "/workspace", dockerfile=name)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("pyproject.toml", "tool = 3"),
        ("pyproject.toml", "project = 3"),
        ("pyproject.toml", "project.optional-dependencies = 3\ndependency-groups = 3"),
        ("pyproject.toml", "tool.poetry = 3"),
        ("pyproject.toml", "tool.poetry.group = 3"),
        ("pyproject.toml", "tool.poetry.group.dev = 3"),
        ("pyproject.toml", "tool.poetry.dependencies = 3"),
        ("pyproject.toml", "tool.uv = 3"),
        ("pyproject.toml", "tool.uv.dev-dependencies = [{a = 1}]"),
        ("pyproject.toml", "tool.pdm.dev-dependencies.test = 3"),
        ("pyproject.toml", "tool.hatch.envs.test.dependencies = 3"),
        ("uv.lock", "package = 3"),
        ("uv.lock", "package = [3, {version = '1'}, {name = 3, version = 4, source = 5}]"),
        ("Pipfile.lock", "[1]"),
        ("Pipfile.lock", '{"default": {"a": 3}, "develop": 4}'),
        ("setup.py", "a" + ".b" * 900 + "()"),
        ("setup.py", "setup(extras_require=[1], tests_require=3, python_requires=[3])"),
    ],
)
def test_values_of_another_kind_than_is_meant_stop_nothing(
    tree: Path, name: str, said: str
) -> None:
    (tree / "setup.py").write_text("")
    (tree / name).write_text(said)

    assert recipe_for(tree, "/workspace", test_command="pytest -q").python
