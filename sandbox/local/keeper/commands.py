"""Starting a command in a box: its limits, its user, its files, and nothing of ours.

The child is the command as soon as it can be: what fails before is said as a shell would say it.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from traceproof.sandbox.local.keeper import syscalls
from traceproof.sandbox.local.keeper.plan import Plan

_NOT_FOUND, _NOT_RUN = 127, 126
NO_SUCH_FILE, NOT_ALLOWED, FAILED = 3, 4, 5
"""How an action ended that raised FileNotFoundError, ValueError, another OSError."""
_PYTHON_CHANGED = (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGCHLD, signal.SIGINT, signal.SIGTERM)


class Command(NamedTuple):
    """A program to run."""

    argv: Sequence[str]
    cwd: str
    environment: Mapping[str, str]


def start(plan: Plan, user: str, files: Sequence[int], action: Callable[[], None]) -> int:
    """Do something in a child, as one of the box's users and within its limits.

    Args:
        plan: the box.
        user: `work` or `grade`.
        files: its stdin, stdout and stderr.
        action: what to do; what it raises is its stderr.

    Returns:
        The child's pid, which is its session's as well.
    """
    child = os.fork()
    if child:
        return child
    status = FAILED
    try:
        _become(plan, user, files)
        action()
        status = 0
    except (OSError, ValueError, MemoryError, RecursionError) as error:
        status = _told(error)
    finally:
        os._exit(status)


def run(command: Command) -> None:
    """Be a program.

    Raises:
        SystemExit: never.
    """
    try:
        os.chdir(command.cwd)
        os.execvpe(command.argv[0], list(command.argv), dict(command.environment))  # noqa: S606
    except OSError as error:
        in_folder = error.filename != command.cwd
        what = command.argv[0] if in_folder else command.cwd
        os.write(2, os.fsencode(f"{what}: {error.strerror}\n"))
        missing = in_folder and isinstance(error, FileNotFoundError)
        os._exit(_NOT_FOUND if missing else _NOT_RUN)


def _become(plan: Plan, user: str, files: Sequence[int]) -> None:
    os.setsid()
    for number, file in enumerate(files):
        os.dup2(file, number)
    for name in _PYTHON_CHANGED:
        signal.signal(name, signal.SIG_DFL)
    os.umask(0o022)
    _limit(plan)
    syscalls.no_new_privileges()
    if plan.work >= 0 and user == "work":
        os.setgroups([])
        os.setresgid(plan.work, plan.work, plan.work)
        os.setresuid(plan.work, plan.work, plan.work)
    syscalls.die_with_parent(signal.SIGKILL)  # of the keeper's one thread; forgotten by setresuid


def _limit(plan: Plan) -> None:
    for kind, most in (
        (resource.RLIMIT_DATA, plan.memory),
        (resource.RLIMIT_NPROC, plan.pids),
        (resource.RLIMIT_NOFILE, plan.open_files),
        (resource.RLIMIT_FSIZE, plan.file_size),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        number = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (number, number))


def _told(error: BaseException) -> int:
    os.write(2, os.fsencode(str(error))[:1000])
    sys.stderr.flush()
    if isinstance(error, FileNotFoundError):
        return NO_SUCH_FILE
    return NOT_ALLOWED if isinstance(error, ValueError) else FAILED
