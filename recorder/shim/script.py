"""What a process of machine code is to do, as a script of system calls; for one, a `plan`.

The launcher's processes wait on a socket for a header of three words (bytes that follow, places to
fill in, calls) and what follows: the places (32 bits of offset, 32 bits of what is to be added to
the word there: see the table below), the calls (number, six arguments, one word of flags), then
data. They fill in, and call one after the other. A call that fails, unless it may, ends the script:
then the process becomes the shell. All words have 64 bits, little-endian. See `x86_64.s`.
"""

from __future__ import annotations

from traceproof.recorder.shim.plan import Plan

BASE, ARGUMENTS, ENVIRONMENT, MASK, SOCKET, DESCRIPTORS = range(6)
"""What the process can add: where the script lies, its own vectors, the agent's signal mask, the
descriptor of its socket, and those that came with the header, one after the other."""

_MAY_FAIL = 1
_PR_SET_TIMERSLACK = 29
_SIG_SETMASK = 2
SIGSET_BYTES = 8
_CLONE_NEWNS = 0x20000
_TIOCSCTTY = 0x540E

_NUMBERS = {
    "x86_64": {
        "chdir": 80,
        "close": 3,
        "dup3": 292,
        "execve": 59,
        "exit_group": 231,
        "fchdir": 81,
        "ioctl": 16,
        "kill": 62,
        "prctl": 157,
        "prlimit64": 302,
        "read": 0,
        "rt_sigaction": 13,
        "rt_sigprocmask": 14,
        "rt_sigtimedwait": 128,
        "setns": 308,
        "setsid": 112,
        "wait4": 61,
        "write": 1,
    },
    "aarch64": {
        "chdir": 49,
        "close": 57,
        "dup3": 24,
        "execve": 221,
        "exit_group": 94,
        "fchdir": 50,
        "ioctl": 29,
        "kill": 129,
        "prctl": 167,
        "prlimit64": 261,
        "read": 63,
        "rt_sigaction": 134,
        "rt_sigprocmask": 135,
        "rt_sigtimedwait": 137,
        "setns": 268,
        "setsid": 157,
        "wait4": 260,
        "write": 64,
    },
}

Word = int | tuple[int, int]
"""A number, or what is to be added to one, and that one."""


class Script:
    """A script in the making.

    Args:
        machine: As `os.uname` calls it.

    Attributes:
        descriptors: What is to be sent with the header.

    Raises:
        KeyError: there is no machine code for this machine.
    """

    def __init__(self, machine: str) -> None:
        self.descriptors: list[int] = []
        self._numbers = _NUMBERS[machine]
        self._calls: list[Word] = []
        self._data = bytearray()
        self._vectors: list[Word] = []

    def call(self, name: str, *arguments: Word, may_fail: bool = False) -> None:
        """Add a call."""
        words = [self._numbers[name], *arguments, *[0] * (6 - len(arguments))]
        self._calls += [*words, _MAY_FAIL if may_fail else 0]

    def data(self, data: bytes) -> Word:
        """Return where bytes lie, at a multiple of 8; the vectors come before them."""
        self._data += bytes(-len(self._data) % 8)
        self._data += data
        return (-1, len(self._data) - len(data))

    def text(self, text: bytes) -> Word:
        """Return where a text lies, a NUL behind it."""
        return self.data(text + b"\0")

    def vector(self, texts: list[bytes]) -> Word:
        """Return where a vector of texts lies, a null behind it."""
        place = len(self._vectors)
        self._vectors += [*map(self.text, texts), 0]
        return (-2, place * 8)

    def descriptor(self, ours: int) -> Word:
        """Return the number that a descriptor of ours has there."""
        if ours not in self.descriptors:
            self.descriptors.append(ours)
        return (DESCRIPTORS + self.descriptors.index(ours), 0)

    def mask(self, mask: Word) -> None:
        """Set which signals are blocked."""
        self.call("rt_sigprocmask", _SIG_SETMASK, mask, 0, SIGSET_BYTES)

    def become(
        self, path: bytes, arguments: list[bytes] | None, environment: list[bytes] | None
    ) -> None:
        """Become another program, with vectors of its own where there are no others."""
        self.call(
            "execve",
            self.text(path),
            (ARGUMENTS, 0) if arguments is None else self.vector(arguments),
            (ENVIRONMENT, 0) if environment is None else self.vector(environment),
        )

    def encode(self) -> bytes:
        """Return the script, header included."""
        words = [*self._calls, *self._vectors]
        places = sum(isinstance(word, tuple) for word in words)
        calls = places * 8
        starts = {-1: calls + len(words) * 8, -2: calls + len(self._calls) * 8}
        fill, body = bytearray(), bytearray()
        for number, word in enumerate(words):
            source, value = word if isinstance(word, tuple) else (None, word)
            if source is not None:
                value += starts.get(source, 0)
                fill += (calls + number * 8).to_bytes(4, "little")
                fill += max(source, BASE).to_bytes(4, "little")
            body += (value % 2**64).to_bytes(8, "little")
        body += self._data
        header = (len(fill) + len(body), places, len(self._calls) // 8)
        return b"".join(word.to_bytes(8, "little") for word in header) + fill + body


def encode(plan: Plan, machine: str) -> tuple[bytes, list[int]]:
    """Return a plan as a script, header included, and the descriptors to send with the header.

    Args:
        plan: What to do.
        machine: As `os.uname` calls it.

    Raises:
        KeyError: there is no machine code for this machine.
    """
    script = Script(machine)
    if plan.terminal is not None:
        script.call("setsid")
        script.call("ioctl", script.descriptor(plan.terminal), _TIOCSCTTY, 0)
    for ours, number in plan.descriptors:
        script.call("dup3", script.descriptor(ours), number, 0)
    if plan.namespace is not None:
        script.call("setns", script.descriptor(plan.namespace), _CLONE_NEWNS, may_fail=True)
        script.call("fchdir", script.descriptor(plan.here), may_fail=True)
        script.call("chdir", script.text(plan.directory), may_fail=True)
    script.call("prctl", _PR_SET_TIMERSLACK, plan.marker, may_fail=True)
    script.mask((MASK, 0))
    script.become(plan.path, plan.arguments, plan.environment)
    return script.encode(), script.descriptors
