from __future__ import annotations

import os
from pathlib import Path

import pytest

from traceproof.sandbox.environments.folder import Folder
from traceproof.sandbox.environments.workshop import Done, failed, last_line, must
from traceproof.sandbox.errors import ImageFailed, OutOfRoom, SandboxError


def test_the_line_that_says_why_is_found() -> None:
    assert last_line("a\nerror: no such package\n  hint: x\n") == "no such package"
    assert last_line("error: no way\n  cause: a is not there\n  cause: x") == (
        "no way: a is not there"
    )
    assert last_line("error: it failed\n  cause: call 1\n\n  [stderr]\n  trace\n  bad setup") == (
        "it failed: call 1: bad setup"
    )
    assert last_line("Reading…\nmake: *** [all] 2\n\n") == "make: *** [all] 2"
    assert last_line("") == "it printed nothing"


def test_a_failed_step_is_one_line_and_the_end_of_its_log() -> None:
    output = "\n".join(f"line {number}" for number in range(1000))

    error = failed("a setup command failed: make", Done(2, "", output))

    assert isinstance(error, ImageFailed)
    assert str(error) == "a setup command failed: make (exit code 2): line 999"
    assert error.log.startswith("line 900\n")


def test_a_full_disk_is_known() -> None:
    error = failed("x", Done(1, "", "cc: a.o: No space left on device\n"))

    assert isinstance(error, OutOfRoom)
    assert "prune" in str(error)


@pytest.fixture
def shop(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "shop", None, tmp_path / "downloads", 20)


def test_a_step_runs_in_the_folder_with_what_it_is_given(shop: Folder) -> None:
    argv = ["sh", "-c", 'pwd; echo "$A"; echo oops >&2']

    done = shop.attempt(argv, cwd=shop.workspace, environment={"A": "b"})

    assert (done.exit_code, done.stdout) == (0, f"{shop.workspace}\nb\n")
    assert done.output.endswith("oops\n")


def test_what_a_step_leaves_in_the_temporary_folder_goes_with_the_rest(shop: Folder) -> None:
    done = shop.attempt(["sh", "-c", 'touch "$TMPDIR/left"; echo "$TMPDIR"'])

    assert Path(done.stdout.strip(), "left").is_relative_to(shop.scratch)
    assert Path(shop.scratch, "tmp", "left").exists()


def test_a_step_that_must_succeed_raises(shop: Folder) -> None:
    with pytest.raises(ImageFailed, match=r"it failed \(exit code 3\): oops"):
        must(shop, ["sh", "-c", "echo oops; exit 3"], "it failed")
    with pytest.raises(ImageFailed, match="no-such-tool: command not found"):
        must(shop, ["no-such-tool"], "it failed")


def test_a_step_that_takes_too_long_is_ended_with_all_it_started(tmp_path: Path) -> None:
    shop = Folder(tmp_path / "shop", None, tmp_path / "downloads", 0.5)
    held = tmp_path / "held"
    os.mkfifo(held)
    reader = os.open(held, os.O_RDONLY | os.O_NONBLOCK)

    with pytest.raises(SandboxError, match="took over"):
        shop.attempt(["sh", "-c", f"sleep 60 > {held} & wait"])

    os.set_blocking(reader, True)
    assert os.read(reader, 1) == b""  # the end comes when nobody holds the other side any more
    os.close(reader)


def test_files_are_made_with_the_folders_above_them(shop: Folder) -> None:
    path = Path(shop.scratch, "a/b")
    shop.write(str(path), b"x", 0o755)

    assert path.read_bytes() == b"x"
    assert path.stat().st_mode & 0o777 == 0o755
