"""Reading files that git does not know, each as git would keep it, within limits.

A file is looked at without following links and without waiting for a pipe's other end. Private keys
are never taken.
"""

from __future__ import annotations

import os
import stat

import msgspec

from traceproof.recorder.secret_files import is_private_key


class LeftOutError(Exception):
    """A file is not read; the message says why."""


class UntrackedFile(msgspec.Struct, frozen=True):
    r"""A file that git does not know and does not ignore.

    `path` is relative to the repository's root; bytes of it that are not UTF-8 are written `\xNN`.
    `mode` is git's: 100644, 100755, or 120000 for a symbolic link, whose data is its target.
    """

    path: str
    mode: str
    data: bytes


def read_untracked(root: bytes, name: bytes, most: int) -> UntrackedFile:
    """Read one file.

    Args:
        root: the repository's root.
        name: the file's path in it, as `git ls-files` prints it.
        most: its greatest size in bytes.

    Raises:
        LeftOutError: it is too long, cannot be read, is no file, or is a private key.
    """
    if name.endswith(b"/"):
        raise LeftOutError("a repository of its own")
    path = os.path.join(root, name)  # noqa: PTH118 - pathlib has no paths of bytes
    try:
        kind = os.lstat(path).st_mode
        if stat.S_ISLNK(kind):
            target = os.readlink(path)  # noqa: PTH115 - likewise
            return UntrackedFile(readable(name), "120000", target)
        if not stat.S_ISREG(kind):
            raise LeftOutError("not a regular file")
        data = _read(path, most)
    except OSError as error:
        raise LeftOutError(f"cannot be read: {error.strerror}") from None
    if is_private_key(readable(name), data):
        raise LeftOutError("a private key")
    return UntrackedFile(readable(name), "100755" if kind & stat.S_IXUSR else "100644", data)


def _read(path: bytes, most: int) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:  # noqa: PTH123 - it is open already
        size = os.fstat(descriptor).st_size
        data = b"" if size > most else file.read(most + 1)
    if max(size, len(data)) > most:
        raise LeftOutError(f"its {max(size, len(data))} bytes are over the {most} that are left")
    return data


def readable(name: bytes) -> str:
    """Return a path as text, whatever bytes it is made of."""
    return name.decode(errors="backslashreplace")
