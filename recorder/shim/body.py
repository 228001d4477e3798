"""The process that becomes the shell, while it still waits for us: as the launcher left it.

The launcher's machine code forked it before it became Python. So it holds untouched what the agent
gave to the shell: arguments, environment, signals, descriptors. `forked` does the same without
machine code.
"""

from __future__ import annotations

import os

from traceproof.recorder.shim import script, signals, sockets
from traceproof.recorder.shim.plan import Plan


class Body:
    """The waiting process.

    Args:
        word: What the launcher says: the sentinel's pid, and the descriptor of the socket to it.
        settings: What `install` wrote into the program.

    Attributes:
        pid: Its own.
        sentinel: The pid of the sentinel.
        blocked: The signals the agent had blocked.
        ignored: Those it had ignored.
        arguments: What the agent started: an argument vector.
        environment: Its environment, as `NAME=value`.
        descriptor: That of the socket to it.
    """

    def __init__(self, word: str, settings: dict[str, str]) -> None:
        number = 0
        for letter in word:
            number = number << 4 | ord(letter) - 64
        self.sentinel, self.descriptor = divmod(number, 1 << 16)
        self._launcher = settings["launcher"]
        self._machine = settings["machine"]
        self._marker = int(settings["marker"])
        self._socket = sockets.from_descriptor(self.descriptor)
        said = self._socket.recv(16)
        self.pid = int.from_bytes(said[:8], "little")
        self.blocked = signals.numbers(int.from_bytes(said[8:], "little"))
        self.ignored = _ignored(self.pid)
        self.arguments = texts(f"/proc/{self.pid}/cmdline")
        self.environment = texts(f"/proc/{self.pid}/environ")

    def become(self, plan: Plan) -> None:
        """Have it carry out a plan.

        Raises:
            OSError: it could not be told.
        """
        text, descriptors = script.encode(plan, self._machine)
        sockets.send_all(self._socket, text, descriptors)

    def dismiss(self) -> None:
        """End it and its sentinel, so that this process can become the shell itself."""
        self._socket.close()
        os.waitpid(self.pid, 0)
        self.end_sentinel()

    def end_sentinel(self) -> None:
        """End the sentinel."""
        end(self.sentinel)

    def renew_sentinel(self) -> None:
        """Put a new sentinel in the place of the old one, which has seen signals.

        Raises:
            OSError: there can be no new one; the old one stays.
        """
        old = self.sentinel
        slack = os.open("/proc/self/timerslack_ns", os.O_WRONLY | os.O_CLOEXEC)
        os.write(slack, b"%d" % (self._marker + 1))
        os.close(slack)
        self.sentinel = os.posix_spawn(self._launcher, ["traceproof"], {})
        end(old)


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


def texts(path: str) -> list[bytes]:
    """Return the texts in a file of /proc, each of which ends with a NUL."""
    return read(path).split(b"\0")[:-1]


def _ignored(pid: int) -> list[int]:
    for line in read(f"/proc/{pid}/status").splitlines():
        if line.startswith(b"SigIgn:"):
            return signals.numbers(int(line.split()[1], 16))
    return []


def read(path: str) -> bytes:
    """Return the bytes of a file, also of one in /proc."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        parts = []
        while part := os.read(descriptor, 1 << 17):
            parts.append(part)
        return b"".join(parts)
    finally:
        os.close(descriptor)
