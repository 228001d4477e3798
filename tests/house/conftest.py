"""The house seen from outside: its files, its packages, and what imports what."""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def pyproject() -> dict[str, Any]:
    """What pyproject.toml says."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


@pytest.fixture(scope="session")
def tracked() -> list[Path]:
    """Every file git tracks, or would after `git add`."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    return [path for path in paths if path.is_file()]


@pytest.fixture(scope="session")
def modules(pyproject: dict[str, Any]) -> dict[str, Path]:
    """Every module of ours by the name it is imported as."""
    setuptools = pyproject["tool"]["setuptools"]
    found = {}
    for package in setuptools["packages"]:
        name, folder = _folder(package, setuptools["package-dir"])
        for path in sorted(folder.glob("*.py")):
            found[name if path.stem == "__init__" else f"{name}.{path.stem}"] = path
    return found


def _folder(package: str, package_dir: dict[str, str]) -> tuple[str, Path]:
    parent = max((p for p in package_dir if f"{package}.".startswith(f"{p}.")), key=len)
    rest = package.removeprefix(parent).strip(".").split(".")
    return package, ROOT.joinpath(package_dir[parent], *filter(None, rest))
