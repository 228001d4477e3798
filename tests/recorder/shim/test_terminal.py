"""Programs on a terminal that an agent made for them behave as without us."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Sequence

import pytest

from support.shim import Recorder

PATIENCE = 20
OWN_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], ["bash", *sys.argv[2:]])
"""
Typed = Sequence[tuple[bytes, bytes]]


class Session:
    """A program as the leader of a session on a terminal of its own."""

    def __init__(self, launcher: str, script: str, *, rows: int = 24, columns: int = 80) -> None:
        self.master, slave = os.openpty()
        self.resize(rows, columns)
        command = [sys.executable, "-IS", "-c", OWN_TERMINAL, launcher, "-c", script]
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True
        )
        os.close(slave)
        self.output = b""

    def resize(self, rows: int, columns: int) -> None:
        size = struct.pack("4H", rows, columns, 0, 0)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, size)

    def wait_for(self, text: bytes) -> None:
        """Read until a text has come."""
        while text not in self.output:
            ready, _, _ = select.select([self.master], [], [], PATIENCE)
            if not ready:
                self.process.kill()
            assert ready, self.output
            self.output += os.read(self.master, 65536)

    def type(self, text: bytes) -> None:
        os.write(self.master, text)

    def end(self) -> tuple[int, bytes, list]:
        """Read to the end; return the exit code, the output and the terminal's settings."""
        with contextlib.suppress(OSError):  # the terminal has nobody on it any more
            self.wait_for(b"\0")  # which nothing says
        code = self.process.wait(PATIENCE)
        settings = termios.tcgetattr(self.master)[:4]
        os.close(self.master)
        return code, re.sub(rb"/dev/pts/\d+", b"/dev/pts/N", self.output), settings


def play(launcher: str, script: str, typed: Typed = ()) -> tuple[int, bytes, list]:
    """Run a script; type texts, each when another one has come."""
    session = Session(launcher, script)
    for text, answer in typed:
        session.wait_for(text)
        session.type(answer)
    return session.end()


SCRIPTS: dict[str, tuple[str, Typed]] = {
    "settings": ("tty; stty -a; stty size", ()),
    "a line": ("read -rp 'name? ' name; echo hello $name", [(b"name? ", b"Ada\n")]),
    "no echo": ("read -srp 'secret? ' word; echo; echo ${#word}", [(b"secret? ", b"abc\n")]),
    "end of input": ("echo on; cat", [(b"on", b"abc\n"), (b"abc\r\nabc", b"\x04")]),
    "ctrl-c": ("echo on; exec cat", [(b"on", b"\x03")]),
    "ctrl-c trapped": (
        "trap 'echo int; exit 7' INT; echo on; while :; do sleep 0.05; done",
        [(b"on", b"\x03")],
    ),
    "ctrl-backslash": ("ulimit -c 0; exec dash -c 'echo on; exec cat'", [(b"on", b"\x1c")]),
    "raw": ("stty raw -echo; echo on; head -c 3 | od -c; stty sane", [(b"on", b"a\x03\n")]),
    "settings left": ("stty -echo; exit 3", ()),
    "merged": ("echo out; echo err >&2; echo tty > /dev/tty; printf end", ()),
    "errors elsewhere": ("exec 2>/dev/null; tty; tty >&2", ()),
    "session": (
        "ps -o pid=,pgid=,sid=,tpgid= -p $$ | awk '{ print ($1==$2) ($1==$3) ($1==$4) }'",
        (),
    ),
    "python": (
        "exec python3 -c 'import sys; print(sys.stdin.isatty(), input(\"? \"))'",
        [(b"? ", b"x\n")],
    ),
    "much": ("head -c 300000 /dev/zero | tr '\\0' x; echo", ()),
    "all closed": ("echo on; exec 0<&- >&- 2>&-; sleep 0.2; exit 7", ()),
    "killed": ("echo on; kill -9 $$", ()),
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_terminal_is_as_without_us(bash: str, recorder: Recorder, name: str) -> None:
    script, typed = SCRIPTS[name]

    plain, shim = (play(path, script, typed) for path in ("/bin/bash", bash))

    command = recorder.command()
    assert shim == plain, command.packets
    assert command["fd1"] == "tty"
    assert re.sub(rb"/dev/pts/\d+", b"/dev/pts/N", command.merged) == shim[1]


def test_jobs_can_be_stopped_and_left(bash: str) -> None:
    session = Session(bash, "PS1='> ' exec bash --norc --noprofile --noediting -i")
    session.wait_for(b"> ")
    session.type(b"dash -c 'echo started; exec sleep 60'\n")
    session.wait_for(b"\nstarted")
    session.type(b"\x1a")
    session.wait_for(b"Stopped")
    session.type(b"kill -9 %1\nexit 5\nexit 5\n")

    assert session.end()[0] == 5


def test_the_window_changes_its_size(bash: str) -> None:
    session = Session(bash, "trap 'stty size' WINCH; stty size; while :; do sleep 0.05; done")
    session.wait_for(b"24 80")

    session.resize(40, 100)
    session.wait_for(b"40 100")
    session.process.terminate()

    assert session.end()[0] == -15


@pytest.mark.parametrize("to_all", [True, False])
def test_a_change_of_size_that_is_none_is_told_all_the_same(bash: str, to_all: bool) -> None:
    session = Session(bash, "trap 'stty size; exit 3' WINCH; echo on; while :; do sleep 0.05; done")
    session.wait_for(b"on")

    send = os.killpg if to_all else os.kill
    send(session.process.pid, signal.SIGWINCH)

    code, said, _ = session.end()
    assert (code, said) == (3, b"on\r\n24 80\r\n")


def test_an_agent_that_closes_the_terminal_hangs_up(bash: str, recorder: Recorder) -> None:
    session = Session(bash, "echo on; exec sleep 1000")
    session.wait_for(b"on")

    os.close(session.master)

    assert session.process.wait(PATIENCE) == -1
    assert recorder.command().ended["signal"] == "1"


def test_a_terminal_of_somebody_else_is_left_alone(bash: str, recorder: Recorder) -> None:
    master, slave = os.openpty()
    process = subprocess.Popen(
        ["bash", "-c", "tty; exit 3"], executable=bash, stdin=slave, stdout=slave
    )
    name = os.ttyname(slave).encode()
    os.close(slave)

    assert os.read(master, 100) == name + b"\r\n"
    assert process.wait(PATIENCE) == 3
    os.close(master)
    command = recorder.command()
    assert "1" in [value.decode() for value in command.all("unrecorded")]
    assert command.ended["code"] == "3"
