"""Whether a trace is still being recorded. What it says so far is the reader's business."""

from __future__ import annotations

import fcntl
from pathlib import Path


def is_recorded(path: Path) -> bool:
    """Tell whether a recorder has a trace file open; where there are no locks, it seems not."""
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
    return False
