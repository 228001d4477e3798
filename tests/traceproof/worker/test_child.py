from __future__ import annotations

import fcntl
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from traceproof.worker.child import Child, Ended


@pytest.fixture
def lock(tmp_path: Path) -> Iterator[int]:
    handle = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    yield handle
    os.close(handle)


def run(line: str, lock: int) -> Ended | None:
    done = threading.Event()
    with Child(["sh", "-c", line], lock, done.set) as child:
        assert done.wait(20)
        return child.ended


def test_it_ends_with_its_code_and_what_the_program_said_last(lock: int) -> None:
    said = "echo 'traceproof: no engine' >&2; echo more >&2; exit 3"

    assert run(said, lock) == Ended(3, "no engine")


def test_without_a_line_of_the_program_the_last_one_counts(lock: int) -> None:
    said = r"printf 'first\nlast \033[31mred\n\n' >&2; exit 7"

    ended = run(said, lock)

    assert ended is not None
    assert (ended.code, ended.why.startswith("last ")) == (7, True)
    assert "\033" not in ended.why


def test_an_answer_needs_no_reason(lock: int) -> None:
    assert run("echo '  base   5' >&2; exit 1", lock) == Ended(1, "")


def test_what_kills_it_is_told(lock: int) -> None:
    assert run("kill -KILL $$", lock) == Ended(-signal.SIGKILL, "")


def test_an_endless_output_is_no_burden(lock: int) -> None:
    ended = run("head -c 3000000 /dev/zero | tr '\\0' x >&2; exit 0", lock)

    assert ended is not None
    assert ended.code == 0
    assert len(ended.why) <= 1000


def test_leaving_ends_it_and_lets_it_clear_up(lock: int, tmp_path: Path) -> None:
    trap = f"trap 'touch {tmp_path}/clean; exit' TERM"
    line = f"{trap}; echo up >{tmp_path}/up; while :; do sleep 0.05; done"
    done = threading.Event()
    os.mkfifo(tmp_path / "up")

    with Child(["sh", "-c", line], lock, done.set) as child:
        (tmp_path / "up").read_text()
        assert child.ended is None

    assert (tmp_path / "clean").exists()
    assert done.is_set()


def test_it_holds_the_lock_as_long_as_it_lives(tmp_path: Path) -> None:
    ours = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(ours, fcntl.LOCK_EX)
    done = threading.Event()
    with Child(["sh", "-c", "sleep 60"], ours, done.set):
        os.close(ours)  # as if its worker were killed
        other = os.open(tmp_path / "lock", os.O_RDWR)
        with pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)

    fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(other)


def test_what_it_leaves_running_is_ended_with_it(lock: int, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "held")

    assert run(f"sleep 60 3>{tmp_path}/held & cat {tmp_path}/held & sleep 0.2", lock) is not None
