"""Signals without the `signal` module, whose enumerations take longer than the rest of a start."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as _signal
else:
    import _signal

IGNORED_BY_PYTHON = (int(_signal.SIGPIPE), int(_signal.SIGXFSZ))
SIGHUP, SIGINT, SIGQUIT = int(_signal.SIGHUP), int(_signal.SIGINT), int(_signal.SIGQUIT)
SIGKILL, SIGSTOP, SIGTERM = int(_signal.SIGKILL), int(_signal.SIGSTOP), int(_signal.SIGTERM)
SIGCHLD, SIGWINCH = int(_signal.SIGCHLD), int(_signal.SIGWINCH)
SIGCONT = int(_signal.SIGCONT)
STOPPING = (int(_signal.SIGTSTP), int(_signal.SIGTTIN), int(_signal.SIGTTOU))
ALL = frozenset(int(number) for number in _signal.valid_signals())


def numbers(mask: int) -> list[int]:
    """Return the signals in a mask as the kernel writes it, bit 0 for signal 1."""
    return [number for number in range(1, 65) if mask >> (number - 1) & 1]


def block_all() -> list[int]:
    """Block every signal; return those that were blocked before."""
    before = _signal.pthread_sigmask(_signal.SIG_SETMASK, ALL)
    return [int(number) for number in before]


def block_only(blocked: list[int]) -> None:
    """Block these signals and no others."""
    _signal.pthread_sigmask(_signal.SIG_SETMASK, blocked)


def default(number: int) -> None:
    """Give a signal back its default action."""
    _signal.signal(number, _signal.SIG_DFL)


def ignore(number: int) -> None:
    """Have a signal do nothing."""
    _signal.signal(number, _signal.SIG_IGN)


def restore(ignored: list[int]) -> None:
    """Undo what Python did to signals as it started.

    Args:
        ignored: What was ignored before.
    """
    for number in (*IGNORED_BY_PYTHON, SIGINT, SIGCHLD):
        (ignore if number in ignored else default)(number)


def ignored_now() -> list[int]:
    """Return what was ignored when Python started, as far as it can tell now."""
    both = [number for number in ALL if _signal.getsignal(number) == _signal.SIG_IGN]
    return [int(number) for number in both if number not in IGNORED_BY_PYTHON]


def next_signal() -> tuple[int, int]:
    """Return the next signal sent to this process, where all are blocked, and who sent it."""
    found = _signal.sigwaitinfo(ALL)
    return int(found.si_signo), int(found.si_pid)


def take(number: int) -> bool:
    """Take a blocked signal that waits for this process; tell whether there was one."""
    return _signal.sigtimedwait([number], 0) is not None


def pending() -> list[int]:
    """Return the signals that wait to be delivered."""
    return [int(number) for number in _signal.sigpending()]


def undone(number: int, waiting: list[int]) -> bool:
    """Tell whether a later one among those that wait has removed a signal: the kernel does that.

    Args:
        number: A signal that is not there.
        waiting: Those that are.
    """
    if number == SIGCONT:
        return not set(waiting).isdisjoint(STOPPING)
    return number in STOPPING and SIGCONT in waiting


def release(number: int) -> None:
    """Let a blocked signal through, and block it again."""
    _signal.pthread_sigmask(_signal.SIG_UNBLOCK, [number])
    _signal.pthread_sigmask(_signal.SIG_BLOCK, [number])
