from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from traceproof.sandbox.environments import cache


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "traceproof" / "environments"


def test_everything_that_is_named_decides_the_key() -> None:
    assert cache.key("a", {"x": 1, "y": 2}) == cache.key("a", {"y": 2, "x": 1})
    assert len({cache.key("a", 1), cache.key("a", 2), cache.key("b", 1)}) == 3


def test_what_was_remembered_is_recalled(tmp_path: Path) -> None:
    path = tmp_path / "below" / "known.json"
    assert cache.recall(path, list[int]) is None

    cache.remember(path, [1, 2])
    assert cache.recall(path, list[int]) == [1, 2]
    assert path.stat().st_mode & 0o777 == 0o600

    path.write_text("half of i")
    assert cache.recall(path, list[int]) is None


def test_a_scratch_folder_is_gone_afterwards() -> None:
    with cache.scratch() as folder:
        (folder / "x").write_text("x")
        assert cache.prune() == []

    assert not folder.exists()


def test_what_a_killed_process_has_left_is_pruned() -> None:
    program = (
        "import os, signal\nfrom traceproof.sandbox.environments import cache\n"
        "with cache.scratch() as folder: print(folder, flush=True); os.kill(os.getpid(), 9)\n"
    )
    run = subprocess.run(
        [sys.executable, "-P", "-c", program], capture_output=True, text=True, check=False
    )
    left = Path(run.stdout.strip())
    assert left.is_dir()

    assert cache.prune() == [left]
    assert not left.exists()


def test_half_an_environment_is_pruned_and_a_whole_one_with_all(home: Path) -> None:
    for name in ("half", "whole", "building"):
        (home / "local" / name / "workspace").mkdir(parents=True)
    (home / "local" / "whole" / "lock.json").write_text("{}")

    with cache.alone(home / "local" / "building.lock"):
        assert cache.prune() == [home / "local" / "half"]
        assert cache.prune(everything=True) == [home / "local" / "whole"]
    assert cache.prune() == [home / "local" / "building"]
