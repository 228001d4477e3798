"""The core of the snippets on every cell, and on some cells by every hook."""

from __future__ import annotations

import pytest

from support.transparency.cells import chosen
from support.transparency.compare import EVERY, Suite
from support.transparency.library import CORE
from support.transparency.snippets import Snippet


@pytest.mark.parametrize("snippet", CORE, ids=str)
def test_every_cell(snippet: Snippet, suite: Suite) -> None:
    suite.check(snippet, [(cell, "path") for cell in snippet.cells])


@pytest.mark.parametrize("way", EVERY)
@pytest.mark.parametrize("snippet", CORE, ids=str)
def test_every_hook(snippet: Snippet, way: str, suite: Suite) -> None:
    suite.check(snippet, [(cell, way) for cell in chosen(snippet.order, 3, snippet.cells)])
