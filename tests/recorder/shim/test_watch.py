"""To the agent the launcher's process is the shell: signals, stops and ends."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from support.shim import Recorder
from traceproof.recorder.shim import wire

PATIENCE = 60
COUNTING = """
count=0
trap 'count=$((count + 1)); echo got' {name}
echo ready
until [ $count -gt 0 ]; do :; done
read -r line
read -r line
echo "$count signals"
"""
"""Says how often a signal came.

It waits for the first one awake: bash itself sleeps over one that comes just before a `read`.
"""

ANSWERING = """
came=0 said=0
trap 'came=$((came + 1))' USR1
echo ready
while :; do [ $came = $said ] || { said=$((said + 1)); echo got; }; done
"""
"""Says each time that a signal came, after the trap: bash loses one that comes while it runs."""


def start(launcher: str, script: str) -> subprocess.Popen[bytes]:
    """Start a script in a process group of its own, and wait until it says that it is ready."""
    process = subprocess.Popen(
        ["bash", "-c", script],
        executable=launcher,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        bufsize=0,
        process_group=0,
    )
    assert line(process) == "ready\n"
    return process


def line(process: subprocess.Popen[bytes]) -> str:
    """Return the next line that a script says, and read no further."""
    assert process.stdout
    return process.stdout.readline().decode()


def rest(process: subprocess.Popen[bytes], typed: str = "") -> str:
    """Return what else a script says."""
    output, _ = process.communicate(typed.encode(), timeout=PATIENCE)
    return output.decode()


@pytest.mark.parametrize("name", ["TERM", "HUP", "INT", "QUIT", "USR1", "ALRM"])
@pytest.mark.parametrize("whole", [False, True], ids=["alone", "group"])
def test_a_signal_comes_once(either: str, recorder: Recorder, name: str, whole: bool) -> None:
    process = start(either, COUNTING.format(name=name))

    (os.killpg if whole else os.kill)(process.pid, getattr(signal, f"SIG{name}"))
    assert line(process) == "got\n"
    assert rest(process, "\n\n\n") == "1 signals\n"

    assert process.returncode == 0
    assert recorder.command().ended["code"] == "0"


@pytest.mark.parametrize("whole", [False, True], ids=["alone", "group"])
def test_signals_one_after_the_other_come_each_once(bash: str, whole: bool) -> None:
    process = start(bash, ANSWERING)

    for _ in range(5):
        (os.killpg if whole else os.kill)(process.pid, signal.SIGUSR1)
        assert line(process) == "got\n"
    os.kill(process.pid, signal.SIGTERM)

    assert rest(process) == ""
    assert process.returncode == -signal.SIGTERM


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV, signal.SIGRTMIN]
)
def test_it_ends_by_the_signal_that_ended_the_shell(
    either: str, recorder: Recorder, number: signal.Signals
) -> None:
    ended = subprocess.run(
        ["bash", "-c", f"kill -{int(number)} $$"], executable=either, check=False
    )

    assert ended.returncode == -number
    assert recorder.command().ended["signal"] == str(int(number))


def test_exit_codes_are_the_shells(either: str, recorder: Recorder) -> None:
    for code in (0, 1, 2, 126, 127, 128, 255):
        ended = subprocess.run(["bash", "-c", f"exit {code}"], executable=either, check=False)

        assert ended.returncode == code
        assert recorder.command().ended["code"] == str(code)


@pytest.mark.parametrize("whole", [False, True], ids=["alone", "group"])
def test_killed_it_takes_the_shell_along(
    bash: str, recorder: Recorder, tmp_path: Path, whole: bool
) -> None:
    fifo = tmp_path / "alive"
    os.mkfifo(fifo)
    alive = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    process = start(bash, f"exec 9>{fifo}; echo ready; read -r line; read -r line")
    os.set_blocking(alive, True)

    (os.killpg if whole else os.kill)(process.pid, signal.SIGKILL)

    assert os.read(alive, 1) == b""  # once nobody has it open for writing
    os.close(alive)
    assert rest(process) == ""
    assert process.returncode == -signal.SIGKILL
    command = recorder.command()
    assert command.ended == {"signal": "9"}
    assert command.stream(wire.FAULT) == b""


@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN])
def test_it_stops_and_goes_on_with_the_shell(either: str, number: signal.Signals) -> None:
    process = start(either, "trap 'echo on' CONT; echo ready; read -r line; echo $line")

    for _ in range(2):
        os.killpg(process.pid, number)
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        assert (os.WIFSTOPPED(status), os.WSTOPSIG(status)) == (True, number)
        os.killpg(process.pid, signal.SIGCONT)
        _, status = os.waitpid(process.pid, os.WCONTINUED)
        assert os.WIFCONTINUED(status)

    assert "text\n" in rest(process, "text\ntext\n")
    assert process.returncode == 0


def test_a_shell_that_stops_itself_goes_on_when_told(bash: str) -> None:
    process = start(bash, "echo ready; kill -STOP $$; echo on")
    _, status = os.waitpid(process.pid, os.WUNTRACED)
    assert os.WSTOPSIG(status) == signal.SIGSTOP

    os.kill(process.pid, signal.SIGCONT)

    assert rest(process) == "on\n"
    assert process.returncode == 0


def test_a_shell_that_stops_itself_goes_on_when_its_child_tells_it(either: str) -> None:
    script = "echo ready; (until grep -q '^State:.T' /proc/$$/status; do :; done; kill -CONT $$) &"
    process = start(either, f"{script} kill -STOP $$; wait; echo on")

    assert rest(process) == "on\n"
    assert process.returncode == 0


def test_what_the_agent_ignored_stays_ignored(bash: str) -> None:
    script = "trap 'echo got' HUP; echo ready; kill -HUP $$; read -r line; echo $line"
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        process = start(bash, script)
    finally:
        signal.signal(signal.SIGHUP, before)
    os.kill(process.pid, signal.SIGHUP)

    assert rest(process, "text\n") == "text\n"
    assert process.returncode == 0


def test_a_timer_set_before_the_start_rings_in_the_shell(bash: str) -> None:
    ended = subprocess.run(
        [
            "python3",
            "-c",
            "import os, signal, sys; signal.alarm(1); os.execv(sys.argv[1], sys.argv[1:])",
            bash,
            "-c",
            "trap 'echo rang; exit 3' ALRM; while :; do sleep 0.05; done",
        ],
        stdout=subprocess.PIPE,
        check=False,
        timeout=PATIENCE,
    )

    assert (ended.returncode, ended.stdout) == (3, b"rang\n")
