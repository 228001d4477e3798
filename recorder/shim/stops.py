"""A stop of the shell, which the process that waits for it makes its own, and how that ends.

The shell may be told to go on by a process that knows only the shell: then the relay tells the
other one, which cannot see anything while it is stopped.
"""

from __future__ import annotations

import os
import select

from traceproof.recorder.shim import proc, signals

_PATIENCE = 100


class Stops:
    """What is to be continued.

    Args:
        shell: The pid of the shell.
        parent: That of the process that waits for it.

    Attributes:
        stopped: Whether the parent is about to stop, or has stopped.
        handle: A descriptor of the shell; -1: there can be none.
    """

    def __init__(self, shell: int, parent: int) -> None:
        self._shell = shell
        self._parent = parent
        self.stopped = False
        try:
            self.handle = os.pidfd_open(shell)
        except OSError:  # an older kernel, or a sandbox
            self.handle = -1

    def look(self) -> None:
        """Let the parent go on if the shell does."""
        if self.stopped and proc.is_stopped(self._parent) and not proc.is_stopped(self._shell):
            os.kill(self._parent, signals.SIGCONT)

    def shell_ended(self) -> bool:
        """Tell whether the shell has ended too, where all that wait for it are gone: all killed."""
        if self.handle < 0:
            return False
        poll = select.poll()
        poll.register(self.handle, select.POLLIN)
        return bool(poll.poll(_PATIENCE))
