"""A file that its owner alone may read, and that is there whole or not at all.

It takes no lock: of two writers of one file the last one wins.
"""

from __future__ import annotations

import os
from pathlib import Path

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def write_private(path: Path, data: bytes) -> None:
    """Write a file in place of the one before.

    The draft beside it has one name, so that the next writer clears away what a killed one left.

    Raises:
        OSError: the disk is full, or fails, or the folder may not be written to.
    """
    draft = path.with_name(f".{path.name}.draft")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, _NEW, 0o600)
    try:
        with open(handle, "wb") as file:  # noqa: PTH123 - it is open
            file.write(data)
            file.flush()
            os.fsync(handle)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
