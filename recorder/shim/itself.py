"""This process as the one that the agent started, where there is no machine code for the launcher.

It does itself what `outer` has another process do.
"""

from __future__ import annotations

import os

from traceproof.recorder.shim import proc, signals
from traceproof.recorder.shim.body import end, keep_only
from traceproof.recorder.shim.happening import Happening


class Itself:
    """The process that the agent started: all signals are blocked here, and read one by one.

    A *sentinel*, a child in the same process group that blocks all signals, tells which were sent
    to the whole group.

    Args:
        shell: The pid of the process that is the shell, or will be.
        ignored: The signals that the agent had ignored.
        blocked: Those it had blocked.

    Attributes:
        pid: Its own.
        parent: That of the agent.
        descriptor: The one that is to stay open.
    """

    def __init__(self, shell: int, ignored: list[int], blocked: list[int]) -> None:
        self.pid = os.getpid()
        self.parent = os.getppid()
        self._shell = shell
        self._ignored = ignored
        self._blocked = blocked
        signals.default(signals.SIGCHLD)
        self._reads, self.descriptor = os.pipe()
        self._sentinel = self._fork_sentinel()
        self._twin = 0
        """A signal that came again before the sentinel was asked for the first."""

    def hide(self) -> None:
        """Do nothing: what the agent gave is needed until the shell has it."""

    def happens(self) -> Happening:
        """Return what happens next: a signal, the shell's end."""
        import resource  # noqa: F401, PLC0415  # `wait4` would load it while the agent waits

        number, sender = signals.next_signal()
        pid, status, usage = os.wait4(self._shell, os.WNOHANG | os.WUNTRACED)
        used = int(usage.ru_utime * 1e6), int(usage.ru_stime * 1e6), int(usage.ru_maxrss)
        return Happening(number, sender, status if pid else None, used)

    def was_sent_to_all(self, number: int) -> bool:
        """Tell whether a signal that it got went to its whole group; to be asked once for each.

        Of two that came before it is asked, the sentinel has got one, and this may have got both.
        """
        waiting = proc.pending(self._sentinel)
        if number in waiting:
            self._renew_sentinel()
            self._twin = number if number in self.pending() else 0
            return True
        if number == self._twin:
            self._twin = 0
            return True
        return signals.undone(number, waiting)

    def pending(self) -> list[int]:
        """Return the signals that wait for it."""
        return signals.pending()

    def stop(self, number: int) -> None:
        """Stop, as the shell stopped, until told to go on."""
        if number == signals.SIGSTOP:
            os.kill(self.pid, number)
            return
        signals.default(number)
        os.kill(self.pid, number)
        signals.release(number)

    def end_as(self, status: int) -> None:
        """End as a wait status says."""
        end(self._sentinel)
        if os.WIFEXITED(status):
            os._exit(os.WEXITSTATUS(status))
        number = os.WTERMSIG(status)
        if os.WCOREDUMP(status):
            _forbid_core()
        if number != signals.SIGKILL:
            signals.default(number)
        os.kill(self.pid, number)
        signals.release(number)
        os._exit(128 + number)

    def replace(self, path: bytes, arguments: list[bytes], environment: list[bytes]) -> None:
        """Become the shell, as if this process had been it from the start.

        Raises:
            OSError: that is not possible.
        """
        end(self._shell)
        end(self._sentinel)
        signals.restore(self._ignored)
        signals.block_only(self._blocked)
        entries = [entry.partition(b"=") for entry in environment]
        os.execve(path, arguments, {name: value for name, _, value in entries if name})  # noqa: S606

    def give_up(self) -> None:
        """End as the shell ends, and do nothing else."""
        self.end_as(os.waitpid(self._shell, 0)[1])

    def _renew_sentinel(self) -> None:
        old = self._sentinel
        try:
            self._sentinel = self._fork_sentinel()
        except OSError:  # no more processes: until there are, what comes again is taken as shared
            return
        end(old)

    def _fork_sentinel(self) -> int:
        pid = os.fork()
        if pid:
            return pid
        keep_only({self._reads})
        os.read(self._reads, 1)  # until this process is gone
        os._exit(0)


def _forbid_core() -> None:
    import resource  # noqa: PLC0415

    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, most))
