"""scripts/engine decides about the engine that the tests get: with stand-ins for all it calls."""

from __future__ import annotations

import os
import pty
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

TOOLS = (
    "cat", "cp", "dirname", "env", "mkdir", "seq", "setpriv", "setsid", "sh", "sleep", "tail",
    "touch",
)  # fmt: skip
DOCKERD = f"""#!{sys.executable} -PS
import os, pathlib, signal
signal.pthread_sigmask(signal.SIG_BLOCK, {{signal.SIGTERM}})
calls, up = open("calls", "a"), pathlib.Path("up")
print("dockerd", file=calls, flush=True)
up.write_text(str(os.getpid()))
signal.sigwait({{signal.SIGTERM}})
up.unlink()
print("dockerd stopped", file=calls, flush=True)
"""
APT = """\
case $* in *docker.io*) cp hidden/dockerd bin/ ;; esac
while [ "$1" != --no-install-recommends ]; do shift; done; shift
echo "apt-get install $*" >>calls
"""
ENGINE = "case $* in *inspect_image*) [ -e based ] ;; *) [ -e up ] ;; esac\n"
INSTALL = "apt-get install docker.io iptables docker-compose debootstrap"
BASE = "traceproof sandbox base bookworm"
RAN, REST = "ran", "ran -m not engine"


