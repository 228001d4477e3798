"""A private copy of a tree: files, modes, times and links, created in an order that is known.

Sockets, devices and pipes in it are left out; hard links become files of their own.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from traceproof.sandbox import tar

_MODES = 0o777
"""What is kept: no set-user-id."""
_CHUNK = 1 << 24
_NEW = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC


def copy_tree(source: str, target: str, user: int, group: int, file_order: int | None) -> None:
    """Copy what is in a folder into another.

    Args:
        source: the folder.
        target: an empty one.
        user: who is to own the copy.
        group: likewise.
        file_order: the seed of the order; None: sorted by name.
    """
    folders = [("", os.stat(source))]  # noqa: PTH116 - as below
    for relative in _walk(source, file_order):
        old, new = f"{source}/{relative}", f"{target}/{relative}"
        status = os.lstat(old)
        if stat.S_ISDIR(status.st_mode):
            os.mkdir(new, 0o700)  # noqa: PTH102
            folders.append((relative, status))
        elif stat.S_ISREG(status.st_mode):
            _copy_file(old, new, status)
        elif stat.S_ISLNK(status.st_mode):
            os.symlink(os.readlink(old), new)  # noqa: PTH115, PTH211
            os.utime(new, ns=(status.st_atime_ns, status.st_mtime_ns), follow_symlinks=False)
        else:
            continue
        os.chown(new, user, group, follow_symlinks=False)
    for relative, status in reversed(folders):
        _finish(Path(target, relative), status)


def _walk(source: str, file_order: int | None) -> Iterator[str]:
    """Yield paths below, each folder before what is in it."""
    pending = [""]
    while pending:
        folder = pending.pop()
        names = tar.in_order(os.listdir(f"{source}/{folder}"), file_order, folder)  # noqa: PTH208
        for name in names:
            path = f"{folder}/{name}" if folder else name
            yield path
            if stat.S_ISDIR(os.lstat(f"{source}/{path}").st_mode):
                pending.append(path)


def _copy_file(old: str, new: str, status: os.stat_result) -> None:
    reader = os.open(old, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    writer = os.open(new, _NEW, 0o600)
    try:
        while os.sendfile(writer, reader, None, _CHUNK):
            pass
        os.fchmod(writer, status.st_mode & _MODES)
        os.utime(writer, ns=(status.st_atime_ns, status.st_mtime_ns))
    finally:
        os.close(reader)
        os.close(writer)


def _finish(folder: Path, status: os.stat_result) -> None:
    folder.chmod(status.st_mode & _MODES)
    os.utime(folder, ns=(status.st_atime_ns, status.st_mtime_ns))
