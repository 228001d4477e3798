"""What a store holds, and whether it can be written now."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

_PROBE = bytes(64 << 10)


def used(folder: Path) -> int:
    """Return the bytes that a folder's files take, links not followed.

    What goes meanwhile is 0, and so is what may not be looked into: a volume's `lost+found`.
    """
    total, waiting = 0, [os.fspath(folder)]
    while waiting:
        with suppress(FileNotFoundError, PermissionError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                else:
                    total += _size(entry)
    return total


def _size(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat(follow_symlinks=False).st_size
    except FileNotFoundError:
        return 0


def trouble(folder: Path) -> str:
    """Write a little to a folder and take it back; return in one line why that fails, or ""."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(_PROBE)
    except OSError as error:
        return f"{folder}: {error.strerror or error}"
    return ""
