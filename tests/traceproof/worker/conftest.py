"""A store with traces, and a worker whose task is a shell command."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from support import made
from support.tasks import Script
from traceproof.recorder.store import SUFFIX, Store
from traceproof.worker.running import Manner, Worker


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "store")
    store.create()
    return store


@pytest.fixture
def traces(store: Store) -> list[Path]:
    """Three finished traces, oldest first."""
    paths = [
        store.traces_path / f"2026010{day}T000000Z-agent-{day:012}{SUFFIX}" for day in (1, 2, 3)
    ]
    for path in paths:
        made.write(path)
    return paths


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def work(store: Store, said: list[str]) -> Callable[..., int]:
    """Run a worker until nothing is due, and return its exit code."""

    def work(
        task: Script | str,
        *,
        once: bool = True,
        grace: float = 0,
        say: Callable[[str], None] = said.append,
    ) -> int:
        task = Script(task) if isinstance(task, str) else task
        manner = Manner(every=0.05, once=once, grace=grace)
        return Worker(task, store, manner, say).run()

    return work
