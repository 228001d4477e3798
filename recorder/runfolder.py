"""A folder for one recording's programs and its socket, in a place from which programs can be run.

It is removed at the end, unless a process still lives by it: what an agent left behind may have its
shells here. Then the next recording that is started removes it, once nobody needs it any more.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

MOUNTS = "mounts"
"""The file that names the mount namespace made with this folder (see `shim.enter`)."""

_PREFIX = "traceproof-run-"
_LOCK = "lock"
_LONGEST = 60
"""Bytes of the folder's path: a socket in it must stay below 108, a launcher below 80."""

_PLACES = ("/tmp", "/var/tmp", "/dev/shm", "/run")  # noqa: S108 - the folder made there is private


class RunFolder:
    """The folder, from its making to its end."""

    def __init__(self, *, passable: bool = False) -> None:
        """Make it; `passable` lets other users reach what is named in it, but not list it.

        Raises:
            OSError: there is no place for it.
        """
        sweep()
        self.path = _make()
        if passable:
            self.path.chmod(0o711)
        self._lock = os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def close(self) -> None:
        """Remove it, or leave it to a later `sweep`."""
        if not _in_use(self.path):
            shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def sweep() -> None:
    """Remove the folders of recordings that are over."""
    for place in _places():
        for folder in place.glob(f"{_PREFIX}*"):
            with suppress(OSError):  # somebody else's, or gone meanwhile
                _remove_leftover(folder)


def _remove_leftover(folder: Path) -> None:
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        return
    lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not _in_use(folder):
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(lock)


def _make() -> Path:
    problem: OSError = FileNotFoundError("no folder that programs can be run from")
    for place in _places():
        if len(os.fsencode(place)) + len(_PREFIX) + 9 > _LONGEST:
            continue
        try:
            if not os.statvfs(place).f_flag & os.ST_NOEXEC:
                return Path(tempfile.mkdtemp(prefix=_PREFIX, dir=place))
        except OSError as error:
            problem = error
    raise problem


def _places() -> Iterator[Path]:
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    places = [tempfile.gettempdir(), *([runtime] if runtime else []), *_PLACES]
    yield from (Path(place) for place in dict.fromkeys(places) if Path(place).is_dir())


def _in_use(folder: Path) -> bool:
    """Tell whether a process has the folder in its environment, or lives in its namespace."""
    try:
        namespace = int((folder / MOUNTS).read_text().split()[0])
    except (OSError, ValueError, IndexError):
        namespace = 0
    path = os.fsencode(folder)
    return any(_needs(process, path, namespace) for process in Path("/proc").glob("[0-9]*"))


def _needs(process: Path, path: bytes, namespace: int) -> bool:
    try:
        if namespace and (process / "ns/mnt").stat().st_ino == namespace:
            return True
        return path in (process / "environ").read_bytes()
    except OSError:  # it has ended, or is not ours
        return False
