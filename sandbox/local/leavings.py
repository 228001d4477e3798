"""What code in a box without namespaces leaves on this machine beside its folder, and its removal.

Shared memory, queues and semaphores of System V outlive every process, and so do files in folders
that are everybody's. They are told by the user id that the box had for itself: where it had none of
its own, nothing is known of them, and nothing is done.
"""

from __future__ import annotations

import ctypes
import tempfile
from contextlib import suppress
from pathlib import Path

from traceproof.sandbox.local import boxfolder, machine

_REMOVE = 0
"""IPC_RMID."""
_KINDS = {"shm": "shmid", "msg": "msqid", "sem": "semid"}
"""What the kernel calls the numbers of each kind."""
_SHARED = ("/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue")  # noqa: S108 - looked through
_libc = ctypes.CDLL(None, use_errno=True)


def clear(user: int) -> None:
    """Remove what a box's own user left; nothing of that user's may run any more.

    Args:
        user: the id; one that is not `machine.private_user`'s is left alone.

    Raises:
        SandboxError: something cannot be removed.
    """
    if not machine.is_private(user):
        return
    for kind in _KINDS:
        for number in _numbers(kind, user):
            _remove(kind, number)
    for place in {*map(Path, _SHARED), Path(tempfile.gettempdir())}:
        for path in _of(user, place):
            if path.is_dir() and not path.is_symlink():
                boxfolder.remove(path)
            else:
                path.unlink(missing_ok=True)


def _numbers(kind: str, user: int) -> list[int]:
    """Return which objects of a kind a user has made: see proc(5), /proc/sysvipc."""
    try:
        head, *lines = Path("/proc/sysvipc", kind).read_text("ascii").splitlines()
    except FileNotFoundError:  # a kernel without them
        return []
    names = head.split()
    rows = (dict(zip(names, map(int, line.split()), strict=False)) for line in lines)
    return [row[_KINDS[kind]] for row in rows if row["cuid"] == user]


def _remove(kind: str, number: int) -> None:
    """Remove an object; one that is gone already is no matter."""
    if kind == "sem":
        _libc.semctl(number, 0, _REMOVE)
    else:
        getattr(_libc, f"{kind}ctl")(number, _REMOVE, None)


def _of(user: int, place: Path) -> list[Path]:
    found = []
    with suppress(FileNotFoundError, NotADirectoryError, PermissionError):
        for path in place.iterdir():
            with suppress(FileNotFoundError):
                if path.lstat().st_uid == user:
                    found.append(path)
    return found
