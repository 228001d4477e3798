"""No recorder, one that says nothing, one that dies: commands are as they are without us."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.transparency.absent import KINDS, Absent
from support.transparency.cells import chosen
from support.transparency.compare import Suite
from support.transparency.library import CORE
from support.transparency.snippets import Snippet

SOME = [snippet for snippet in CORE if not snippet.outlives][::3]


@pytest.fixture(params=KINDS)
def absent(request: pytest.FixtureRequest, suite: Suite) -> Iterator[Suite]:
    """A suite whose launchers speak to such a recorder."""
    folder = Path(tempfile.mkdtemp(dir=suite.rooms.base))
    recorder = Absent(folder / "socket", request.param)
    yield suite.without(suite.rooms.launchers(folder.name, recorder.path))
    recorder.close()


@pytest.mark.parametrize("snippet", SOME, ids=str)
def test_it_makes_no_difference(snippet: Snippet, absent: Suite) -> None:
    absent.check(snippet, [(cell, "path") for cell in chosen(snippet.order, 2, snippet.cells)])
