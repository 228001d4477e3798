"""The agent's part while a command runs, in the worker: it types, reads, sends signals, waits."""

from __future__ import annotations

import fcntl
import os
import select
import termios
from typing import Any

from support.transparency import places, stdio

_END_OF_FILE = b"\x04" * 4
"""One for each program that reads to the end."""

_CHUNK = 1 << 16


class Talk:
    """A talk with one command.

    Args:
        job: Its `steps`: each a text to wait for in the output, and what to do then.
        three: Its streams.
        pid: The process that was started.
    """

    def __init__(self, job: dict[str, Any], three: stdio.Stdio, pid: int) -> None:
        self._three = three
        self._pid = pid
        self._steps = list(job["steps"])
        self._late = job["late"]
        self._adopted = job["session"] == "member"
        self._ends = job["ends"]
        self._heard: dict[int, bytearray] = {number: bytearray() for number in three.reads}
        self._open = {end: number for number, end in three.reads.items()}
        self._at_exit: dict[int, int] = {}
        self._status = 0
        self._exited = False
        self._to_type = three.data if three.typed >= 0 else b""
        self._typing = three.typed >= 0
        self._is_terminal = three.typed >= 0 and os.isatty(three.typed)
        if self._is_terminal and self._ends:
            self._to_type += _END_OF_FILE
        if self._typing:
            os.set_blocking(three.typed, False)
        self._process = os.pidfd_open(pid)
        self._seen = 0

    def until_over(self) -> int:
        """Go on until the command has ended and nobody can write any more; return its status."""
        while self._open or not self._exited:
            self._step()
            self._type()
            poll = select.poll()
            if not self._exited:
                poll.register(self._process, select.POLLIN)
            if not self._late or self._exited:
                for end in self._open:
                    poll.register(end, select.POLLIN)
            if self._to_type and self._typing:
                poll.register(self._three.typed, select.POLLOUT)
            for end, _ in poll.poll():
                if end == self._process:
                    self._ended()
                elif end in self._open:
                    self._read(end)
        self._stop_typing()
        os.close(self._process)
        return self._status

    def said(self) -> dict[str, Any]:
        """Return what came, and whether all of it was there when the process had ended."""
        return {
            "streams": {number: places.short(bytes(said)) for number, said in self._heard.items()},
            "at_exit": {n: len(said) == self._at_exit.get(n) for n, said in self._heard.items()},
            "steps left": len(self._steps),
        }

    def _ended(self) -> None:
        self._exited = True
        if not self._adopted:
            _, self._status = os.waitpid(self._pid, 0)
        for end in list(self._open):
            while end in self._open and select.select([end], [], [], 0)[0]:
                self._read(end)
        self._at_exit = {number: len(heard) for number, heard in self._heard.items()}

    def _read(self, end: int) -> None:
        try:
            part = os.read(end, _CHUNK)
        except OSError:  # nobody has the terminal open any more
            part = b""
        self._heard[self._open[end]] += part
        if not part:
            del self._open[end]

    def _type(self) -> None:
        if self._to_type and self._typing:
            try:
                count = os.write(self._three.typed, self._to_type)
            except BlockingIOError:
                return
            except OSError:  # nobody reads it
                count = len(self._to_type)
            self._to_type = self._to_type[count:]
        if not self._to_type and self._ends:
            self._stop_typing()

    def _stop_typing(self) -> None:
        if self._typing and not self._is_terminal:
            os.close(self._three.typed)
        self._typing = False

    def _step(self) -> None:
        """Do what is due: each step waits for a text behind that of the one before."""
        while self._steps:
            text, action, value = self._steps[0]
            heard = b"".join(self._heard.values())
            place = heard.find(text, self._seen)
            if place < 0:
                return
            self._seen = place + len(text)
            self._steps.pop(0)
            self._act(action, value)

    def _act(self, action: str, value: Any) -> None:
        if action == "kill":
            os.kill(self._pid, value)
        elif action == "killpg":
            os.killpg(os.getpgid(self._pid), value)
        elif action == "type":
            self._to_type += value
        elif action == "end":
            self._ends = True
        elif action == "size":
            rows, columns = value
            size = rows.to_bytes(2, "little") + columns.to_bytes(2, "little") + bytes(4)
            fcntl.ioctl(self._three.master, termios.TIOCSWINSZ, size)
        elif action == "hang up":
            self._open.pop(self._three.master)
            self._typing = False
            self._three.hang_up()
        elif action == "wait stopped":
            _, status = os.waitpid(self._pid, os.WUNTRACED)
            assert os.WIFSTOPPED(status), status
            self._heard.setdefault(-1, bytearray()).append(os.WSTOPSIG(status))
        elif action == "close":
            end = self._three.reads.pop(value)
            os.close(end)
            del self._open[end]
        else:
            raise ValueError(action)
