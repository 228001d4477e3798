from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from traceproof.recorder.consent import Control, State
from traceproof.recorder.store import Store
from traceproof.recorder.sweep import forget, sweep
from traceproof.recorder.switch import switch

TRACE = "0123456789abcdef0123456789abcdef"
OTHER = "fedcba9876543210fedcba9876543210"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with two traces, and a log of the first."""
    store = Store(tmp_path)
    store.create()
    for trace_id in (TRACE, OTHER):
        store.new_trace_path(1, "agent", trace_id).write_bytes(b"words")
    path = store.new_trace_path(1, "agent", TRACE)
    path.with_name(path.name.partition(".")[0] + ".log").write_text("words")
    return store


def killed(store: Store, state: State) -> None:
    """Leave what a recorder leaves that was killed after it was told `state`."""
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        Control(store.path, TRACE, agent="agent", started=time.time_ns())
        os.write(writer, b".")
        time.sleep(60)
        os._exit(0)
    os.read(reader, 1)
    switch(store.path, state)
    os.kill(child, 9)
    os.waitpid(child, 0)
    for pipe in (reader, writer):
        os.close(pipe)


def test_forgetting_removes_a_trace_and_its_log_and_no_other(store: Store) -> None:
    forget(store, TRACE)

    assert [path.name for path in store.traces_path.iterdir()] == [
        store.new_trace_path(1, "agent", OTHER).name
    ]


def test_an_exclusion_holds_though_the_recorder_was_killed(store: Store) -> None:
    killed(store, State.EXCLUDED)

    sweep(store)

    assert store.paths() == [store.new_trace_path(1, "agent", OTHER)]
    assert list((store.path / "control").iterdir()) == []


def test_a_killed_recording_that_was_not_excluded_keeps_its_trace(store: Store) -> None:
    killed(store, State.PAUSED)

    sweep(store)

    assert len(store.paths()) == 2
    assert list((store.path / "control").iterdir()) == []


def test_a_live_recording_is_left_alone(store: Store) -> None:
    with Control(store.path, TRACE, agent="agent", started=time.time_ns()):
        switch(store.path, State.EXCLUDED)
        sweep(store)

        assert len(store.paths()) == 2
