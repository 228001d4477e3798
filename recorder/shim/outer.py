"""The process that an agent started: machine code that does what this program, its child, says.

Nothing that happens to this program loses that process: before the shell is loose it becomes the
shell itself, after that it waits for the shell. `itself` is for launchers without machine code.
"""

from __future__ import annotations

import os

from traceproof.recorder.shim import proc, script, signals, sockets
from traceproof.recorder.shim.happening import Happening

_EVERYTHING = b"\xff" * 8
_INFO, _STATUS, _USAGE = 128, 8, 144
_NONE = b"\xff" * _STATUS
_CODE, _SENDER = 0, 16
_PR_SET_NAME = 15
_RLIMIT_CORE = 4
_NAME = b"traceproof"
_ACTION = bytes(32)


class Outer:
    """That process, from here.

    Args:
        socket: To it.
        machine: As `os.uname` calls it.
        number: The number of its end of the socket, there.
        shell: The pid of the process that is the shell, or will be.

    Attributes:
        pid: Its own.
        parent: That of the agent.
        descriptor: That of the socket.

    Raises:
        OSError: nothing can be known about it.
    """

    def __init__(self, socket: sockets.Socket, machine: str, number: int, shell: int) -> None:
        self.pid = os.getppid()
        self.descriptor = socket.fileno()
        self._socket = socket
        self._machine = machine
        self._number = number
        self._shell = shell
        self._inherited = {0, 1, 2, *map(int, os.listdir("/proc/self/fd"))}
        stat = proc.stat(self.pid)
        self.parent = int(stat[1])
        self._words = int(stat[45]), int(stat[46])
        self._wait = b""
        self._twin = 0

    def hide(self) -> None:
        """Have it let go of all that the agent gave it, its command line included.

        Raises:
            EOFError: it is gone.
            OSError: likewise.
        """
        steps = script.Script(self._machine)
        action = steps.data(_ACTION)
        steps.call("rt_sigaction", signals.SIGCHLD, action, 0, script.SIGSET_BYTES, may_fail=True)
        steps.call("prctl", _PR_SET_NAME, steps.text(_NAME), may_fail=True)
        zeros = -1
        start, stop = self._words
        if stop > start:
            zeros = os.open("/dev/zero", os.O_RDONLY | os.O_CLOEXEC)
            source = steps.descriptor(zeros)
            steps.call("read", source, start, stop - start, may_fail=True)
        for number in self._inherited - {self._number}:
            steps.call("close", number, may_fail=True)
        if zeros >= 0:
            steps.call("close", steps.descriptor(zeros), may_fail=True)
        self._answer(steps, steps.data(_NAME), 1)
        self._carry_out(steps)
        if zeros >= 0:
            os.close(zeros)
        sockets.receive_all(self._socket, 1)

    def happens(self) -> Happening:
        """Return what happens next: a signal, the shell's end.

        Raises:
            EOFError: it is gone.
        """
        if not self._wait:
            self._wait = self._waiting()
        try:
            sockets.send_all(self._socket, self._wait, [])
        except OSError as error:
            raise EOFError("the other end is gone") from error
        told = sockets.receive_all(self._socket, _INFO + _STATUS + _USAGE)
        info, status, usage = told[:_INFO], told[_INFO : _INFO + _STATUS], told[_INFO + _STATUS :]
        ended = None if status == _NONE else _number(status, 0)
        used = [_number(usage, place, 8) for place in range(0, 40, 8)]
        return Happening(
            _number(info, _CODE),
            _number(info, _SENDER),
            ended,
            (used[0] * 1_000_000 + used[1], used[2] * 1_000_000 + used[3], used[4]),
        )

    def was_sent_to_all(self, number: int) -> bool:
        """Tell whether a signal that it got went to its whole group; to be asked once for each.

        This process is in that group, blocks all signals, and being newer gets them first. Of two
        that came before it looked it has got one, while that process may have got both.
        """
        if signals.take(number):
            self._twin = number if number in self.pending() else 0
            return True
        if number == self._twin:
            self._twin = 0
            return True
        return signals.undone(number, signals.pending())

    def pending(self) -> list[int]:
        """Return the signals that wait for it."""
        return proc.pending(self.pid)

    def stop(self, number: int) -> None:
        """Stop it, as the shell stopped, and wait until it goes on.

        Raises:
            EOFError: it is gone.
            OSError: likewise.
        """
        steps = script.Script(self._machine)
        self._die(steps, number)
        steps.mask(steps.data(_EVERYTHING))
        self._answer(steps, steps.data(_NAME), 1)
        self._carry_out(steps)
        sockets.receive_all(self._socket, 1)

    def end_as(self, status: int) -> None:
        """End it as a wait status says, and this process before it."""
        steps = script.Script(self._machine)
        steps.call("wait4", os.getpid(), 0, 0, 0, may_fail=True)
        if os.WIFSIGNALED(status):
            if os.WCOREDUMP(status):
                limit = steps.data(bytes(8) + _most_core())
                steps.call("prlimit64", 0, _RLIMIT_CORE, limit, 0, may_fail=True)
            self._die(steps, os.WTERMSIG(status))
            steps.call("exit_group", 128 + os.WTERMSIG(status))
        steps.call("exit_group", os.WEXITSTATUS(status))
        self._carry_out(steps)
        os._exit(0)

    def replace(self, path: bytes, arguments: list[bytes], environment: list[bytes]) -> None:
        """Have it become the shell, once this process and the other child have ended.

        Raises:
            EOFError: it is gone.
            OSError: likewise.
        """
        os.kill(self._shell, signals.SIGKILL)
        steps = script.Script(self._machine)
        steps.call("wait4", self._shell, 0, 0, 0, may_fail=True)
        steps.call("wait4", os.getpid(), 0, 0, 0, may_fail=True)
        steps.mask((script.MASK, 0))
        steps.become(path, arguments, environment)
        self._carry_out(steps)
        os._exit(0)

    def give_up(self) -> None:
        """End this process: that one becomes the shell, or ends as the shell ends."""
        os._exit(1)

    def _die(self, steps: script.Script, number: int) -> None:
        """Add what a signal does by default; it is blocked before."""
        action = steps.data(_ACTION)
        steps.call("rt_sigaction", number, action, 0, script.SIGSET_BYTES, may_fail=True)
        steps.call("kill", self.pid, number, may_fail=True)
        others = (2**64 - 1) ^ 1 << number - 1
        steps.mask(steps.data(others.to_bytes(8, "little")))

    def _waiting(self) -> bytes:
        steps = script.Script(self._machine)
        answer = steps.data(bytes(_INFO) + _NONE + bytes(_USAGE))
        assert isinstance(answer, tuple)  # noqa: S101
        base, info = answer
        status, usage = (base, info + _INFO), (base, info + _INFO + _STATUS)
        everything = steps.data(_EVERYTHING)
        wait = everything, answer, 0, script.SIGSET_BYTES
        steps.call("rt_sigtimedwait", *wait, may_fail=True)
        how = os.WNOHANG | os.WUNTRACED
        steps.call("wait4", self._shell, status, how, usage, may_fail=True)
        self._answer(steps, answer, _INFO + _STATUS + _USAGE)
        return steps.encode()

    def _answer(self, steps: script.Script, place: script.Word, size: int) -> None:
        steps.call("write", (script.SOCKET, 0), place, size, may_fail=True)

    def _carry_out(self, steps: script.Script) -> None:
        sockets.send_all(self._socket, steps.encode(), steps.descriptors)


def _number(data: bytes, place: int, size: int = 4) -> int:
    return int.from_bytes(data[place : place + size], "little")


def _most_core() -> bytes:
    import resource  # noqa: PLC0415

    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    return (most % 2**64).to_bytes(8, "little")
