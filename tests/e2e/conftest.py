"""Real agents under `traceproof record`, against a scripted model; what they left is read back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.stage import Stage


@pytest.fixture
def stage(
    tmp_path: Path,
    agent_env: Callable[[Path], dict[str, str]],
    agent: Callable[[str], Path],
) -> Iterator[Stage]:
    """A place where agents are recorded."""
    opened = Stage(tmp_path, agent_env(tmp_path), agent)
    yield opened
    opened.close()
