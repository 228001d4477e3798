"""A folder of tests that can be heard."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.heard import Suite


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    """An empty folder for tests, and a way to hear them."""
    return Suite(tmp_path)
