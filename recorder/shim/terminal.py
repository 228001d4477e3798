"""A terminal inside the terminal that an agent made for a command, so that its output can be read.

Where an agent starts a shell as the leader of a session on a terminal of its own, the shell gets a
terminal of ours with the same settings and size, and the agent's becomes a raw line between the
two. A terminal that belongs to somebody else, a user's for instance, is left alone.
"""

from __future__ import annotations

import fcntl
import os
import time

from traceproof.recorder.shim import signals
from traceproof.recorder.shim.descriptors import TTY, Descriptor

_SIZE = bytes(8)
_MOST_TYPED = 4096
_INPUT, _OUTPUT, _CONTROL, _LOCAL, _CHARACTERS = 0, 1, 2, 3, 6


class Terminal:
    """The two terminals of a command.

    Args:
        outer: A descriptor of the agent's.
        numbers: All of the command's that are this terminal.

    Attributes:
        numbers: The same.
        master: The side of the inner one that we have.
        slave: The side that the command gets.
    """

    def __init__(self, outer: int, numbers: list[int]) -> None:
        import termios  # noqa: PLC0415  # not each command has a terminal; likewise below

        self.numbers = numbers
        self._settings = termios.tcgetattr(outer)
        self.master, self.slave = os.openpty()
        self.outer = fcntl.fcntl(outer, fcntl.F_DUPFD_CLOEXEC, 3)
        termios.tcsetattr(self.slave, termios.TCSANOW, self._settings)
        self.resize()

    def open(self) -> None:
        """Turn the agent's terminal into a line that changes nothing; what is typed moves over."""
        import termios  # noqa: PLC0415

        local = self._settings[_LOCAL]
        assert isinstance(local, int)  # noqa: S101
        typed = _typed(self.outer, self._settings) if local & termios.ICANON else b""
        termios.tcsetattr(self.outer, termios.TCSANOW, _raw(self._settings))
        if not typed:
            return
        silent = list(self._settings)
        silent[_LOCAL] = local & ~(termios.ECHO | termios.ECHONL)
        termios.tcsetattr(self.slave, termios.TCSANOW, silent)  # it has been echoed
        os.write(self.master, typed)
        _wait_for_input(self.slave, len(typed))
        termios.tcsetattr(self.slave, termios.TCSANOW, self._settings)

    def undo(self) -> None:
        """Leave the agent's terminal as it was."""
        import termios  # noqa: PLC0415

        termios.tcsetattr(self.outer, termios.TCSANOW, self._settings)

    def restore(self) -> None:
        """Leave the agent's terminal as the command left its own."""
        import termios  # noqa: PLC0415

        try:
            left = termios.tcgetattr(self.master)
            termios.tcsetattr(self.outer, termios.TCSANOW, left)
        except termios.error:  # the agent has closed it
            return

    def close(self) -> None:
        """Let go of both."""
        os.close(self.master)
        os.close(self.outer)

    def resize(self) -> None:
        """Give the command's terminal the size of the agent's.

        Its foreground processes are told: by the kernel, or by us where it has that size already.
        """
        import termios  # noqa: PLC0415

        try:
            before = fcntl.ioctl(self.master, termios.TIOCGWINSZ, _SIZE)
            size = fcntl.ioctl(self.outer, termios.TIOCGWINSZ, _SIZE)
            fcntl.ioctl(self.master, termios.TIOCSWINSZ, size)
            foreground = os.tcgetpgrp(self.master)
            if before == size and foreground:
                os.killpg(foreground, signals.SIGWINCH)
        except OSError:  # the agent has closed it, or there is nobody
            return


def of(three: list[Descriptor], pid: int) -> Terminal | None:
    """Return a terminal for a command whose own is the agent's; none: it has no such.

    Args:
        three: Its standard streams.
        pid: That of the process that the agent started, in our session.
    """
    if os.getsid(0) != pid:
        return None
    numbers = [one.number for one in three if one.kind == TTY and _is_controlling(one.number)]
    if not numbers or numbers == [0]:
        return None
    return Terminal(numbers[0], numbers)


def _typed(outer: int, settings: list[int | list[bytes | int]]) -> bytes:
    """Read the lines typed so far, and the ends of input, which raw terminals do not tell."""
    import termios  # noqa: PLC0415

    characters = settings[_CHARACTERS]
    assert isinstance(characters, list)  # noqa: S101
    end = characters[termios.VEOF]
    assert isinstance(end, bytes)  # noqa: S101
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
    reader = os.open(f"/proc/self/fd/{outer}", flags)
    typed = b""
    try:
        while len(typed) < _MOST_TYPED:
            line = os.read(reader, _MOST_TYPED)
            typed += line if line.endswith(b"\n") else line + end
    except BlockingIOError:
        return typed
    finally:
        os.close(reader)
    return typed


def _wait_for_input(slave: int, most: int) -> None:
    """Wait until the terminal has dealt with what was typed; the kernel does that on the side."""
    import termios  # noqa: PLC0415

    before = -1
    for _ in range(50):
        there = int.from_bytes(fcntl.ioctl(slave, termios.FIONREAD, bytes(4)), "little")
        if there == most or there == before > 0:
            return
        before = there
        time.sleep(0.001)


def _is_controlling(number: int) -> bool:
    try:
        return os.tcgetpgrp(number) == os.getpgid(0)
    except OSError:
        return False


def _raw(settings: list[int | list[bytes | int]]) -> list[int | list[bytes | int]]:
    import termios  # noqa: PLC0415

    raw = list(settings)
    raw[_INPUT] = 0
    raw[_OUTPUT] = 0
    raw[_LOCAL] = 0
    control, characters = raw[_CONTROL], raw[_CHARACTERS]
    assert isinstance(control, int)  # noqa: S101
    assert isinstance(characters, list)  # noqa: S101
    raw[_CONTROL] = control & ~(termios.CSIZE | termios.PARENB) | termios.CS8
    characters = characters.copy()
    characters[termios.VMIN], characters[termios.VTIME] = 1, 0
    raw[_CHARACTERS] = characters
    return raw
