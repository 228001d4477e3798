"""The combinations of standard streams that commands are run with."""

from __future__ import annotations

import itertools
from typing import NamedTuple

INPUTS = ("null", "pipe", "file", "closed", "socket", "pty")
OUTPUTS = ("file", "append", "pipe", "socket", "pty", "tty")
"""`pty`: a terminal that the agent made for the command, which leads its session. `tty`: the
terminal of a session that somebody else leads."""

_SESSIONS = ("leader", "group", "member")


class Cell(NamedTuple):
    """What a command gets as 0, 1 and 2; `=`: 2 is the same open file as 1."""

    stdin: str
    stdout: str
    stderr: str
    session: str
    """`leader`: of a session. `group`: of a process group. `member`: somebody else's."""
    late: bool = False
    """Whether the agent reads nothing until the command has ended."""

    @property
    def kinds(self) -> tuple[str, str, str]:
        """The three as the worker calls them."""
        stdin, stdout, stderr = ("pty" if kind == "tty" else kind for kind in self[:3])
        return stdin, stdout, stderr

    @property
    def terminal(self) -> bool:
        """Whether any of the three is a terminal."""
        return "pty" in self.kinds

    def __str__(self) -> str:
        return "-".join((*self[:4], *(["late"] if self.late else [])))


def _cell(number: int, stdin: str, stdout: str, stderr: str) -> Cell:
    session = _SESSIONS[number % len(_SESSIONS)]
    three = (stdin, stdout, stderr)
    if "tty" in three:
        session = "member"
    elif "pty" in three:
        session = "leader"
    calm = "pty" not in three and "tty" not in three and "socket" not in three
    return Cell(stdin, stdout, stderr, session, late=calm and number % 4 == 1)


def _all() -> list[Cell]:
    pairs = [(kind, errors) for kind in OUTPUTS for errors in ("=", kind)]
    full = list(itertools.product(INPUTS, pairs))
    kinds = ("file", "append", "pipe", "socket", "pty", "null", "closed")
    mixed = [pair for pair in itertools.product(kinds, kinds) if pair[0] != pair[1]]
    full += [(INPUTS[number % len(INPUTS)], pair) for number, pair in enumerate(mixed)]
    return [_cell(number, stdin, *pair) for number, (stdin, pair) in enumerate(full)]


CELLS = _all()
"""Every kind of input with every kind of output, shared or apart, and every mixture of outputs."""


def chosen(number: int, count: int, allowed: list[Cell]) -> list[Cell]:
    """Return some cells for a snippet: snippets one after the other take all cells in turn."""
    count = min(count, len(allowed))
    stride = next(step for step in (37, 41, 43, 47) if len(allowed) % step)
    return [allowed[(number * count + k) * stride % len(allowed)] for k in range(count)]
