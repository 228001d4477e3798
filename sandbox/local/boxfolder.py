"""The folders of local boxes on this machine's disk: made, found again, and removed.

Each says whose it is, so that what a dead owner left can be told from what is in use. What runs in
a box is not ended here.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from traceproof.sandbox import owner
from traceproof.sandbox.errors import SandboxError

_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of ours in it, which none but we may enter
_CHANNEL_MODE = 0o222
"""To be written; what is on its way is not read, not even by its user."""
_NAMED_USERS = ("passwd", "group")


def places(*, in_memory: bool = False) -> list[Path]:
    """Return the folders that hold boxes, the wanted kind first."""
    name = f"traceproof-{os.geteuid()}"
    disk, memory = Path(tempfile.gettempdir(), name), _SHARED_MEMORY / name
    return [memory, disk] if in_memory else [disk, memory]


def memory_serves() -> bool:
    """Say whether there is a file system in memory whose programs may run."""
    try:
        state = os.statvfs(_SHARED_MEMORY)
    except OSError:
        return False
    mounts = Path("/proc/self/mounts").read_text().splitlines()
    kinds = [line.split()[2] for line in mounts if line.split()[1] == str(_SHARED_MEMORY)]
    return kinds[-1:] == ["tmpfs"] and not state.f_flag & os.ST_NOEXEC


def make(place: Path, user: int) -> Path:
    """Make a box's folder.

    Args:
        place: where; it is made as well.
        user: the user id of `work`; -1: our own.

    Raises:
        SandboxError: somebody else has been at the place.
    """
    mode = 0o700 if user < 0 else 0o711
    _claim(place, mode)
    folder = place / f"box-{secrets.token_hex(8)}"
    with _locked(place):
        folder.mkdir(0o700)
        (folder / "owner").write_text(str(owner.me()))
    os.mkfifo(folder / "channel")
    (folder / "private").mkdir(0o755)
    (folder / "private").chmod(0o755)
    if user >= 0:
        _name_users(folder, user)
    fresh(folder, user)
    folder.chmod(mode)
    return folder


def open_channel(folder: Path) -> int:
    """Open the reports' pipe for reading, and close this way to everybody after us.

    Returns:
        A descriptor that never comes to an end of the file.
    """
    channel = os.open(folder / "channel", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    os.fchmod(channel, _CHANNEL_MODE)
    return channel


def fresh(folder: Path, user: int) -> None:
    """Make the folders of `work` as they were at first: empty."""
    for name in ("home", "tmp", "workspace"):
        if (folder / name).exists():
            remove(folder / name)
        (folder / name).mkdir(0o700)
        if user >= 0:
            os.chown(folder / name, user, user)


def remove(path: Path) -> None:
    """Remove a folder, whatever was made of it; nothing may run in it any more.

    Raises:
        SandboxError: it cannot be removed.
    """
    with suppress(FileNotFoundError):
        try:
            shutil.rmtree(path)
        except (OSError, RecursionError):  # modes without x, or folders too deep for Python
            _remove_hard(path)


def boxes(*, in_use: bool) -> list[Path]:
    """Return the folders of the boxes whose owners are gone, as far as that is known from here.

    Args:
        in_use: whether to return those of living owners as well.
    """
    found: list[Path] = []
    for place in places():
        with suppress(FileNotFoundError):
            _check(place)
            with _locked(place):
                here = sorted(place.glob("box-*"))
                found += [folder for folder in here if in_use or _is_left_over(folder)]
    return found


def user_of(folder: Path) -> int:
    """Return the user id of a box's `work`, our own where it had none of its own."""
    try:
        return (folder / "home").stat().st_uid
    except FileNotFoundError:
        return os.geteuid()


def _is_left_over(folder: Path) -> bool:
    try:
        label = owner.parse((folder / "owner").read_text())
    except (FileNotFoundError, ValueError):  # its making or its removal was cut short
        return True
    return label.boot != owner.me().boot or owner.gone(label) is True


@contextmanager
def _locked(place: Path) -> Iterator[None]:
    """Let nobody look at a box before it says whose it is."""
    with (place / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _claim(place: Path, mode: int) -> None:
    with suppress(FileExistsError):
        place.mkdir(0o700)
    _check(place)
    if place.stat().st_mode & 0o777 != mode:
        place.chmod(mode)


def _check(place: Path) -> None:
    status = place.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
        raise SandboxError(f"{place} is not yours: remove it, or set TMPDIR to another folder")


def _name_users(folder: Path, user: int) -> None:
    for name in _NAMED_USERS:
        with suppress(FileNotFoundError):
            more = f"work:x:{user}:{user}::{folder}/home:/bin/sh\n"
            line = more if name == "passwd" else f"work:x:{user}:\n"
            (folder / name).write_text(Path("/etc", name).read_text() + line)
            (folder / name).chmod(0o644)


def _remove_hard(path: Path) -> None:
    for words in (["chmod", "-R", "u+rwX"], ["rm", "-rf"]):
        done = subprocess.run(
            [*words, "--", str(path)], capture_output=True, text=True, check=False
        )
    if done.returncode:
        last = done.stderr.strip().rpartition("\n")[2]
        raise SandboxError(f"{path} cannot be removed: {last}")
