"""The folder of a recording's programs: private, and there as long as somebody needs it."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from traceproof.recorder.runfolder import MOUNTS, RunFolder, sweep


@pytest.fixture
def folder() -> Iterator[RunFolder]:
    made = RunFolder()
    yield made
    made.close()


def waiting(path: Path) -> subprocess.Popen[bytes]:
    """Start a process that has the folder in its environment, until its stdin ends."""
    env = {"PATH": f"{path}/path:{os.environ['PATH']}"}
    return subprocess.Popen(["cat"], stdin=subprocess.PIPE, env=env)


def test_it_is_private_and_programs_run_from_it(folder: RunFolder) -> None:
    program = folder.path / "program"
    program.write_text("#!/bin/sh\nexit 7\n")
    program.chmod(0o755)

    assert subprocess.run([program], check=False).returncode == 7
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    assert len(os.fsencode(folder.path)) <= 60


def test_others_can_pass_where_they_must() -> None:
    folder = RunFolder(passable=True)

    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o711
    folder.close()


def test_it_goes_with_the_recording() -> None:
    folder = RunFolder()
    folder.close()

    assert not folder.path.exists()


def test_it_stays_as_long_as_a_process_needs_it() -> None:
    folder = RunFolder()
    with waiting(folder.path) as process:
        folder.close()
        sweep()
        assert folder.path.exists()
        process.communicate()
    sweep()

    assert not folder.path.exists()


def test_it_stays_as_long_as_a_process_lives_in_its_namespace() -> None:
    folder = RunFolder()
    ours = Path("/proc/self/ns/mnt").stat().st_ino
    (folder.path / MOUNTS).write_text(f"{ours} 1\n")

    folder.close()
    assert folder.path.exists()
    (folder.path / MOUNTS).write_text("1 1\n")
    sweep()

    assert not folder.path.exists()


def test_a_recording_under_way_keeps_its_own(folder: RunFolder) -> None:
    sweep()

    assert folder.path.exists()
