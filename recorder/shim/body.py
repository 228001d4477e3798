"""The process that becomes the shell, while it still waits for us: as the launcher left it.

The launcher's machine code forked it before this program. So it holds untouched what the agent gave
to the shell: arguments, environment, signals, descriptors. `forked` does the same without machine
code.
"""

from __future__ import annotations

import os

from traceproof.recorder.shim import proc, script, signals, sockets
from traceproof.recorder.shim.outer import Outer
from traceproof.recorder.shim.plan import Plan

_SAID = 24
_CLOSED = 0xFF00


class Body:
    """The waiting process.

    Args:
        word: What the launcher says: the descriptors of the sockets to it and to the process that
            the agent started, and of what is to be descriptor 2 here.
        settings: What `install` wrote into the program.

    Attributes:
        pid: Its own.
        arguments: What the agent started: an argument vector.
        environment: Its environment, as `NAME=value`.
        outer: The process that the agent started.

    Raises:
        OSError: nothing can be known about it, or it is gone.
    """

    def __init__(self, word: str, settings: dict[str, str]) -> None:
        number = 0
        for letter in word:
            number = number << 4 | ord(letter) - 64
        _give_back(number & 0xFFFF)
        signals.default(signals.SIGCHLD)
        self._socket = sockets.from_descriptor(number >> 32)
        outer = sockets.from_descriptor(number >> 16 & 0xFFFF)
        self._machine = settings["machine"]
        said = sockets.receive_all(self._socket, _SAID)
        self.pid = int.from_bytes(said[:8], "little")
        self.arguments = proc.texts(f"/proc/{self.pid}/cmdline")
        self.environment = proc.texts(f"/proc/{self.pid}/environ")
        self.outer = Outer(outer, self._machine, int.from_bytes(said[16:], "little"), self.pid)

    def become(self, plan: Plan) -> None:
        """Have it carry out a plan.

        Raises:
            OSError: it could not be told.
        """
        text, descriptors = script.encode(plan, self._machine)
        sockets.send_all(self._socket, text, descriptors)


def _give_back(errors: int) -> None:
    """Put descriptor 2 back: the launcher kept it from a Python that might not start."""
    if errors < _CLOSED:
        os.dup2(errors, 2)
        os.close(errors)
    else:
        os.close(2)


def end(pid: int) -> None:
    """Kill a child and reap it."""
    os.kill(pid, signals.SIGKILL)
    os.waitpid(pid, 0)


def keep_only(numbers: set[int]) -> None:
    """Close all descriptors but these."""
    for name in os.listdir("/proc/self/fd"):
        if int(name) not in numbers:
            try:
                os.close(int(name))
            except OSError:  # the one that read the list
                continue
