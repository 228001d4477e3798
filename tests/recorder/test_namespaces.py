"""Programs in a mount namespace: what lies over what, and what is left as it was."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from traceproof.recorder.namespaces import (
    Cover,
    Entry,
    NamespaceRefusedError,
    refusal,
    spawn,
)

ENV = {"PATH": os.environ["PATH"], "ONE": "1"}


@pytest.fixture(params=["mount", "user"])
def entry(request: pytest.FixtureRequest, tmp_path: Path) -> Entry:
    """A namespace in which `covered` says something else."""
    covered, placeholder, over = (tmp_path / name for name in ("covered", "placeholder", "over"))
    covered.write_text("as it was")
    placeholder.touch()
    over.write_text("something else")
    cover = Cover(str(covered), str(placeholder), str(over))
    return Entry(request.param, str(tmp_path), (cover,))


def ended(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def sh(entry: Entry, script: str, env: dict[str, str] = ENV) -> int:
    """Run a script there in the folder, and return its exit code."""
    script = f"cd {entry.folder} && {script}"
    return ended(spawn("/bin/sh", ["sh", "-c", script], env, entry, []))


def test_a_file_is_covered_there_and_only_there(entry: Entry, tmp_path: Path) -> None:
    assert sh(entry, "cat covered placeholder > seen") == 0

    assert (tmp_path / "seen").read_text() == "something elseas it was"
    assert (tmp_path / "covered").read_text() == "as it was"
    assert (tmp_path / "placeholder").read_text() == ""


def test_the_folder_is_told_which_namespace_it_is(entry: Entry, tmp_path: Path) -> None:
    assert sh(entry, "readlink /proc/self/ns/mnt > inside") == 0

    inside, outside = (tmp_path / "mounts").read_text().split()
    assert (tmp_path / "inside").read_text() == f"mnt:[{inside}]\n"
    assert outside == str(Path("/proc/self/ns/mnt").stat().st_ino)


def test_the_program_is_the_process_that_was_started(entry: Entry, tmp_path: Path) -> None:
    pid = spawn("/bin/sh", ["sh", "-c", f"echo $$ $0 > {tmp_path}/told"], ENV, entry, [])

    assert ended(pid) == 0
    assert (tmp_path / "told").read_text() == f"{pid} sh\n"


def test_the_environment_is_the_one_given(entry: Entry, tmp_path: Path) -> None:
    assert ended(spawn("/usr/bin/env", ["env", "-0"], ENV, entry, [])) == 0
    assert sh(entry, "env -0 > told", {"ONE": "1", "TWO": "a\nb=c"}) == 0

    told = (tmp_path / "told").read_bytes().split(b"\0")
    assert {b"ONE=1", b"TWO=a\nb=c"} <= set(told)
    assert not [line for line in told if line.startswith((b"LC_", b"PYTHON"))]


def test_no_file_of_ours_is_open_there(entry: Entry, tmp_path: Path) -> None:
    plain = ["sh", "-c", f"ls /proc/self/fd > {tmp_path}/plain"]
    assert ended(os.posix_spawn("/bin/sh", plain, ENV)) == 0
    assert sh(entry, "ls /proc/self/fd > told") == 0

    assert (tmp_path / "told").read_text() == (tmp_path / "plain").read_text()


def test_signals_are_as_they_should_be(entry: Entry, tmp_path: Path) -> None:
    defaults = [signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT]
    command = ["grep", "SigIgn", "/proc/self/status"]
    script = f"exec {' '.join(command)} > {tmp_path}/told"
    assert ended(spawn("/bin/sh", ["sh", "-c", script], ENV, entry, defaults)) == 0

    ignored = int((tmp_path / "told").read_text().split()[1], 16)
    assert not [number for number in defaults if ignored >> (number - 1) & 1]


def test_a_user_namespace_leaves_the_user_and_no_power(entry: Entry, tmp_path: Path) -> None:
    assert sh(entry, "id -u > user; grep Cap /proc/self/status > told") == 0

    assert (tmp_path / "user").read_text() == f"{os.getuid()}\n"
    if entry.kind == "user":
        sets = [line.split()[1] for line in (tmp_path / "told").read_text().splitlines()]
        assert set(sets) == {"0" * 16}


def test_a_script_without_an_interpreter_line_runs_in_sh(entry: Entry, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text('exit "$1"')
    script.chmod(0o755)

    assert ended(spawn(str(script), [str(script), "9"], ENV, entry, [])) == 9


def test_a_program_that_cannot_be_run_is_an_error(entry: Entry, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("#!/no/such/interpreter\n")
    script.chmod(0o755)

    with pytest.raises(FileNotFoundError):
        spawn(str(script), [str(script)], ENV, entry, [])


def test_what_cannot_be_covered_starts_nothing(entry: Entry, tmp_path: Path) -> None:
    absent = Cover(str(tmp_path / "absent"), entry.covers[0].placeholder, entry.covers[0].over)

    with pytest.raises(NamespaceRefusedError) as refused:
        sh(entry._replace(covers=(absent,)), "touch started")

    assert refused.value.filename == entry.covers[0].placeholder
    assert not (tmp_path / "started").exists()


def test_root_may_and_says_so() -> None:
    assert (refusal("mount"), refusal("user")) == ("", "")
