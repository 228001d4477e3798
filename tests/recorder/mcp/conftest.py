"""What the tests of the MCP parts share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.mcp.recorder import Recorder


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    """A recorder that listens, with a tee on the disk."""
    opened = Recorder(tmp_path)
    yield opened
    opened.close()
