"""What happens to the process that an agent started, while the shell runs: plain data."""

from __future__ import annotations


class Happening:
    """A signal, a change of the shell, or both.

    Attributes:
        signal: What it got; 0: nothing.
        sender: The pid that it came from.
        status: The shell's wait status, where it has stopped or ended.
        used: Microseconds in its own code, microseconds in the kernel, most memory in KiB.
    """

    def __init__(
        self, signal: int, sender: int, status: int | None, used: tuple[int, int, int]
    ) -> None:
        self.signal = signal
        self.sender = sender
        self.status = status
        self.used = used
