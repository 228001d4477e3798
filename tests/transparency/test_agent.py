"""What an agent does to a shell while it runs: the same comes of it with the shim."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

import pytest

from support.transparency.cells import Cell
from support.transparency.snippets import Snippet, numbered

INT, TERM, HUP, KILL = signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL
USR1, STOP, CONT, TSTP = signal.SIGUSR1, signal.SIGSTOP, signal.SIGCONT, signal.SIGTSTP
READY = b"ready"
FIFO = "mkfifo f; exec 3<>f; "
LOOP = "while :; do read -r -t 0.05 -u 3 x; done"
WAITING = f"{FIFO}echo ready; {LOOP}"
COUNTING = (
    FIFO + "n=0; trap 'n=$((n + 1)); echo got' {}; echo ready; "
    "until [ $n = 1 ]; do read -r -t 0.05 -u 3 x; done; echo armed; "
    "until [ $n = 2 ]; do read -r -t 0.05 -u 3 x; done; echo $n"
)
TYPED = 'echo ready; while read -r line; do echo "<$line>"; done; echo end'


def heard(cell: Cell) -> bool:
    """Tell whether the agent can wait for what is written to 1."""
    return cell.stdout in ("pipe", "socket", "pty") and not cell.late


def led(cell: Cell) -> bool:
    """Tell whether the command is alone in its group."""
    return heard(cell) and cell.session in ("leader", "group")


def stoppable(cell: Cell) -> bool:
    """Tell whether somebody outside the session sees it stop; else it is not to be stopped."""
    return heard(cell) and cell.session == "group"


def talked(cell: Cell) -> bool:
    """Tell whether the agent can wait, and type."""
    return heard(cell) and cell.stdin in ("pipe", "socket")


def on_terminal(cell: Cell) -> bool:
    """Tell whether the command has a terminal of its own for everything."""
    return cell[:3] == ("pty", "pty", "=")


def sent(action: str, number: int) -> list[tuple[bytes, str, Any]]:
    """Return the one step of a signal once the shell is ready."""
    return [(READY, action, number)]


SIGNALS = [
    Snippet(f"{number.name} kills, {action}", WAITING, steps=sent(action, number), only=led)
    for number in (INT, TERM, HUP, KILL, USR1)
    for action in ("kill", "killpg")
]
CAUGHT = [
    Snippet(
        f"{number.name} is caught, {action}",
        COUNTING.format(number.name[3:]),
        steps=[(READY, action, number), (b"armed", action, number)],
        only=led,
    )
    for number in (INT, TERM, HUP, USR1, CONT, signal.SIGWINCH, signal.SIGALRM, signal.SIGRTMIN)
    for action in ("kill", "killpg")
]
STOPS = [
    Snippet(
        f"{number.name} stops, {action}",
        f"trap 'echo on' CONT; {WAITING}",
        steps=[
            (READY, action, number),
            (b"", "wait stopped", None),
            (b"", action, CONT),
            (b"on", action, TERM),
        ],
        only=stoppable,
    )
    for number in (STOP, TSTP)
    for action in ("kill", "killpg")
]
TALKS = [
    Snippet(
        "typed line by line",
        TYPED,
        data=b"",
        ends=False,
        steps=[
            (READY, "type", b"one\n"),
            (b"<one>", "type", b"two\n"),
            (b"<two>", "end", None),
        ],
        only=talked,
    ),
    Snippet(
        "never closed",
        "echo ready; read -r x; echo $x",
        data=b"",
        ends=False,
        steps=[(READY, "type", b"one\ntwo\n")],
        only=talked,
    ),
    *(
        Snippet(
            f"an agent that stops reading, {name}",
            script,
            data=b"",
            steps=[(READY, "close", 1), (b"", "type", b"go\n")],
            ends=False,
            only=lambda cell: talked(cell) and cell.stdout == "pipe" and cell.stderr != "=",
            deaf=True,
        )
        for name, script in (
            ("and a broken pipe", "echo ready; read -r x; while :; do echo more; done"),
            (
                "which is ignored",
                "trap '' PIPE; echo ready; read -r x\nuntil ! echo more 2>/dev/null; do :; done",
            ),
            ("and the errors go on", "echo ready; read -r x; yes; echo $? >&2"),
        )
    ),
    Snippet(
        "a child in the group is ended too",
        "sleep 20 & echo ready; wait; echo $?",
        steps=sent("killpg", TERM),
        only=led,
    ),
    Snippet(
        "a child outlives when the shell alone is ended",
        "(trap '' HUP; sleep 0.3; echo late) & echo ready; wait; echo $?",
        steps=sent("kill", TERM),
        only=lambda cell: led(cell) and not cell.terminal,
        outlives=True,
    ),
    Snippet(
        "a size that changes",
        f"trap 'stty size; exit 3' WINCH; stty size; {WAITING}",
        steps=[(READY, "size", (50, 132))],
        only=on_terminal,
    ),
    Snippet(
        "typed to a terminal that echoes",
        'echo ready; read -r x; echo "<$x>"; read -r y; echo "<$y>"',
        data=b"",
        echo=True,
        ends=False,
        steps=[(READY, "type", b"abc\n"), (b"<abc>", "type", b"de\x7ff\n")],
        only=on_terminal,
    ),
    Snippet(
        "Ctrl-C on a terminal",
        f"trap 'echo interrupted; exit 4' INT; {WAITING}",
        data=b"",
        ends=False,
        steps=[(READY, "type", b"\x03")],
        only=on_terminal,
    ),
    Snippet(
        "Ctrl-C without a trap",
        WAITING,
        data=b"",
        ends=False,
        echo=True,
        steps=[(READY, "type", b"\x03")],
        only=on_terminal,
    ),
    Snippet(
        "Ctrl-\\ on a terminal",
        f"trap 'echo quit; exit 5' QUIT; {WAITING}",
        data=b"",
        ends=False,
        steps=[(READY, "type", b"\x1c")],
        only=on_terminal,
    ),
    Snippet(
        "Ctrl-D on a terminal",
        TYPED,
        data=b"",
        ends=False,
        echo=True,
        steps=[(READY, "type", b"one\n"), (b"<one>", "type", b"\x04")],
        only=on_terminal,
    ),
    Snippet(
        "typed before it is read",
        'read -r x; echo "<$x>"; read -r y; echo "<$y>"; cat',
        data=b"early\nbird\nlast\n",
        only=on_terminal,
    ),
]
SNIPPETS = numbered([*SIGNALS, *CAUGHT, *STOPS, *TALKS])


@pytest.mark.parametrize("snippet", SNIPPETS, ids=str)
def test_what_an_agent_does(snippet: Snippet, check: Callable[[Snippet], None]) -> None:
    check(snippet)
