"""A repository with a bug, and a session that mends it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from support.workspace import Observed, Project

BUGGY = "def double(x):\n    return x + x + 1\n"
FIXED = "def double(x):\n    return x + x\n"
TEST = "from a import double\n\n\ndef test_double():\n    assert double(2) == 4\n"
TEST_TOO = "def test_too():\n    assert True\n"


@pytest.fixture
def work(tmp_path: Path) -> Project:
    """The repository, with one commit."""
    work = Project(tmp_path / "work")
    work.write("a.py", BUGGY)
    work.write("test_a.py", TEST)
    work.commit()
    return work


@pytest.fixture
def mended(work: Project) -> Path:
    """A trace of an agent that mended it, and wrote a test of its own."""
    work.write("dirty.txt", "there before\n")
    observed = Observed(work)
    observed.step(lambda: work.write("a.py", FIXED), "Edit", file_path="a.py")
    observed.step(lambda: work.write("test_too.py", TEST_TOO), "Write", file_path="test_too.py")
    return observed.close()


@pytest.fixture
def patch(work: Project, tmp_path: Path) -> Path:
    """A patch that mends it; the repository stays as it is."""
    work.write("a.py", FIXED)
    path = tmp_path / "fix.patch"
    path.write_text(work.git("diff") + "\n")
    work.git("checkout", "-q", ".")
    return path


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """What a subject's contents are closed by."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """A folder to work in."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder
