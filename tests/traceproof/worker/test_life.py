from __future__ import annotations

import os
from pathlib import Path

import pytest

from traceproof.recorder.store import Store
from traceproof.worker import life
from traceproof.worker.life import LATE, Heart, Only


def test_a_worker_that_runs_says_so_and_one_that_ended_does_not(store: Store) -> None:
    with Heart(store, "try") as heart:
        heart.life.doing = "a trace"
        heart.tell()
        found = life.read(store, "try")

    assert (found.task, found.pid, found.doing) == ("try", os.getpid(), "a trace")
    assert life.complaint(found, found.beat) == ""
    with pytest.raises(FileNotFoundError):
        life.read(store, "try")


def test_one_without_a_sign_of_life_is_not_well(store: Store) -> None:
    with Heart(store, "try") as heart:
        heart.tell()
        found = life.read(store, "try")

    assert life.complaint(found, found.beat + LATE) == ""
    assert life.complaint(found, found.beat + LATE + 1) == "no sign of life for 61 s"


def test_one_that_its_environment_fails_is_not_well(store: Store) -> None:
    with Heart(store, "try") as heart:
        heart.life.problem = "no engine answers"
        heart.tell()
        found = life.read(store, "try")

    assert life.complaint(found, found.beat) == "no engine answers"


def test_a_broken_sign_is_said_to_be(store: Store) -> None:
    life.path_of(store, "try").write_text("{")

    with pytest.raises(ValueError, match="worker-try"):
        life.read(store, "try")


def test_there_is_one_of_a_kind(store: Store) -> None:
    asked = []

    def wait() -> bool:
        asked.append(1)
        return len(asked) == 3

    with Only(store, "try") as first, Only(store, "try") as second, Only(store, "other") as other:
        assert first.take(wait)
        assert not second.take(wait)
        assert len(asked) == 3
        assert other.take(wait)


def test_the_next_one_has_it_when_the_first_is_gone(store: Store) -> None:
    with Only(store, "try") as second:
        first = Only(store, "try").__enter__()
        assert first.take(lambda: True)

        def wait() -> bool:
            first.__exit__(None, None, None)
            return False

        assert second.take(wait)


def test_a_lock_that_is_a_link_is_not_followed(store: Store, tmp_path: Path) -> None:
    (store.path / "worker-try.lock").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(OSError, match="worker-try"), Only(store, "try"):
        pass
