"""Run the agent as a child that has the terminal to itself, and come back with its exit code.

The child inherits standard input, output and error, the process group and the controlling
terminal: no byte of it passes through us, and its window size, raw mode and job control are its
own. This module knows nothing of agents, proxies or traces.
"""

from __future__ import annotations

import errno
import os
import select
import shutil
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from traceproof.recorder import namespaces
from traceproof.recorder.namespaces import Entry, NamespaceRefusedError

_STOPS = (signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)
_TYPED = (signal.SIGINT, signal.SIGQUIT, *_STOPS)
"""Sent by the terminal, these reach the whole group, the child included: it decides, not we."""

_SENT = (signal.SIGTERM, signal.SIGHUP)
"""Sent to us alone, these are meant for the agent."""

_CHILD = signal.SIGCHLD

_IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)

_SHELL = "/bin/sh"
_SIGNALLED = 128
_ENOUGH = 4096


class Child:
    """A running child. Made by `launch`; `wait` is to be called once, from the same thread."""

    def __init__(
        self, argv: Sequence[str], env: Mapping[str, str], entry: Entry | None = None
    ) -> None:
        self._exit_code: int | None = None
        self._early: list[int] = []
        self.pid = 0
        self.refusal = ""
        """Why it is not in the namespace that was asked for."""
        self._before = {number: signal.getsignal(number) for number in (*_TYPED, *_SENT, _CHILD)}
        try:
            self._hold_signals()
            self.pid = self._spawn(argv, env, entry)
        except BaseException:
            self._release_signals()
            raise
        for number in self._early:
            self.send(number)

    def wait(self) -> int:
        """Wait for the child to end, stopping and going on with it.

        What the child leaves running in the background is not waited for.

        Returns:
            Its exit code, or 128 and the number of the signal that ended it.
        """
        try:
            with _woken() as woken:
                while self._exit_code is None:
                    self._look(woken)
        finally:
            self._release_signals()
        return self._exit_code

    def _look(self, woken: int) -> None:
        """Take in what became of the child, or wait for the next signal, whichever it is."""
        pid, status = os.waitpid(self.pid, os.WUNTRACED | os.WNOHANG)
        if not pid:
            select.select([woken], [], [])
            os.read(woken, _ENOUGH)
        elif os.WIFSTOPPED(status):
            self._stop_too()
        else:
            code = os.waitstatus_to_exitcode(status)
            self._exit_code = code if code >= 0 else _SIGNALLED - code

    def send(self, number: int) -> None:
        """Send the child a signal, unless it has ended."""
        if self._exit_code is None:
            with suppress(ProcessLookupError):  # it ended, and `wait` has yet to say so
                os.kill(self.pid, number)

    def _stop_too(self) -> None:
        """Stop as the child did, so that the shell takes the terminal back.

        Not sooner: the child may want to put the terminal in order first, or not stop at all. Not
        never: the shell looks at us, not at it. SIGTSTP does nothing where there is no shell.
        """
        if os.waitid(os.P_PID, self.pid, os.WCONTINUED | os.WNOHANG) is None:
            signal.signal(signal.SIGTSTP, signal.SIG_DFL)
            signal.raise_signal(signal.SIGTSTP)
            signal.signal(signal.SIGTSTP, signal.SIG_IGN)

    def _forward(self, number: int, _frame: FrameType | None) -> None:
        if self.pid:
            self.send(number)
        else:
            self._early.append(number)

    def _spawn(self, argv: Sequence[str], env: Mapping[str, str], entry: Entry | None) -> int:
        path = find(argv[0], env)
        with _told_clearly(argv[0]):
            if entry is not None:
                try:
                    return namespaces.spawn(path, argv, env, entry, self._defaults())
                except NamespaceRefusedError as error:
                    self.refusal = f"{error.filename}: {error.strerror}"
            return _spawn(path, argv, env, self._defaults())

    def _hold_signals(self) -> None:
        # if ignored, the system would forget its exit code; by default, it would wake nobody
        signal.signal(_CHILD, lambda _number, _frame: None)
        for number in _TYPED:
            signal.signal(number, signal.SIG_IGN)
        for number in _SENT:
            if self._before[number] is not signal.SIG_IGN:
                signal.signal(number, self._forward)

    def _release_signals(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _defaults(self) -> list[int]:
        """Return what the child is to have at its default: all that our parent did not ignore."""
        ours = [number for number in _TYPED if self._before[number] is not signal.SIG_IGN]
        return [*ours, *_IGNORED_BY_PYTHON]


def launch(argv: Sequence[str], env: Mapping[str, str], entry: Entry | None = None) -> Child:
    """Start a command; call it from the main thread, and `wait` on what it returns.

    What the terminal sends is left to the child, SIGTERM and SIGHUP are forwarded to it, until
    `wait` comes back. If we are killed, the child goes on. Files that our caller left open for it
    stay open.

    Args:
        argv: The command line; its first word is looked up in the `PATH` of `env`.
        env: The child's whole environment.
        entry: A namespace to start it in; where there is none to be had, the child runs without
            one and its `refusal` says why.

    Raises:
        FileNotFoundError: there is no such command, or its interpreter is missing.
        PermissionError: it is there, and may not be executed.
        OSError: the system could not run it.
        ValueError: the command line is empty, or this is not the main thread.
    """
    if not argv:
        raise ValueError("no command given")
    return Child(argv, env, entry)


def find(command: str, env: Mapping[str, str]) -> str:
    """Return the path of a command, by the `PATH` of `env` unless it has a slash.

    Raises:
        FileNotFoundError: there is no such command.
        PermissionError: it is there, and may not be executed.
    """
    search = env.get("PATH", os.defpath)
    found = command if "/" in command else shutil.which(command, path=search)
    if found is None:
        if shutil.which(command, os.F_OK, search):
            raise PermissionError(f"{command}: found on PATH, but not executable")
        raise FileNotFoundError(f"{command}: command not found")
    if not Path(found).exists():
        raise FileNotFoundError(f"{command}: no such file")
    if Path(found).is_dir() or not os.access(found, os.X_OK):
        raise PermissionError(f"{command}: not executable")
    return found


@contextmanager
def _told_clearly(command: str) -> Iterator[None]:
    """Say what an error of the system means where a command is started."""
    try:
        yield
    except FileNotFoundError:
        raise FileNotFoundError(f"{command}: its interpreter is missing") from None
    except PermissionError:
        raise PermissionError(f"{command}: may not be executed") from None


def _spawn(path: str, argv: Sequence[str], env: Mapping[str, str], defaults: Sequence[int]) -> int:
    try:
        return os.posix_spawn(path, list(argv), env, setsigdef=defaults)
    except OSError as error:
        if error.errno != errno.ENOEXEC:
            raise
    # a script without a `#!` line: shells run it, and so does execvp
    return os.posix_spawn(_SHELL, [_SHELL, path, *argv[1:]], env, setsigdef=defaults)


@contextmanager
def _woken() -> Iterator[int]:
    """Yield a descriptor that becomes readable whenever a signal comes, however short before."""
    reader, writer = os.pipe()
    for end in (reader, writer):
        os.set_blocking(end, False)
    before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    try:
        yield reader
    finally:
        signal.set_wakeup_fd(before)
        os.close(reader)
        os.close(writer)
