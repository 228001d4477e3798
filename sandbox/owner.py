"""Which process made something, written so that another can tell later whether that one still runs.

A process id alone comes back: with the time it was started at, the boot of the machine, and the
process id namespace, it does not.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import NamedTuple

_PROC = Path("/proc")


class Owner(NamedTuple):
    """A process, as what it made is labelled with."""

    boot: str
    namespace: str
    pid: int
    started: int
    """Clock ticks since the boot."""

    def __str__(self) -> str:
        return f"{self.boot}:{self.namespace}:{self.pid}:{self.started}"


def me() -> Owner:
    """Return this process."""
    return _remembered(os.getpid())


def of(pid: int) -> Owner:
    """Return a process of this process id namespace.

    Raises:
        FileNotFoundError: there is none.
    """
    boot = (_PROC / "sys/kernel/random/boot_id").read_text("ascii").strip()
    namespace = str((_PROC / "self/ns/pid").readlink()).strip("pid:[]")
    return Owner(boot, namespace, pid, _started(pid))


def parse(label: str) -> Owner:
    """Read a label.

    Raises:
        ValueError: it is none.
    """
    boot, namespace, pid, started = label.split(":")
    return Owner(boot, namespace, int(pid), int(started))


def gone(owner: Owner) -> bool | None:
    """Say whether a process has ended; None where that cannot be known from here."""
    here = me()
    if owner.boot != here.boot:
        return None
    if owner.namespace != here.namespace:
        return None
    try:
        return _started(owner.pid) != owner.started
    except FileNotFoundError:
        return True


@cache
def _remembered(pid: int) -> Owner:
    return of(pid)


def _started(pid: int) -> int:
    """Return when a process was started, in clock ticks since the boot; 0 for a zombie."""
    try:
        stat = (_PROC / str(pid) / "stat").read_text("utf-8", "replace")
    except ProcessLookupError as error:  # it ended as it was read
        raise FileNotFoundError(pid) from error
    fields = stat.rpartition(")")[2].split()
    return 0 if fields[0] in "ZX" else int(fields[19])
