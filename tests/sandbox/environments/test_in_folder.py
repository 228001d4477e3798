"""Builds in private folders; the last ones take packages from the index that pip uses here."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from traceproof.sandbox.environments import Source, build, recipe_for
from traceproof.sandbox.environments.lock import load, save
from traceproof.sandbox.errors import ImageFailed
from traceproof.sandbox.local.backend import LocalSandbox

pytestmark = pytest.mark.timeout(600)
SANDBOX = LocalSandbox(spaces="")
SCRIPTS = {"mine.py": "def double(n): return 2 * n\n", "test_mine.py": "import mine\n"}
PROJECT = SCRIPTS | {
    "pyproject.toml": "[project]\nname = 'mine'\nversion = '1'\ndependencies = ['six']\n"
    "[tool.setuptools]\npy-modules = ['mine']\n"
}


def tree(folder: Path, files: dict[str, str]) -> Source:
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    return Source(folder=folder)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_scripts_are_built_without_a_network_once(tmp_path: Path) -> None:
    source = tree(tmp_path / "tree", SCRIPTS)
    recipe = recipe_for(source.folder, "/w/mine", test_command="python3 -m unittest -q")

    first = build(SANDBOX, recipe, source)
    again = build(SANDBOX, recipe, source)

    assert first.made == ("environment",)
    assert again.made == ()
    assert (again.image, again.lock) == (first.image, first.lock)
    home = Path(first.image.id)
    assert sorted(path.name for path in (home / "source").iterdir()) == sorted(SCRIPTS)
    assert list((home / "workspace").iterdir()) == []
    assert first.image.environment["PATH"].startswith(f"{home}/venv/bin:")
    assert first.lock.packages == ()


def test_setup_commands_run_in_the_workspace(tmp_path: Path) -> None:
    files = SCRIPTS | {"traceproof.toml": "setup = ['pwd > made.txt']\ntest = 'true'\n"}
    source = tree(tmp_path / "tree", files)

    made = build(SANDBOX, recipe_for(source.folder, "/w/mine"), source)

    assert (Path(made.image.id) / "source/made.txt").read_text() == f"{made.image.workspace}\n"
    assert made.lock.kind == "commands"
    assert made.test == "true"


@pytest.mark.index
def test_a_project_of_npm_is_installed_by_its_lock(tmp_path: Path) -> None:
    packages = '{"lockfileVersion": 3, "packages": {"": {"name": "mine", "version": "1.0.0"}}}'
    files = {"package.json": '{"name": "mine", "version": "1.0.0"}', "package-lock.json": packages}
    source = tree(tmp_path / "tree", files)

    made = build(SANDBOX, recipe_for(source.folder, "/w/mine"), source)

    assert made.lock.kind == "node"
    assert made.lock.node.split(".")[0].isdigit()


def test_a_build_that_fails_leaves_no_folder(tmp_path: Path, cache: Path) -> None:
    source = tree(tmp_path / "tree", {"traceproof.toml": "setup = ['echo no; exit 4']\n"})

    with pytest.raises(ImageFailed, match=r"a setup command failed: .*\(exit code 4\): no"):
        build(SANDBOX, recipe_for(source.folder, "/w/mine"), source)

    assert [
        path for path in (cache / "traceproof/environments/local").iterdir() if path.is_dir()
    ] == []


def test_what_a_killed_build_has_left_is_built_anew(tmp_path: Path) -> None:
    source = tree(tmp_path / "tree", SCRIPTS)
    recipe = recipe_for(source.folder, "/w/mine")
    first = build(SANDBOX, recipe, source)
    (Path(first.image.id) / "lock.json").unlink()

    again = build(SANDBOX, recipe, source)

    assert again.made == ("environment",)
    assert again.image == first.image


def test_an_image_needs_an_engine(tmp_path: Path) -> None:
    source = tree(tmp_path / "tree", SCRIPTS)
    recipe = recipe_for(source.folder, "/w/mine", image="python@sha256:00")

    with pytest.raises(ImageFailed, match="needs an engine"):
        build(SANDBOX, recipe, source)


def test_a_python_that_is_not_here_is_said(tmp_path: Path) -> None:
    files = PROJECT | {"pyproject.toml": "[project]\nname='a'\nrequires-python='>=3.99'\n"}
    source = tree(tmp_path / "tree", files)

    with pytest.raises(ImageFailed, match=r"no Python here is >=3\.99"):
        build(SANDBOX, recipe_for(source.folder, "/w/mine"), source)


@pytest.mark.index
def test_a_project_and_its_packages_are_installed_and_follow_the_boxs_copy(tmp_path: Path) -> None:
    source = tree(tmp_path / "tree", PROJECT)
    recipe = recipe_for(source.folder, "/w/mine", date="2024-05-01")

    made = build(SANDBOX, recipe, source)

    packages = {package.name: package.version for package in made.lock.packages}
    assert packages["six"] == "1.16.0"
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-r", f"{made.image.id}/source", copy], check=True)
    code = "import six, mine; print(six.__version__, mine.__file__)"
    variables = {**made.image.environment, "TRACEPROOF_WORKSPACE": str(copy)}
    run = subprocess.run(
        ["python", "-c", code],
        env={**os.environ, **variables},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.split() == ["1.16.0", f"{copy}/mine.py"]


@pytest.mark.index
def test_another_machine_builds_the_same_from_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tree(tmp_path / "tree", PROJECT)
    recipe = recipe_for(source.folder, "/w/mine", date="2024-05-01")
    first = build(SANDBOX, recipe, source)
    save(first.lock, tmp_path / "lock.json")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "elsewhere"))

    second = build(SANDBOX, recipe, source, lock=load(tmp_path / "lock.json"))

    assert second.lock == first.lock
    assert second.image.id != first.image.id
