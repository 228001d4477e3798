"""The rooms that snippets are run in, opened once for all of them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.transparency.cells import chosen
from support.transparency.compare import USUAL, Suite
from support.transparency.rooms import Rooms
from support.transparency.snippets import Snippet

AT_ONCE = 4
CELLS = 3

Check = Callable[[Snippet], None]


@pytest.fixture(scope="session")
def suite() -> Iterator[Suite]:
    """The suite; other users can reach its folder, which pytest's are not for."""
    base = Path(tempfile.mkdtemp(prefix="transparency-", dir="/tmp"))
    base.chmod(0o755)
    rooms = Rooms(base, AT_ONCE)
    opened = Suite(rooms, AT_ONCE)
    yield opened
    opened.close()
    rooms.close()
    shutil.rmtree(base)


@pytest.fixture
def check(suite: Suite) -> Check:
    """Give a function that runs a snippet on some cells, by one way after the other."""

    def run(snippet: Snippet) -> None:
        cells = chosen(snippet.order, CELLS, snippet.cells)
        ways = [USUAL[(snippet.order + k) % len(USUAL)] for k in range(len(cells))]
        suite.check(snippet, list(zip(cells, ways, strict=True)))

    return run
