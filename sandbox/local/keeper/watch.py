"""How much memory a box uses: of its processes, and of its file systems where they are in memory.

It looks when it is asked to, and ends nothing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from traceproof.sandbox.local.keeper.ending import descendants
from traceproof.sandbox.local.keeper.plan import Plan

_PAGE = os.sysconf("SC_PAGE_SIZE")
_KIB = 1024
_BLOCK = 512
_MEMFD = "/memfd:"
_SHARED = re.compile(r"\S+-\S+ \S+ \S+ \S+ (\d+) +(/dev/zero \(deleted\)|\[anon_shmem:|/memfd:)")
"""The head of a mapping of memory that processes share, and that no file system holds (proc(5))."""
_GONE = (FileNotFoundError, ProcessLookupError, PermissionError)


def memory_used(plan: Plan) -> int:
    """Return the bytes; what processes share with files does not count, what no file holds does.

    What processes share with one another is looked at closely, which takes its time, only where it
    may be too much.
    """
    pids = descendants()
    held = dict(entry for pid in pids for entry in _memfds(pid))
    certain = sum(map(_anonymous, pids)) + sum(map(_stored, _in_memory(plan)))
    certain += sum(held.values()) + _segments(plan)
    most = certain + sum(map(_shared, pids))
    if most <= plan.memory:
        return most
    return certain + sum(_mapped(pid, held.keys()) for pid in pids)


def _anonymous(pid: int) -> int:
    with suppress(*_GONE):
        _, resident, shared, *_ = Path(f"/proc/{pid}/statm").read_text().split()
        return (int(resident) - int(shared)) * _PAGE
    return 0


def _shared(pid: int) -> int:
    """Return the bytes of shared memory that a process has mapped, files in memory included."""
    with suppress(*_GONE):
        for line in Path(f"/proc/{pid}/status").read_text(errors="replace").splitlines():
            if line.startswith("RssShmem:"):
                return int(line.split()[1]) * _KIB
    return 0


def _mapped(pid: int, known: Iterable[int]) -> int:
    """Return a process's part of the memory that is mapped and held by no file: see `_SHARED`.

    Args:
        pid: the process.
        known: the inodes of what is counted already.
    """
    found, counts = 0, False
    with suppress(*_GONE):
        for line in Path(f"/proc/{pid}/smaps").read_text(errors="replace").splitlines():
            if head := _SHARED.match(line):
                counts = int(head[1]) not in known
            elif counts and line.startswith("Pss:"):
                found, counts = found + int(line.split()[1]) * _KIB, False
    return found


def _memfds(pid: int) -> list[tuple[int, int]]:
    """Return the files without a name that a process has open, in memory: inodes and bytes."""
    found = []
    with suppress(*_GONE), os.scandir(f"/proc/{pid}/fd") as entries:
        for entry in entries:
            with suppress(OSError):
                if os.readlink(entry.path).startswith(_MEMFD):  # noqa: PTH115 - text alone
                    status = entry.stat()
                    found.append((status.st_ino, status.st_blocks * _BLOCK))
    return found


def _segments(plan: Plan) -> int:
    """Return the bytes of System V's shared memory that is the box's, mapped or not."""
    with suppress(FileNotFoundError):
        head, *lines = Path("/proc/sysvipc/shm").read_text().splitlines()
        names = head.split()
        rows = [dict(zip(names, map(int, line.split()), strict=False)) for line in lines]
        return sum(row["rss"] for row in rows if plan.spaces or row["cuid"] == plan.work)
    return 0


def _in_memory(plan: Plan) -> tuple[str, ...]:
    if not plan.spaces:
        return ()
    return (plan.workspace, f"{plan.here}/home", "/tmp", "/dev/shm")  # noqa: S108 - the box's own


def _stored(folder: str) -> int:
    state = os.statvfs(folder)
    return (state.f_blocks - state.f_bfree) * state.f_frsize
