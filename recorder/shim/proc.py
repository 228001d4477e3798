"""What /proc says about processes."""

from __future__ import annotations

import os

from traceproof.recorder.shim import signals

_STOPPED = b"Tt"


def stat(pid: int) -> list[bytes]:
    """Return the words of a process's `stat` from its state on, the third of them."""
    return read(f"/proc/{pid}/stat").rpartition(b")")[2].split()


def is_stopped(pid: int) -> bool:
    """Tell whether a process is stopped; one that has ended is not."""
    try:
        return stat(pid)[0] in _STOPPED
    except OSError:
        return False


def pending(pid: int) -> list[int]:
    """Return the signals that wait for a process."""
    return _signals(pid, b"ShdPnd:")


def ignored(pid: int) -> list[int]:
    """Return the signals that a process ignores."""
    return _signals(pid, b"SigIgn:")


def _signals(pid: int, name: bytes) -> list[int]:
    for line in read(f"/proc/{pid}/status").splitlines():
        if line.startswith(name):
            return signals.numbers(int(line.split()[1], 16))
    return []


def texts(path: str) -> list[bytes]:
    """Return the texts in a file of /proc, each of which ends with a NUL."""
    return read(path).split(b"\0")[:-1]


def read(path: str) -> bytes:
    """Return the bytes of a file, also of one in /proc."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        parts = []
        while part := os.read(descriptor, 1 << 17):
            parts.append(part)
        return b"".join(parts)
    finally:
        os.close(descriptor)
