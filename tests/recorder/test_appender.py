from __future__ import annotations

import errno
import os
import resource
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from traceproof.recorder.appender import Appender


def test_a_new_file_is_private(tmp_path: Path) -> None:
    Appender(tmp_path / "a").close()

    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600


def test_an_existing_file_is_never_written(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"precious")

    with pytest.raises(FileExistsError):
        Appender(tmp_path / "a")


def test_bytes_are_written_in_order(tmp_path: Path) -> None:
    file = Appender(tmp_path / "a")
    file.append(b"one ")
    assert file.drain()
    file.append(b"two")
    assert file.drain()
    file.sync()
    file.close()

    assert (tmp_path / "a").read_bytes() == b"one two"
    assert file.problem is None


LIMITED = """
import resource, sys
from pathlib import Path
from traceproof.recorder.appender import Appender

_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
file = Appender(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (5, hard))
file.append(b"0123456789")
assert not file.drain()
assert file.problem.errno == 27, file.problem  # EFBIG
assert file.backlog == 5
file.append(b"abc")
assert not file.drain()
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
assert file.drain()
assert file.problem is None
file.close()
"""


def test_after_a_file_size_limit_it_goes_on_at_the_exact_byte(tmp_path: Path) -> None:
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY

    subprocess.run([sys.executable, "-c", LIMITED, str(tmp_path / "a")], check=True)

    assert (tmp_path / "a").read_bytes() == b"0123456789abc"


def test_a_device_without_room_is_a_problem_and_no_exception(tmp_path: Path) -> None:
    file = Appender(tmp_path / "a")
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, file._fd)
    os.close(full)
    file.append(b"data")

    assert not file.drain()
    assert file.problem is not None
    assert file.problem.errno == errno.ENOSPC
    file.sync()
    file.close()


@pytest.mark.parametrize(("number", "kept"), [(errno.EIO, True), (errno.EINVAL, False)])
def test_what_the_device_lost_stays_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, *, kept: bool
) -> None:
    def failing(_: int) -> None:
        raise OSError(number, os.strerror(number))

    file = Appender(tmp_path / "a")
    file.append(b"lost")
    file.drain()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", failing)
        file.sync()
    file.append(b"written")
    assert file.drain()
    file.sync()
    file.close()

    assert (file.problem.errno if file.problem else None) == (number if kept else None)


def test_a_file_that_cannot_be_closed_is_a_problem(tmp_path: Path) -> None:
    file = Appender(tmp_path / "a")
    file.close()
    file.close()

    assert file.problem is not None
