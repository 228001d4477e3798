"""A plan as a script of system calls, which the launcher's machine code carries out.

The launcher's child waits on a socket for a header of three words (bytes that follow, places to
fill in, calls) and what follows: the places (32 bits of offset, 32 bits of what is to be added to
the word there: see the table below), the calls (number, six arguments, one word of flags), then
data. It fills in, calls one after the other, and sends back the first result that is an error,
unless the call may fail; the last call is `execve`. All words have 64 bits, little-endian. See
`x86_64.s`.
"""

from __future__ import annotations

from traceproof.recorder.shim.plan import Plan

BASE, ARGUMENTS, ENVIRONMENT, MASK, DESCRIPTORS = range(5)
"""What the child can add: where the script lies, its own vectors, the agent's signal mask, and the
descriptors that came with the header, one after the other."""

_MAY_FAIL = 1
_PR_SET_PDEATHSIG, _PR_SET_TIMERSLACK = 1, 29
_SIGKILL, _SIG_SETMASK, _SIGSET_BYTES = 9, 2, 8
_CLONE_NEWNS = 0x20000
_TIOCSCTTY = 0x540E

_NUMBERS = {
    "x86_64": {
        "chdir": 80,
        "dup3": 292,
        "execve": 59,
        "fchdir": 81,
        "ioctl": 16,
        "prctl": 157,
        "rt_sigprocmask": 14,
        "setns": 308,
        "setsid": 112,
    },
    "aarch64": {
        "chdir": 49,
        "dup3": 24,
        "execve": 221,
        "fchdir": 50,
        "ioctl": 29,
        "prctl": 167,
        "rt_sigprocmask": 135,
        "setns": 268,
        "setsid": 157,
    },
}

_Word = int | tuple[int, int]


class _Script:
    def __init__(self, machine: str) -> None:
        self._numbers = _NUMBERS[machine]
        self._calls: list[_Word] = []
        self._data = bytearray()
        self._vectors: list[_Word] = []

    def call(self, name: str, *arguments: _Word, may_fail: bool = False) -> None:
        words = [self._numbers[name], *arguments, *[0] * (6 - len(arguments))]
        self._calls += [*words, _MAY_FAIL if may_fail else 0]

    def text(self, text: bytes) -> _Word:
        """Return where a text lies, a NUL behind it; the vectors come before it."""
        self._data += text + b"\0"
        return (-1, len(self._data) - len(text) - 1)

    def vector(self, texts: list[bytes]) -> _Word:
        """Return where a vector of texts lies, a null behind it."""
        place = len(self._vectors)
        self._vectors += [*map(self.text, texts), 0]
        return (-2, place * 8)

    def encode(self) -> bytes:
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
    script = _Script(machine)
    sent: list[int] = []

    def descriptor(ours: int) -> _Word:
        if ours not in sent:
            sent.append(ours)
        return (DESCRIPTORS + sent.index(ours), 0)

    if plan.terminal is not None:
        script.call("setsid")
        script.call("ioctl", descriptor(plan.terminal), _TIOCSCTTY, 0)
    for ours, number in plan.descriptors:
        script.call("dup3", descriptor(ours), number, 0)
    if plan.namespace is not None:
        script.call("setns", descriptor(plan.namespace), _CLONE_NEWNS, may_fail=True)
        script.call("fchdir", descriptor(plan.here), may_fail=True)
        script.call("chdir", script.text(plan.directory), may_fail=True)
    script.call("prctl", _PR_SET_TIMERSLACK, plan.marker, may_fail=True)
    script.call("prctl", _PR_SET_PDEATHSIG, _SIGKILL, may_fail=True)
    script.call("rt_sigprocmask", _SIG_SETMASK, (MASK, 0), 0, _SIGSET_BYTES)
    script.call(
        "execve",
        script.text(plan.path),
        (ARGUMENTS, 0) if plan.arguments is None else script.vector(plan.arguments),
        (ENVIRONMENT, 0) if plan.environment is None else script.vector(plan.environment),
    )
    return script.encode(), sent
