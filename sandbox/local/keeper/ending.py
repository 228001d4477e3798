"""Ending everything that was started in a box, and finding what it is.

Every descendant is a child of ours, or of one of them: orphans come to the keeper, which is the
first process of its namespace, or else a subreaper. So when there is no child left, nothing is.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from traceproof.sandbox.local.keeper.plan import Plan

_PARENT = 1
"""Its place after the name of the program (proc(5), stat)."""


def end_all(plan: Plan) -> None:
    """Kill every descendant, and wait until there is none."""
    while True:
        _kill(plan)
        if not _reap():
            return


def descendants() -> set[int]:
    """Return the pids of all that came from this process."""
    children: dict[int, list[int]] = {}
    for pid, parent in _parents():
        children.setdefault(parent, []).append(pid)
    found: set[int] = set()
    pending = [os.getpid()]
    while pending:
        more = children.pop(pending.pop(), [])
        found.update(more)
        pending.extend(more)
    return found


def _kill(plan: Plan) -> None:
    if plan.spaces:
        with suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)  # all in the namespace, but not its first: us
    elif plan.work >= 0:
        kill_user(plan.work)
    for pid in _frozen():
        _signal(pid, signal.SIGKILL)


def kill_user(user: int) -> None:
    """Kill all of a user's processes at one instant, so that none can start another.

    Args:
        user: the id; not our own.
    """
    child = os.fork()
    if not child:
        with suppress(ProcessLookupError):
            os.setresuid(user, user, user)
            os.kill(-1, signal.SIGKILL)
        os._exit(0)
    os.waitpid(child, 0)


def _frozen() -> set[int]:
    """Stop descendants until there are no new ones; what is stopped starts nothing."""
    known: set[int] = set()
    while new := descendants() - known:
        for pid in new:
            _signal(pid, signal.SIGSTOP)
        known |= new
    return known


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _reap() -> bool:
    """Wait for one that ended, and collect the others that did; False where there is none."""
    try:
        os.waitpid(-1, 0)
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


def _parents() -> Iterator[tuple[int, int]]:
    for name in os.listdir("/proc"):  # noqa: PTH208 - names alone, and often
        if name.isdigit():
            with suppress(FileNotFoundError, ProcessLookupError):
                text = Path("/proc", name, "stat").read_text(errors="replace")
                yield int(name), int(text.rpartition(")")[2].split()[_PARENT])
