"""What a store holds, and whether it can be written now."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

_PROBE = bytes(64 << 10)


def used(folder: Path) -> int:
    """Return the bytes that a folder's files take, links not followed; what goes meanwhile is 0."""
    total, waiting = 0, [os.fspath(folder)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    else:
                        total += entry.stat(follow_symlinks=False).st_size
        except FileNotFoundError:
            continue
    return total


def trouble(folder: Path) -> str:
    """Write a little to a folder and take it back; return in one line why that fails, or ""."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(_PROBE)
    except OSError as error:
        return f"{folder}: {error.strerror or error}"
    return ""
