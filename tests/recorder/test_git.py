from __future__ import annotations

import os
import select
import stat
import time
from pathlib import Path

import pytest

from traceproof.recorder.git import Git, GitError, NoAnswerError, TooMuchError, filter_overrides


def fake_git(folder: Path, script: str) -> dict[str, str]:
    """Put a program called git on a PATH of its own."""
    program = folder / "git"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return {"PATH": f"{folder}:{os.defpath}", "GIT_DIR": "/elsewhere", "HOME": str(folder)}


def git(folder: Path, script: str, seconds: float = 5) -> Git:
    return Git(folder, fake_git(folder, script), seconds)


def test_arguments_and_environment(tmp_path: Path) -> None:
    asked = git(tmp_path, 'echo "$@"; env')
    asked.configure(["a.b=c"])

    answer = asked.run("status").decode()

    assert answer.startswith("--no-optional-locks --no-pager -c core.fsmonitor=false ")
    assert "-c a.b=c status\n" in answer
    assert "GIT_DIR=" not in answer
    assert "GIT_OPTIONAL_LOCKS=0" in answer
    assert f"PWD={tmp_path}" in answer
    assert "PWD=/" in asked.within(Path("/")).run("status").decode()


def test_a_line_loses_its_end(tmp_path: Path) -> None:
    assert git(tmp_path, "echo one").line("x") == "one"


def test_a_failure_is_its_fatal_line(tmp_path: Path) -> None:
    with pytest.raises(GitError, match=r"^fatal: no$"):
        git(tmp_path, "echo hint: x >&2; echo fatal: no >&2; exit 128").run("x")
    with pytest.raises(GitError, match=r"^git ended with 3$"):
        git(tmp_path, "exit 3").run("x")
    with pytest.raises(NoAnswerError):
        git(tmp_path, "exit 1").run("x")


def test_a_git_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    asked = git(tmp_path, "sleep 60 & echo $! > pid; wait", seconds=0.3)
    started = time.monotonic()

    with pytest.raises(GitError, match=r"git did not answer within 0\.3 s"):
        asked.run("x")

    assert time.monotonic() - started < 5
    child = int((tmp_path / "pid").read_text())
    assert _ends(child)


def _ends(pid: int) -> bool:
    """Tell whether a process has ended, or is about to: to die it needs a CPU."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], 5)[0])
    finally:
        os.close(descriptor)


def test_a_git_that_closes_its_output_and_stays_is_ended(tmp_path: Path) -> None:
    with pytest.raises(GitError, match="did not end"):
        git(tmp_path, "exec >&-; sleep 60", seconds=0.3).run("x")


def test_endless_output_is_cut_off(tmp_path: Path) -> None:
    with pytest.raises(TooMuchError, match="over 1000 bytes"):
        git(tmp_path, "yes").run("x", most=1000)


def test_no_git_and_no_folder(tmp_path: Path) -> None:
    with pytest.raises(GitError, match="git is not installed"):
        Git(tmp_path, {"PATH": str(tmp_path)}, 5).run("x")
    with pytest.raises(GitError, match="no such folder"):
        Git(tmp_path / "none", {"PATH": os.defpath}, 5).run("x")
    (tmp_path / "git").write_text("not a program")
    with pytest.raises(GitError, match="git cannot be run: Permission denied"):
        Git(tmp_path, {"PATH": str(tmp_path)}, 5).run("x")


def test_every_filter_is_switched_off() -> None:
    assert filter_overrides(b"filter.lfs.clean\0filter.lfs.smudge\0filter.a.b.process\0") == [
        "filter.a.b.clean=", "filter.a.b.smudge=", "filter.a.b.process=",
        "filter.a.b.required=false", "filter.lfs.clean=", "filter.lfs.smudge=",
        "filter.lfs.process=", "filter.lfs.required=false",
    ]  # fmt: skip
    assert filter_overrides(b"") == []
    with pytest.raises(GitError, match="cannot be switched off"):
        filter_overrides(b"filter.a=b.clean\0")