class Machine:
    """A machine on which a clone of the project stands, and nothing else that matters."""

    def __init__(self, folder: Path, scripts: Path) -> None:
        self.folder = folder
        (folder / "scripts").mkdir()
        for name in ("engine", "lib.sh"):
            shutil.copy(scripts / name, folder / "scripts")
        for tool in TOOLS:
            found = shutil.which(tool)
            assert found
            self.program(f"tools/{tool}", f'exec {found} "$@"\n')
        self.program(".venv/bin/python", ENGINE)
        self.program(".venv/bin/traceproof", 'echo "traceproof $*" >>calls; touch based\n')
        self.program("scripts/dockerd", "exec dockerd\n")
        self.program("bin/id", "echo 0\n")
        self.program("bin/apt-get", APT)
        self.program("hidden/dockerd", DOCKERD)
        self.command = ["sh", "-c", 'echo "ran${*:+ $*}" >>calls', "sh"]

    def program(self, name: str, text: str) -> None:
        """Put a program somewhere."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text if text.startswith("#!") else f"#!/bin/sh\n{text}")
        path.chmod(0o755)

    def installed(self, *names: str) -> None:
        for name in names:
            self.program(f"bin/{name}", DOCKERD if name == "dockerd" else "")

    def start(
        self, *arguments: str, ci: str = "", stdin: int | None = None, stdout: int | None = None
    ) -> subprocess.Popen[str]:
        return subprocess.Popen(
            ["scripts/engine", *arguments, "bookworm", *self.command],
            cwd=self.folder,
            env={"PATH": f"{self.folder}/bin:{self.folder}/tools", "CI": ci},
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            stdin=stdin,
            stdout=stdout,
        )

    def run(
        self, *arguments: str, ci: str = "", stdin: int = subprocess.DEVNULL
    ) -> tuple[int, list[str], str]:
        """Run the script; return its exit code, what was called, and what it said last."""
        process = self.start(*arguments, ci=ci, stdin=stdin)
        said = process.communicate(timeout=60)[1]
        self.said = said
        return process.returncode, self.calls(), said.splitlines()[-1] if said else ""

    def calls(self) -> list[str]:
        path = self.folder / "calls"
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def machine(root: Path, tmp_path: Path) -> Machine:
    """A machine without an engine; root works at it."""
    return Machine(tmp_path, root / "scripts")


@pytest.fixture
def with_engine(machine: Machine) -> Machine:
    """A machine on which an engine answers."""
    machine.installed("docker-compose", "debootstrap")
    (machine.folder / "up").touch()
    return machine


@pytest.mark.parametrize("code", [0, 5])
def test_an_engine_that_answers_is_used_and_left_running(with_engine: Machine, code: int) -> None:
    with_engine.command[2] += f"; exit {code}"

    ended, called, _ = with_engine.run()

    assert (ended, called) == (code, [BASE, RAN])
    assert (with_engine.folder / "up").exists()


def test_ci_installs_and_starts_one_and_stops_it(machine: Machine) -> None:
    ended, called, _ = machine.run(ci="true")

    assert (ended, called) == (0, [INSTALL, "dockerd", BASE, RAN, "dockerd stopped"])
    assert (machine.folder / "build" / "dockerd.log").exists()


def test_one_that_was_started_is_stopped_after_a_failure_too(machine: Machine) -> None:
    machine.installed("dockerd", "docker-compose", "debootstrap")
    machine.command[2] += "; exit 1"

    ended, called, _ = machine.run(ci="true")

    assert (ended, called) == (1, ["dockerd", BASE, RAN, "dockerd stopped"])


def test_only_what_is_missing_is_installed(with_engine: Machine) -> None:
    (with_engine.folder / "bin" / "docker-compose").unlink()

    _, called, _ = with_engine.run(ci="true")

    assert called == ["apt-get install docker-compose", BASE, RAN]


def test_a_base_that_is_there_needs_no_debootstrap_and_no_docker_command(
    with_engine: Machine,
) -> None:
    (with_engine.folder / "bin" / "debootstrap").unlink()
    (with_engine.folder / "based").touch()

    ended, called, _ = with_engine.run()

    assert (ended, called) == (0, [BASE, RAN])


def test_another_apt_get_is_waited_for(with_engine: Machine) -> None:
    (with_engine.folder / "bin" / "docker-compose").unlink()
    with_engine.program("bin/apt-get", 'echo "$*" >>calls\n')

    _, called, _ = with_engine.run(ci="true")

    assert called[0].startswith("-o DPkg::Lock::Timeout=300 install ")


@pytest.mark.parametrize(
    ("answer", "code", "calls"),
    [
        (b"y\n", 0, [INSTALL, "dockerd", BASE, RAN, "dockerd stopped"]),
        (b"\n", 3, [REST]),
        (b"no\n", 3, [REST]),
        (b"\x04", 3, [REST]),
    ],
)
def test_somebody_at_a_terminal_is_asked_once(
    machine: Machine, answer: bytes, code: int, calls: list[str]
) -> None:
    person, terminal = pty.openpty()
    os.write(person, answer)
    try:
        ended, called, _ = machine.run(stdin=terminal)
    finally:
        os.close(person)
        os.close(terminal)

    assert (ended, called) == (code, calls)
    assert machine.said.count("[y/N]") == 1


def nobody(machine: Machine) -> str:
    del machine
    return "nobody to ask"


def no_root(machine: Machine) -> str:
    machine.program("bin/id", "echo 1000\n")
    return "only root may apt-get install docker.io"


def no_packages(machine: Machine) -> str:
    machine.program("bin/apt-get", "exit 100\n")
    return "cannot install docker.io"


def no_debian(machine: Machine) -> str:
    (machine.folder / "bin" / "apt-get").unlink()
    return "cannot install docker.io"


def an_engine_that_dies(machine: Machine) -> str:
    machine.installed("docker-compose", "debootstrap")
    machine.program("bin/dockerd", "echo no cgroups; exit 1\n")
    return "dockerd does not answer"


def no_base(machine: Machine) -> str:
    machine.installed("docker-compose", "debootstrap")
    (machine.folder / "up").touch()
    machine.program(".venv/bin/traceproof", "exit 3\n")
    return "no base image"


@pytest.mark.parametrize(
    ("make", "ci"),
    [
        (nobody, ""),
        (nobody, "false"),
        (no_root, "true"),
        (no_packages, "true"),
        (no_debian, "true"),
        (an_engine_that_dies, "true"),
        (no_base, "true"),
    ],
)
def test_where_there_can_be_none_the_rest_is_run_and_it_fails(
    machine: Machine, make: Callable[[Machine], str], ci: str
) -> None:
    why = make(machine)

    ended, called, said = machine.run(ci=ci)

    assert (ended, called) == (3, [REST])
    assert said.startswith("setup: NOT RUN: what starts containers (")
    assert why in said


def test_what_dockerd_said_is_shown(machine: Machine) -> None:
    an_engine_that_dies(machine)
    machine.run(ci="true")

    assert "no cgroups" in machine.said


def test_the_rest_failing_is_its_own_exit_code(machine: Machine) -> None:
    machine.command[2] += "; exit 1"

    ended, _, said = machine.run()

    assert (ended, said) == (1, "setup: NOT RUN, too: what starts containers")


def test_what_needs_an_engine_as_a_whole_is_not_run(machine: Machine) -> None:
    ended, called, said = machine.run("only")

    assert (ended, called) == (3, [])
    assert "NOT RUN" in said


def test_an_interrupt_stops_the_engine_that_was_started(machine: Machine) -> None:
    machine.installed("dockerd", "docker-compose", "debootstrap")
    machine.command = ["sh", "-c", "echo running; exec sleep 60", "sh"]

    with machine.start(ci="true", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == "running\n"
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=60)

    assert process.returncode == 130
    assert machine.calls() == ["dockerd", BASE, "dockerd stopped"]


def test_a_kill_stops_the_engine_that_was_started(machine: Machine) -> None:
    machine.installed("dockerd", "docker-compose", "debootstrap")
    machine.command = ["sh", "-c", "echo running; exec sleep 60", "sh"]

    with machine.start(ci="true", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == "running\n"
        daemon = os.pidfd_open(int((machine.folder / "up").read_text()))
        os.killpg(process.pid, signal.SIGKILL)
        ended, _, _ = select.select([daemon], [], [], 60)
        if not ended:
            signal.pidfd_send_signal(daemon, signal.SIGKILL)
        os.close(daemon)

    assert ended
    assert machine.calls() == ["dockerd", BASE, "dockerd stopped"]
