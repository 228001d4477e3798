"""A launcher as an ELF file: machine code from `machinecode`, and what it is to run behind it.

It is static, has no libraries, and is small: the kernel maps two pages. What it does is written in
`x86_64.s` and `aarch64.s`. A copy of the shell may lie behind all that: nobody reads it as long as
there is the shell itself.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from traceproof.recorder.shim.machinecode import CODE

_ADDRESS = 0x400000
_ALIGNMENT = 0x10000
_WORDS = 15
_HEADERS = 64 + 2 * 56
_MACHINES = {"x86_64": 62, "aarch64": 183}
_LOAD, _STACK = 1, 0x6474E551
_READ_EXECUTE, _READ_WRITE = 5, 6


def image(
    machine: str,
    *,
    marker: int,
    real: str,
    prefix: bool,
    program: Sequence[str],
    environment: Sequence[str],
    launcher: str,
    itself: str = "",
    copy: bytes = b"",
) -> bytes:
    """Return the file of a launcher.

    Args:
        machine: As `os.uname` calls it.
        marker: The timer slack that tells that a recorded command runs, in nanoseconds.
        real: The shell to run when it does, or when anything fails.
        prefix: Whether the arguments are a command line, for the shell's `-c`.
        program: A path and three arguments; a fourth is added.
        environment: That of the program, as `NAME=value`.
        launcher: Where the file is to be. An agent that was told this path gives it as the name of
            its command; the shell that is run instead has its own path for a name.
        itself: A path of the launcher that holds wherever it runs.
        copy: The shell's file, to run where there is none at `real`; empty: do without.

    Raises:
        KeyError: there is no code for this machine.
    """
    config = _Config(_WORDS + len(environment) + 1)
    config.numbers[0] = marker
    config.numbers[1] = int(prefix)
    config.numbers[2] = config.text(real)
    config.numbers[3:7] = map(config.text, program)
    config.numbers[7] = _WORDS * 8
    config.numbers[8] = config.text("-c")
    config.numbers[9] = config.text(os.devnull)
    config.numbers[10] = config.text(itself)
    config.numbers[11] = config.text(os.path.basename(itself))
    config.numbers[14] = config.text(launcher)
    config.numbers[_WORDS:-1] = map(config.text, environment)
    size = _HEADERS + len(CODE[machine]) + len(config.encode())
    config.numbers[12:14] = size, len(copy)
    body = CODE[machine] + config.encode()
    return _headers(_MACHINES[machine], size) + body + copy


class _Config:
    """The words and texts behind the code; a text is known by its distance from the first word."""

    def __init__(self, words: int) -> None:
        self.numbers = [0] * words
        self._texts = bytearray()

    def text(self, text: str) -> int:
        place = len(self.numbers) * 8 + len(self._texts)
        self._texts += os.fsencode(text) + b"\0"
        return place

    def encode(self) -> bytes:
        return b"".join(number.to_bytes(8, "little") for number in self.numbers) + self._texts


def _headers(machine: int, size: int) -> bytes:
    ident = b"\x7fELF" + bytes((2, 1, 1, 0)) + bytes(8)
    kind = _numbers(2, 2, machine) + _numbers(4, 1)
    places = _numbers(8, _ADDRESS + _HEADERS, 64, 0) + _numbers(4, 0)
    sizes = _numbers(2, 64, 56, 2, 64, 0, 0)
    load = _numbers(4, _LOAD, _READ_EXECUTE)
    load += _numbers(8, 0, _ADDRESS, _ADDRESS, size, size, _ALIGNMENT)
    stack = _numbers(4, _STACK, _READ_WRITE) + _numbers(8, 0, 0, 0, 0, 0, 16)
    return ident + kind + places + sizes + load + stack


def _numbers(size: int, *values: int) -> bytes:
    return b"".join(value.to_bytes(size, "little") for value in values)
