"""A program that is recorded has the terminal to itself."""

from __future__ import annotations

import fcntl
import os
import re
import select
import struct
import sys
import termios
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from traceproof.proxy.testing import ScriptedModel
from traceproof.recorder import semconv

if TYPE_CHECKING:
    from support.stage import Stage

DEADLINE = 30.0
OWN_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""
PROGRAM = r"""
import os, signal, sys, termios, tty
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGWINCH, signal.SIGINT})
print("ttys", [os.isatty(fd) for fd in (0, 1, 2)], os.get_terminal_size(), flush=True)
before = termios.tcgetattr(0)
tty.setraw(0)
print("raw", flush=True)
key = os.read(0, 1)
termios.tcsetattr(0, termios.TCSADRAIN, before)
print("key", key, flush=True)
signal.sigwait({signal.SIGWINCH})
print("resized", os.get_terminal_size(), flush=True)
signal.sigwait({signal.SIGINT})
print("interrupted", flush=True)
sys.exit(5)
"""


class Terminal:
    """A terminal, typed at and read as by a person."""

    def __init__(self) -> None:
        self.master, self.slave = os.openpty()
        self.text = ""
        self._read_to = 0

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def expect(self, pattern: str) -> None:
        """Read on until the pattern has come, after what the last one matched."""
        until = time.monotonic() + DEADLINE
        while not (found := re.compile(pattern).search(self.text, self._read_to)):
            ready, _, _ = select.select([self.master], [], [], until - time.monotonic())
            assert ready, f"{pattern!r} did not come; so far: {self.text!r}"
            self.text += os.read(self.master, 65536).decode(errors="replace")
        self._read_to = found.end()


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    opened = Terminal()
    yield opened
    os.close(opened.master)
    os.close(opened.slave)


def test_size_raw_mode_and_ctrl_c_are_the_programs_own(stage: Stage, terminal: Terminal) -> None:
    terminal.resize(31, 101)
    streams = dict.fromkeys(("stdin", "stdout", "stderr"), terminal.slave)
    with ScriptedModel([]) as model:
        command = [sys.executable, "-c", PROGRAM]
        process = stage.start(
            model, *command, before=[sys.executable, "-c", OWN_TERMINAL], **streams
        )
        terminal.expect(r"ttys \[True, True, True\] os.terminal_size\(columns=101, lines=31\)")
        terminal.expect("raw")
        terminal.type(b"\x03")  # in raw mode it is a key like any other
        terminal.expect(r"key b'\\x03'")
        terminal.resize(40, 90)
        terminal.expect(r"resized os.terminal_size\(columns=90, lines=40\)")
        terminal.type(b"\x03")
        terminal.expect("interrupted")
        terminal.expect(r"traceproof: recorded in .*\.otlp\.jsonl\.zst")
        assert stage.finish(process).returncode == 5

    assert stage.trace().root.attributes[semconv.PROCESS_EXIT_CODE] == 5
    assert "Traceback" not in terminal.text
