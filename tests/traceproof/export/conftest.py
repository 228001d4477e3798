from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support import made as story
from traceproof.recorder.store import SUFFIX
from traceproof.recorder.writer import TraceWriter


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the trace is to be."""
    return tmp_path / f"20260102T030405Z-claude-0af765{SUFFIX}"


@pytest.fixture
def made(path: Path) -> Path:
    """The trace of `support.made`, closed."""
    story.write(path)
    return path


@pytest.fixture
def growing(path: Path) -> Iterator[TraceWriter]:
    """The same while it is recorded: its root has no end yet."""
    writer = story.write(path, close=False)
    yield writer
    writer.close()
