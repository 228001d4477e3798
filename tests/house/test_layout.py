from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

BARE = {"curate", "proxy", "recorder", "replay", "sandbox"}


def test_the_listed_packages_are_the_folders(root: Path, pyproject: dict[str, Any]) -> None:
    setuptools = pyproject["tool"]["setuptools"]
    folders = set()
    for name, folder in setuptools["package-dir"].items():
        for init in (root / folder).rglob("__init__.py"):
            inner = init.parent.relative_to(root / folder).parts
            folders.add(".".join([name, *inner]))

    assert sorted(folders) == setuptools["packages"]


def test_every_folder_that_holds_python_is_a_package(root: Path, modules: dict[str, Path]) -> None:
    known = {path.parent for path in modules.values()}
    face_data = root / "traceproof" / "demo" / "repository"
    holding = {
        path.parent
        for folder in ("traceproof", *BARE)
        for path in (root / folder).rglob("*.py")
        if face_data not in path.parents
    }

    assert holding - known == set()


def test_no_bare_name_is_ever_imported(modules: dict[str, Path], root: Path) -> None:
    # -P as in `make test`: the folder we stand in is not searched, so a bare import would fail.
    program = (
        "import importlib, importlib.util, sys\n"
        "for name in sys.argv[1:]: importlib.import_module(name)\n"
        f"bare = {sorted(BARE)}\n"
        "print([n for n in bare if n in sys.modules or importlib.util.find_spec(n)])\n"
    )
    names = [name for name in modules if not name.endswith(".__main__")]

    result = subprocess.run(
        [sys.executable, "-P", "-c", program, *names],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (result.returncode, result.stdout) == (0, "[]\n"), result.stderr


def test_this_session_imported_no_bare_name_either() -> None:
    assert BARE & sys.modules.keys() == set()


def test_importing_says_nothing_and_makes_nothing(modules: dict[str, Path], tmp_path: Path) -> None:
    names = [name for name in modules if not name.endswith(".__main__")]
    program = "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)\n"

    result = subprocess.run(
        [sys.executable, "-P", "-c", program, *names],
        cwd=tmp_path,
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert (result.stdout, result.stderr) == ("", "")
    assert list(tmp_path.iterdir()) == []


def test_public_names_are_there_and_listed_once(modules: dict[str, Path]) -> None:
    for name in modules:
        if name.endswith(".__main__"):
            continue
        module = importlib.import_module(name)
        listed = getattr(module, "__all__", [])

        assert len(set(listed)) == len(listed), name
        assert [n for n in listed if not hasattr(module, n)] == [], name


def test_the_face_shows_exactly_its_public_names() -> None:
    face = importlib.import_module("traceproof")
    for name in face.__all__:
        assert getattr(face, name) is not None  # imported now, if it was not
    public = {
        name
        for name, value in vars(face).items()
        if not name.startswith("_") and not isinstance(value, type(sys))
    }

    assert public | {"__version__"} == set(face.__all__)


def test_every_module_says_what_it_is(modules: dict[str, Path]) -> None:
    for name, path in modules.items():
        assert ast.get_docstring(ast.parse(path.read_text())), name
