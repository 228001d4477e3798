"""Agents that run where nothing can be recorded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from traceproof.outcome import Outcome
from traceproof.recorder.store import Store
from traceproof.recorder.task import Task
from traceproof.recording import record
from traceproof.settings import Settings

Recorded = Callable[..., Outcome]


@pytest.fixture
def recorded(tmp_path: Path, env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Recorded:
    """Record a command into a store that cannot be made."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    store = Store(tmp_path / "file" / "store")

    def recorded(*command: str, **more: Any) -> Outcome:
        return record(Settings(command, tmp_path, env, store, Task(), **more))

    return recorded


def test_a_store_that_cannot_be_made_keeps_no_agent_from_its_work(
    recorded: Recorded, tmp_path: Path
) -> None:
    outcome = recorded("sh", "-c", "touch worked")

    assert outcome.code == 3
    assert outcome.lost == [f"nothing was recorded: {tmp_path}/file/store: Not a directory"]
    assert (tmp_path / "worked").exists()


def test_unless_the_user_asked_for_that(recorded: Recorded) -> None:
    with pytest.raises(OSError, match="the agent was not started, for nothing can be recorded: "):
        recorded("true", on_failure="closed")
