"""Files as the worker makes them, and as it finds them afterwards."""

from __future__ import annotations

import hashlib
import os
import stat

_LONG = 100_000


def make(path: str, content: bytes, mode: int) -> None:
    """Write a file."""
    with open(path, "wb") as file:  # noqa: PTH123
        file.write(content)
    os.chmod(path, mode)  # noqa: PTH101


def read(path: str) -> bytes:
    """Return the bytes of a file; nothing: it is gone."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            return file.read()
    except OSError:
        return b""


def tree(folder: str) -> dict[str, tuple[int, bytes]]:
    """Return the mode of everything in a folder, and what it holds."""
    found = {}
    for above, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = os.path.join(above, name)  # noqa: PTH118
            mode = os.lstat(path).st_mode
            content = b""
            if stat.S_ISLNK(mode):
                content = os.fsencode(os.readlink(path))  # noqa: PTH115
            elif stat.S_ISREG(mode):
                content = short(read(path))
            found[os.path.relpath(path, folder)] = (mode, content)
    return found


def short(content: bytes) -> bytes:
    """Return bytes as they are, or where they are many their number and their hash."""
    if len(content) <= _LONG:
        return content
    return b"%d bytes, %s" % (len(content), hashlib.sha256(content).hexdigest().encode())
