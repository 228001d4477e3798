"""Every snippet of `snippets/`, on some of all cells: the same with the shim as without it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from support.transparency.library import SNIPPETS
from support.transparency.snippets import Snippet


@pytest.mark.parametrize("snippet", SNIPPETS, ids=str)
def test_a_snippet(snippet: Snippet, check: Callable[[Snippet], None]) -> None:
    check(snippet)


def test_there_are_many() -> None:
    assert len(SNIPPETS) >= 300
