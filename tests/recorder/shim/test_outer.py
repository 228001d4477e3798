"""Whatever becomes of the program, the process that the agent started is the shell to the agent."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from support.shim import Recorder
from traceproof.recorder.shim import wire

PATIENCE = 60


def hidden(shim: Path) -> None:
    launcher = Path("path", "bash")
    shim.rename(shim.with_name("elsewhere"))
    (shim / launcher.parent).mkdir(parents=True)
    (shim.with_name("elsewhere") / launcher).rename(shim / launcher)


def without_a_program(shim: Path) -> None:
    (shim / "path.bash.pyc").unlink()


def with_half_a_program(shim: Path) -> None:
    program = shim / "path.bash.pyc"
    os.truncate(program, program.stat().st_size // 2)


def with_another_interpreter(shim: Path) -> None:
    (shim / "traceproof").unlink()
    (shim / "traceproof").symlink_to("/bin/cat")


def with_one_that_is_killed(shim: Path) -> None:
    (shim / "traceproof").unlink()
    (shim / "traceproof").write_text("#!/bin/sh\nkill -9 $$\n")
    (shim / "traceproof").chmod(0o755)


def with_one_without_its_library(shim: Path) -> None:
    (shim / "traceproof").unlink()
    (shim / "traceproof").write_text(f"#!/bin/sh\nPYTHONHOME=/nowhere {sys.executable} -c 1\n")
    (shim / "traceproof").chmod(0o755)


BROKEN = [
    hidden,
    without_a_program,
    with_half_a_program,
    with_another_interpreter,
    with_one_that_is_killed,
    with_one_without_its_library,
]


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.__name__)
def test_a_program_that_does_not_start_leaves_the_shell_in_its_place(
    recorder: Recorder, bash: str, broken: Callable[[Path], None]
) -> None:
    broken(recorder.folder().folder)
    told = "echo $$ $0 $PPID; cat /proc/$$/timerslack_ns; pgrep -cP $$; exit 3"
    process = subprocess.Popen(
        ["bash", "-c", told, "a name"],
        executable=bash,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    output, errors = process.communicate(timeout=PATIENCE)

    assert output.decode() == f"{process.pid} a name {os.getpid()}\n50000\n0\n"
    assert (process.returncode, errors) == (3, b"")
    assert recorder.commands == []


def children(pid: int) -> set[str]:
    said = subprocess.run(["pgrep", "-P", str(pid)], stdout=subprocess.PIPE, text=True, check=True)
    return set(said.stdout.split())


@pytest.mark.parametrize(
    ("end", "code"), [("exit 3", 3), ("kill -USR1 $$", -signal.SIGUSR1), ("kill -9 $$", -9)]
)
def test_a_program_that_is_killed_leaves_a_shell_that_ends_as_it_ends(
    bash: str, recorder: Recorder, end: str, code: int
) -> None:
    process = subprocess.Popen(
        ["bash", "-c", f"trap 'echo got' TERM; echo ready; read -r x; read -r x; {end}"],
        executable=bash,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout
    assert process.stdout.readline() == b"ready\n"
    command = recorder.command(closed=False)
    (program,) = children(process.pid) - {command["pid"]}

    os.kill(int(program), signal.SIGKILL)
    process.terminate()
    while not select.select([process.stdout], [], [], 0.5)[0]:
        process.terminate()  # the first one came to the program as it died
    while b"not known" not in command.stream(wire.FAULT):
        select.select([], [], [], 0.01)

    output, _ = process.communicate(b"\n\n\n", timeout=PATIENCE)
    assert (process.returncode, output.replace(b"got\n", b"")) == (code, b"")
    assert recorder.command(command).ended == {}


def test_while_the_shell_runs_it_holds_nothing_and_is_called_nothing_of_the_shells(
    bash: str,
) -> None:
    with subprocess.Popen(
        ["bash", "-c", "echo ready; read -r looked-for; exit 3"],
        executable=bash,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
        files = Path(f"/proc/{process.pid}/fd")
        held = {str(file.readlink()).partition(":")[0] for file in files.iterdir()}
        words = Path(f"/proc/{process.pid}/cmdline").read_bytes()

        assert (held, words.strip(b"\0")) == ({"socket"}, b"")
        assert Path(f"/proc/{process.pid}/comm").read_text() == "traceproof\n"


def test_an_agent_that_waits_for_no_child_is_told_all_the_same(bash: str) -> None:
    script = "import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN)"
    script += "; os.execv(sys.argv[1], sys.argv[1:])"
    words = [sys.executable, "-c", script, bash, "-c", "(exit 4); echo $?; exit 3"]

    done = subprocess.run(words, stdout=subprocess.PIPE, check=False, timeout=PATIENCE)

    assert (done.returncode, done.stdout) == (3, b"4\n")
