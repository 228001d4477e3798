from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from traceproof.verifying.scratch import prune, scratch_folder

KILLED = """
import os, signal
from traceproof.verifying.scratch import scratch_folder

with scratch_folder() as folder:
    (folder / "file").write_text("x")
    print(folder, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(autouse=True)
def _temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def test_it_is_gone_afterwards(tmp_path: Path) -> None:
    with scratch_folder() as folder:
        sealed = folder / "a" / "b"
        sealed.mkdir(parents=True)
        (sealed / "c").write_text("x")
        sealed.chmod(0o500)
        assert prune() == []
        assert (sealed / "c").exists()

    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_goes_with_the_next(tmp_path: Path) -> None:
    killed = subprocess.run(
        [sys.executable, "-P", "-c", KILLED],
        env={"TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    left = Path(killed.stdout.strip())
    assert (killed.returncode, (left / "file").exists()) == (-9, True)

    assert prune() == [f"folder {left.parent}"]

    assert list(tmp_path.iterdir()) == []


def test_others_folders_stay(tmp_path: Path) -> None:
    (tmp_path / "traceproof-verify-foreign").mkdir()
    (tmp_path / "traceproof-verify-link").symlink_to(tmp_path)

    assert prune() == []

    assert len(list(tmp_path.iterdir())) == 2
