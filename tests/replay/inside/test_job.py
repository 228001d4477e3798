"""The job's file: taken by one, put back for the next."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from traceproof.replay.inside import job


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "job"
    path.write_text(json.dumps({"key": "01", "channel": "/channel", "seed": 7, "twice": "each"}))
    monkeypatch.setenv(job.VARIABLE, str(path))
    return path


def take() -> job.Job:
    taken = job.claim()
    assert taken is not None
    return taken


def test_one_takes_the_job_and_no_other(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = take()
    monkeypatch.setenv(job.VARIABLE, str(path))

    assert (taken.key, taken.seed, taken.twice, taken.tests) == (b"\x01", 7, "each", None)
    assert job.claim() is None
    assert list(path.parent.iterdir()) == []
    assert job.VARIABLE not in os.environ


def test_it_is_put_back_with_the_next_key(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = take()
    taken.put_back(job.next_key(taken.key))
    monkeypatch.setenv(job.VARIABLE, str(path))

    again = take()

    assert (again.key, again.seed) == (job.next_key(b"\x01"), 7)
    assert again.key != b"\x01"


def test_the_seed_and_the_root_can_be_read_without_taking_it(path: Path) -> None:
    assert job.peek() == (7, str(Path.cwd()))
    assert path.exists()
    job.claim()
    assert job.peek() is None
