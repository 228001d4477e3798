"""What the shim's packets say of a command, as plain values. Nothing in them is trusted."""

from __future__ import annotations

import signal
from typing import NamedTuple

from traceproof.recorder.shell.command import CommandStart
from traceproof.recorder.shell.connection import Hello, as_number
from traceproof.recorder.shim import wire

LATEST = 60_000_000_000
"""Nanoseconds that a packet may have been under way; one that says more has a wrong clock."""

_KINDS = frozenset({"pipe", "file", "socket", "tty", "null", "closed", "other"})
_DESCRIPTORS = {"fd0": "stdin", "fd1": "stdout", "fd2": "stderr"}


class ShellEnd(NamedTuple):
    """How a shell ended: a code, or a signal's name, or (both empty) in a way it did not say."""

    exit_code: int | None
    signal: str
    user_seconds: float | None
    system_seconds: float | None
    max_rss_bytes: int | None


class Drained(NamedTuple):
    """That no more output will come."""

    outlived: bool
    lost: int


def command_start(hello: Hello, now: int) -> CommandStart:
    """Read a shell's hello, which came at `now` (Unix nanoseconds)."""
    said = hello.below("fd")
    streams = {
        _DESCRIPTORS[f"fd{number}"]: kind if kind in _KINDS else "other"
        for number, kind in said.items()
        if f"fd{number}" in _DESCRIPTORS
    }
    return CommandStart(
        hook=hello.text("hook"),
        executable=hello.text("real"),
        args=tuple(hello.all("arg")),
        cwd=hello.text("cwd"),
        pid=hello.number("pid"),
        ppid=hello.number("ppid"),
        sid=hello.number("sid"),
        pgid=hello.number("pgid"),
        started=credible(hello.time, now - LATEST, now),
        environment=hello.below("env."),
        streams=streams,
        merged=hello.bytes("merged") == b"1",
    )


def shell_end(payload: bytes) -> ShellEnd:
    """Read how the shell ended.

    Raises:
        ValueError: these are no fields.
    """
    said = dict(wire.decode_fields(payload))
    return ShellEnd(
        exit_code=_known(said, b"code"),
        signal=_signal_name(said.get(b"signal", b"")),
        user_seconds=_scaled(said, b"utime_us", 1e-6),
        system_seconds=_scaled(said, b"stime_us", 1e-6),
        max_rss_bytes=None if (size := _known(said, b"maxrss_kb")) is None else size << 10,
    )


def drained(payload: bytes) -> Drained:
    """Read that the streams ended.

    Raises:
        ValueError: these are no fields.
    """
    said = dict(wire.decode_fields(payload))
    return Drained(said.get(b"outlived") == b"1", as_number(said.get(b"lost", b"")))


def credible(time: int, earliest: int, now: int) -> int:
    """Return a time (Unix nanoseconds) if it lies between two others, else the nearer of them."""
    return min(max(time, earliest), now)


def _known(said: dict[bytes, bytes], name: bytes) -> int | None:
    value = said.get(name, b"")
    return as_number(value) if value.isdigit() else None


def _scaled(said: dict[bytes, bytes], name: bytes, unit: float) -> float | None:
    number = _known(said, name)
    return None if number is None else round(number * unit, 6)


def _signal_name(value: bytes) -> str:
    number = as_number(value)
    try:
        return signal.Signals(number).name if number else ""
    except ValueError:
        return f"SIG{number}"
