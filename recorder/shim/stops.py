"""A stop of the shell, which the process that waits for it makes its own, and how that ends.

The shell may be told to go on by a process that knows only the shell: then the relay tells the
other one, which cannot see anything while it is stopped.
"""

from __future__ import annotations

import os

from traceproof.recorder.shim import signals
from traceproof.recorder.shim.body import read

_STOPPED = b"Tt"


class Stops:
    """What is to be continued.

    Args:
        shell: The pid of the shell.
        parent: That of the process that waits for it.

    Attributes:
        stopped: Whether the parent is about to stop, or has stopped.
    """

    def __init__(self, shell: int, parent: int) -> None:
        self._shell = shell
        self._parent = parent
        self.stopped = False

    def look(self) -> None:
        """Let the parent go on if the shell does."""
        if self.stopped and _is_stopped(self._parent) and not _is_stopped(self._shell):
            os.kill(self._parent, signals.SIGCONT)


def _is_stopped(pid: int) -> bool:
    try:
        return read(f"/proc/{pid}/stat").rpartition(b")")[2].split()[0] in _STOPPED
    except OSError:  # it has ended
        return False
