"""A box's own view of the machine: its mounts, processes and network. Needs Linux 5.12.

Everything is read-only there but the box's own folders, which are file systems in memory with a
size; home folders, `/run` and what others keep in `/tmp` are covered. It decides nothing: the plan
says what is covered and what is revealed.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from traceproof.sandbox.local.keeper import syscalls
from traceproof.sandbox.local.keeper.plan import Plan

_SHARED_MEMORY = 64 << 20
"""Bytes of /dev/shm, as in a container."""
_FOR_ALL = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108 - of the box's own
_DEVICES = ("full", "null", "random", "tty", "urandom", "zero")
_DEVICE_LINKS = {
    "fd": "/proc/self/fd",
    "ptmx": "pts/ptmx",
    "stdin": "/proc/self/fd/0",
    "stdout": "/proc/self/fd/1",
    "stderr": "/proc/self/fd/2",
}
_BYTES_A_FILE = 4096
"""Of the size of a file system, for each file there may be in it."""


def enter(plan: Plan) -> int:
    """Make the namespaces, and go on as the first process in them.

    The process that called stays outside, waits for the end, and never returns from here.

    Returns:
        A descriptor of `private` through which it can be written: by its path it cannot be, by
        nobody.

    Raises:
        OSError: this machine does not allow it.
    """
    kinds = syscalls.NEW_MOUNTS | syscalls.NEW_PIDS | syscalls.NEW_IPC
    kinds |= 0 if plan.network else syscalls.NEW_NETWORK
    user, group = os.geteuid(), os.getegid()
    syscalls.unshare(kinds | (syscalls.NEW_USER if plan.spaces == "user" else 0))
    if plan.spaces == "user":
        _keep_ids(user, group)
    child = os.fork()
    if child:
        syscalls.die_with_parent(0)  # it would be with the thread of the owner's that began
        _, status = os.waitpid(child, 0)
        os._exit(abs(os.waitstatus_to_exitcode(status)))
    syscalls.die_with_parent(signal.SIGKILL)
    private = _arrange(plan)
    flags = syscalls.NO_SETUID | syscalls.NO_DEVICES | syscalls.NO_PROGRAMS
    syscalls.mount("proc", "/proc", flags, "")
    if not plan.network:
        syscalls.raise_loopback()
    return private


def _keep_ids(user: int, group: int) -> None:
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        Path("/proc/self", name).write_text(text)


def _arrange(plan: Plan) -> int:
    syscalls.make_private()
    with _held({plan.folder, *plan.reveal}) as held:
        syscalls.read_only("/", True, everything_below=True)
        _cover(plan)
        for path in plan.reveal:
            _show(held[path], path)
        _show(held[plan.folder], plan.here)
    private = _seal(plan.here)
    user, group = plan.owner("work")
    Path(plan.workspace).mkdir(parents=True, exist_ok=True)
    for path in (f"{plan.here}/home", plan.workspace):
        _memory(path, "0700", plan.disk, f",uid={user},gid={group}")
    for name in ("passwd", "group"):
        if Path(plan.here, name).exists():
            syscalls.bind(f"{plan.here}/{name}", f"/etc/{name}")
    return private


def _seal(here: str) -> int:
    """Show the box's folder read-only; keep one way to write, which has no path."""
    syscalls.read_only(here, False, everything_below=False)
    private = os.open(f"{here}/private", os.O_DIRECTORY | os.O_CLOEXEC)
    syscalls.bind(here, here)
    syscalls.read_only(here, True, everything_below=False)
    return private


def _cover(plan: Plan) -> None:
    for path in plan.covers:
        if path not in _FOR_ALL:
            _memory(path, "0755", _SHARED_MEMORY)
    _cover_devices()
    temporary, another, shared = _FOR_ALL
    _memory(temporary, "1777", plan.disk)
    if Path(another).is_dir():
        syscalls.bind(temporary, another)
    _memory(shared, "1777", _SHARED_MEMORY)


def _cover_devices() -> None:
    """Leave the devices that are nobody's, and terminals of the box's own.

    Read-only is no hindrance to a device: your terminals, with what you type, would be in reach.
    """
    devices = [f"/dev/{name}" for name in _DEVICES if Path("/dev", name).exists()]
    with _held(devices) as held:
        _memory("/dev", "0755", _SHARED_MEMORY)
        for path in devices:
            _show(held[path], path)
    for name, target in _DEVICE_LINKS.items():
        Path("/dev", name).symlink_to(target)
    for name in ("pts", "shm"):
        Path("/dev", name).mkdir()
    flags = syscalls.NO_SETUID | syscalls.NO_PROGRAMS
    syscalls.mount("devpts", "/dev/pts", flags, "newinstance,ptmxmode=0666,mode=0620")
    syscalls.read_only("/dev", True, everything_below=False)


@contextmanager
def _held(paths: Iterable[str]) -> Iterator[dict[str, str]]:
    """Give for each path a name that reaches it after it is covered."""
    files = {path: os.open(path, os.O_PATH | os.O_CLOEXEC) for path in paths}
    try:
        yield {path: f"/proc/self/fd/{number}" for path, number in files.items()}
    finally:
        for number in files.values():
            os.close(number)


def _show(held: str, path: str) -> None:
    """Put back what was covered."""
    place = Path(path)
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        place.mkdir() if Path(held).is_dir() else place.touch()
    syscalls.bind(held, path)


def _memory(path: str, mode: str, size: int, more: str = "") -> None:
    """Mount a file system in memory."""
    files = max(size // _BYTES_A_FILE, 1024)
    options = f"mode={mode},size={size},nr_inodes={files}{more}"
    syscalls.mount("tmpfs", path, syscalls.NO_SETUID | syscalls.NO_DEVICES, options)
