"""A folder to work in that is gone afterwards, also where a process before was killed."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from traceproof.sandbox.owner import gone, me, parse

_PREFIX = "traceproof-verify-"
_OWNER = "owner"


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Make an empty folder, private to its owner, and remove it in the end.

    Raises:
        OSError: it cannot be made.
    """
    prune()
    made = Path(tempfile.mkdtemp(prefix=_PREFIX))
    try:
        (made / _OWNER).write_text(str(me()))
        inner = made / "work"
        inner.mkdir()
        yield inner
    finally:
        _remove(made)


def prune() -> list[str]:
    """Remove the folders that killed processes left; returns what was removed, in words."""
    found = Path(tempfile.gettempdir()).glob(f"{_PREFIX}*")
    return [f"folder {path}" for path in found if _is_left(path) and _remove(path)]


def _is_left(path: Path) -> bool:
    """Tell whether a folder is ours and its process is gone."""
    try:
        status = path.lstat()
        ours = stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid()
        return ours and gone(parse((path / _OWNER).read_text("ascii"))) is True
    except (OSError, ValueError):
        return False


def _remove(path: Path) -> bool:
    """Remove a folder, whatever modes what is in it has."""
    shutil.rmtree(path, ignore_errors=True)
    if path.exists():
        for folder, _, _ in os.walk(path):
            with suppress(OSError):
                Path(folder).chmod(0o700)
        shutil.rmtree(path, ignore_errors=True)
    return not path.exists()
