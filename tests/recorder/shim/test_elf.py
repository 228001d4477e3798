"""The launcher's file: what lies behind the code, and a copy of the shell as the last resort."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from support.shim import Recorder
from traceproof.recorder.shim import elf
from traceproof.recorder.shim.machinecode import CODE

PATIENCE = 60
HEADERS = 64 + 2 * 56


def made(machine: str, copy: bytes = b"") -> bytes:
    return elf.image(
        machine,
        marker=50_001,
        real="/a/shell",
        prefix=False,
        program=("/python", "-I", "-S", "/program"),
        environment=["LC_ALL=C"],
        launcher="/a/launcher",
        itself="/bin/bash",
        copy=copy,
    )


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_words_behind_the_code_lead_to_texts(machine: str) -> None:
    image = made(machine, b"the shell")

    behind = image[HEADERS + len(CODE[machine]) :]
    words = struct.unpack_from("<15Q", behind)

    def text(place: int) -> bytes:
        return behind[place : behind.index(b"\0", place)]

    assert words[:2] == (50_001, 0)
    assert [text(place) for place in words[2:7]] == [
        b"/a/shell",
        b"/python",
        b"-I",
        b"-S",
        b"/program",
    ]
    variable, last = struct.unpack_from("<2Q", behind, words[7])
    assert (text(variable), last) == (b"LC_ALL=C", 0)
    assert [text(place) for place in words[8:12]] == [b"-c", b"/dev/null", b"/bin/bash", b"bash"]
    assert text(words[14]) == b"/a/launcher"
    assert image[words[12] : words[12] + words[13]] == b"the shell"
    assert len(image) == words[12] + words[13]


def test_the_kernel_maps_the_code_and_not_the_copy() -> None:
    small, large = made("x86_64"), made("x86_64", bytes(100_000))

    assert len(large) - len(small) == 100_000
    assert large[64 : 64 + 56] == small[64 : 64 + 56]


def test_there_is_none_for_another_machine() -> None:
    with pytest.raises(KeyError):
        made("vax")


@pytest.fixture
def covered(recorder: Recorder, tmp_path: Path) -> Path:
    """A launcher that lies over a shell, as in a mount namespace; the shell is nowhere else."""
    shell, placeholder = tmp_path / "bin" / "bash", tmp_path / "placeholder"
    shell.parent.mkdir()
    shutil.copy("/bin/bash", shell)
    launcher = recorder.folder().launcher("namespace", str(shell), str(placeholder))
    launcher.replace(shell)
    return shell


def run(shell: Path, script: str) -> tuple[int, bytes, bytes]:
    done = subprocess.run(
        ["a name", "-c", script, "another", "x y"],
        executable=shell,
        env={"ONE": "1"},
        capture_output=True,
        check=False,
        timeout=PATIENCE,
    )
    return done.returncode, done.stdout, done.stderr


def test_where_everything_of_ours_is_hidden_there_is_a_copy(covered: Path, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "shim")
    script = f"echo $0 $1 $ONE $PPID; set -- /proc/$$/fd/*; echo ${{@##*/}}; {covered} -c 'exit 3'"

    ended = run(covered, script)

    assert ended == run(Path("/bin/bash"), script)
    assert ended[:2] == (3, f"another x y 1 {os.getpid()}\n0 1 2 3\n".encode())


def test_where_only_the_shell_is_hidden_it_is_recorded(covered: Path, recorder: Recorder) -> None:
    assert run(covered, "echo out; exit 3") == (3, b"out\n", b"")

    command = recorder.command()
    assert (command.stdout, command.ended["code"]) == (b"out\n", "3")


@pytest.mark.parametrize(("present", "code"), [(False, 127), (True, 126)])
def test_a_shell_that_is_gone_is_an_exit_code(
    recorder: Recorder, tmp_path: Path, present: bool, code: int
) -> None:
    shell = tmp_path / "bash"
    if present:
        shell.touch()
    launcher = recorder.folder().launcher("path", str(shell))

    assert run(launcher, "echo out") == (code, b"", b"")
