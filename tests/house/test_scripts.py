"""The set-up scripts: what they refuse, and that they are small and clean shell."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SHELL = [
    "agents", "bench", "check", "dockerd", "engine", "lib.sh", "lock", "python", "second", "setup",
]  # fmt: skip


def choose(root: Path, python: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [root / "scripts" / "python", *arguments],
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "PYTHON": python},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_python_that_fits_is_taken_outside_its_virtual_environment(root: Path) -> None:
    result = choose(root, sys.executable)

    chosen = Path(result.stdout.strip())
    assert result.returncode == 0
    assert chosen.exists()
    assert Path(sys.prefix) not in chosen.parents


@pytest.mark.parametrize("python", ["python2.7", "/bin/false", "not-a-python"])
def test_a_python_that_does_not_fit_is_refused_in_one_line(python: str, root: Path) -> None:
    result = choose(root, python)

    assert (result.returncode, result.stdout) == (3, "")
    assert result.stderr == (
        f"setup: no Python 3.11 to 3.13 here (tried {python}): install one, or set PYTHON\n"
    )


def test_a_highest_version_is_kept_to(root: Path) -> None:
    assert choose(root, sys.executable, "10").returncode == 3


@pytest.mark.parametrize("name", SHELL)
def test_a_script_is_plain_shell_and_small(name: str, root: Path) -> None:
    path = root / "scripts" / name

    subprocess.run(["sh", "-n", path], check=True)
    assert len(path.read_text().splitlines()) <= 60


def test_every_script_is_known_here(root: Path) -> None:
    assert sorted(p.name for p in (root / "scripts").iterdir() if p.suffix in {"", ".sh"}) == SHELL


def test_type_checkers_find_every_package(root: Path, modules: dict[str, Path]) -> None:
    subprocess.run([sys.executable, "-P", root / "scripts" / "typepath.py"], check=True)

    for name, path in modules.items():
        seen = root / ".typepath" / Path(*name.split("."))
        candidates = [seen.with_suffix(".py"), seen / "__init__.py"]
        assert [c for c in candidates if c.exists() and c.samefile(path)], name
