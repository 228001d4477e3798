"""Somebody types at a terminal: shells, their jobs, and programs that take a terminal over."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import Any

import pytest

from support.transparency.cells import CELLS, Cell
from support.transparency.compare import Suite
from support.transparency.snippets import Snippet

PROMPT = b"@ "
ENV = {"PS1": "@ ", "TERM": "vt100", "HISTFILE": "/dev/null"}
INTERACTIVE = ("bash", "--norc", "-i")
STARTED = b"sh -c 'echo started; exec sleep 50'\n"
COMES_BACK = (
    b'sh -c \'trap "echo on" CONT; echo started; '
    b'until read -r x; do :; done; echo "<$x>"; exit 7\'\n'
)
RUNS = b"started\r\n"
INTERRUPT, END, SUSPEND, QUIT = b"\x03", b"\x04", b"\x1a", b"\x1c"
EXIT = (PROMPT, b"exit 3\n")

Said = tuple[bytes, bytes]

KEYS = """python3 -c 'import os, termios, tty
before = termios.tcgetattr(0); tty.setraw(0); os.write(1, b"raw\\r\\n")
for _ in range(4): os.write(1, repr(os.read(0, 1)).encode() + b"\\r\\n")
termios.tcsetattr(0, termios.TCSADRAIN, before); print("cooked")'"""
PASSWORD = "python3 -c 'import getpass; print(len(getpass.getpass(\"secret: \")))'; stty -a"
SIZES = "trap 'stty size; exit 3' WINCH; stty size; while :; do read -r -t 0.05 -u 3 x; done"


def typed(
    name: str, talk: Sequence[Said], argv: tuple[str, ...] = INTERACTIVE, **more: Any
) -> Snippet:
    """Return a session: what is waited for, and what is typed then."""
    steps = [(text, "type", answer) for text, answer in talk]
    more.setdefault("env", ENV)
    # What is typed before there is anything to answer is echoed before we are there to record it.
    more["deaf"] = any(text == b"" for text, _ in talk)
    return Snippet(
        name,
        more.pop("script", ""),
        argv=argv,
        data=b"",
        ends=False,
        echo=True,
        steps=steps,
        **more,
    )


def program(name: str, script: str, *talk: Said, **more: Any) -> Snippet:
    """Return a session with a program."""
    return typed(name, talk, ("bash", "-c", "{}"), script=script, **more)


SHELLS = [
    typed("a shell and its exit code", [(PROMPT, b"echo $0 $-\n"), EXIT]),
    typed("the end of input", [(PROMPT, b"false\n"), (PROMPT, END)]),
    typed(
        "an interrupted line",
        [(PROMPT, b"not run"), (b"not run", INTERRUPT), (PROMPT, b"echo $?\n"), EXIT],
        ("bash", "--norc", "--noediting", "-i"),
    ),
    typed(
        "an interrupted job", [(PROMPT, STARTED), (RUNS, INTERRUPT), (PROMPT, b"echo $?\n"), EXIT]
    ),
    typed("a job that quits", [(PROMPT, STARTED), (RUNS, QUIT), (PROMPT, b"echo $?\n"), EXIT]),
    typed(
        "a job is suspended, listed, and killed",
        [
            (PROMPT, STARTED),
            (RUNS, SUSPEND),
            (PROMPT, b"jobs\n"),
            (PROMPT, b"bg\n"),
            (PROMPT, b"jobs\n"),
            (PROMPT, b"kill %1; wait %1\n"),
            EXIT,
        ],
    ),
    typed(
        "a job is suspended and comes back",
        [
            (PROMPT, COMES_BACK),
            (RUNS, SUSPEND),
            (PROMPT, b"fg\n"),
            (b"on\r\n", b"text\n"),
            (PROMPT, b"echo $?\n"),
            EXIT,
        ],
    ),
    typed(
        "a suspended job is left behind",
        [(PROMPT, STARTED), (RUNS, SUSPEND), (PROMPT, b"exit\n"), (PROMPT, b"exit 4\n")],
    ),
    typed(
        "a pipeline is suspended",
        [
            (PROMPT, COMES_BACK.replace(b"\n", b" | cat\n")),
            (RUNS, SUSPEND),
            (PROMPT, b"fg\n"),
            (b"on\r\n", b"through\n"),
            (PROMPT, b"echo $?\n"),
            EXIT,
        ],
    ),
    typed("a job in the background", [(PROMPT, b"sleep 0.05 & wait $!; echo $?\n"), EXIT]),
    typed(
        "output at the prompt",
        [(PROMPT, b"(sleep 0.2; echo late) 2>&1 & :\n"), (b"late\r\n", b"exit 3\n")],
    ),
    typed(
        "a line is edited", [(PROMPT, b"echo abX\x7fc\x01\x05!\n"), (PROMPT, b"\x10\x10\n"), EXIT]
    ),
    typed("a name is completed", [(PROMPT, b"touch unique-name; ls uni\t\n"), EXIT]),
    typed(
        "a here-document", [(PROMPT, b"cat <<END\n"), (b"> ", b"text\n"), (b"> ", b"END\n"), EXIT]
    ),
    typed(
        "a shell in a shell",
        [
            (PROMPT, b"bash --norc -i\n"),
            (PROMPT, b"echo $SHLVL\n"),
            (PROMPT, b"exit 5\n"),
            (PROMPT, b"echo $?\n"),
            EXIT,
        ],
    ),
    typed(
        "no editing", [(PROMPT, b"echo abX\x7fc\n"), EXIT], ("bash", "--norc", "--noediting", "-i")
    ),
    typed(
        "a login shell",
        [(PROMPT, b"echo $0; shopt login_shell\n"), (PROMPT, b"logout\n")],
        ("-bash", "--noprofile"),
    ),
    typed(
        "dash",
        [
            (PROMPT, b"echo $0 $-\n"),
            (PROMPT, STARTED),
            (RUNS, INTERRUPT),
            (PROMPT, b"echo $?\n"),
            EXIT,
        ],
        ("sh", "-i"),
        shell="dash",
    ),
    typed(
        "a shell by exec",
        [(PROMPT, b"tty -s; echo $?\n"), EXIT],
        ("bash", "-c", "{}"),
        script="PS1='@ ' exec bash --norc -i",
    ),
    typed(
        "the terminal's settings",
        [
            (PROMPT, b"stty -a\n"),
            (PROMPT, b"stty -echo; stty size\n"),
            (PROMPT, b"stty sane\n"),
            EXIT,
        ],
    ),
    typed("type ahead", [(PROMPT, b'read -r x; echo "<$x>"\nvalue\n'), EXIT]),
]
PROGRAMS = [
    program(
        "single keys",
        KEYS,
        (b"raw\r\n", b"a"),
        (b"b'a'", b"\x03"),
        (b"x03'", b"\r"),
        (b"r'", b"\xff"),
    ),
    program("a password", PASSWORD, (b"secret: ", b"hidden\n")),
    program(
        "read -s and read -n 1",
        "read -r -s -p 'pass: ' x; echo; read -r -n 1 -p 'key: ' y; echo; echo \"$x $y\"",
        (b"pass: ", b"hush\n"),
        (b"key: ", b"y"),
    ),
    program("settings that stay", "stty -echo -icanon min 1; echo set"),
    program("settings that are put back", 's=$(stty -g); stty raw; stty "$s"; stty -a'),
    program(
        "line by line",
        'while read -r x; do echo "<$x>"; done; echo end',
        (b"", b"one\n"),
        (b"<one>", b"two\n"),
        (b"<two>", END),
    ),
    program(
        "an end in the middle",
        "cat; echo; cat; echo end",
        (b"", b"part" + END + END),
        (b"part\r\n", b"more\n" + END),
    ),
    program("a nested terminal", "script -q -e -c 'tty -s; stty size; exit 4' /dev/null; echo $?"),
    program("a background reader", "cat < /dev/tty & wait $!; echo $?", (b"", b"typed\n" + END)),
    program(
        "/dev/tty",
        'echo to the terminal > /dev/tty; read -r x < /dev/tty; echo "<$x>"',
        (b"terminal\r\n", b"in\n"),
    ),
    program(
        "the controlling terminal",
        "ps -o tty= -p $$ | grep -c pts; "
        '[ "$(ps -o tpgid= -p $$)" = "$(ps -o pgid= -p $$)" ]; echo $?',
    ),
    program(
        "a menu",
        "PS3='which? '; select x in one two; do echo \"<$x>\"; break; done",
        (b"which? ", b"2\n"),
    ),
    program("rm asks", "touch f; rm -i f; ls", (b"? ", b"y\n")),
    program("python's prompt", "python3 -q -c 'print(input(\"name: \"))'", (b"name: ", b"me\n")),
    program("8-bit input", 'read -r x; printf %s "$x" | od -An -c', (b"", "é\n".encode())),
    program("tabs and control characters", "cat -v", (b"", b"a\tb\x16\x01\n"), (b"^A\r\n", END)),
    program(
        "flow control is on", "stty -a | grep -o ' ixon'; stty -ixon; stty -a | grep -o '.ixon'"
    ),
    program(
        "columns",
        "mkdir d; touch d/{a..z}; ls d; tput cols; "
        "python3 -c 'import os; print(os.get_terminal_size())'",
    ),
    *(
        [program("less", "seq 100 > f; less f; echo $?", (b"f", b" "), (b":", b"q"))]
        if shutil.which("less")
        else []
    ),
    *(
        [program("vi", "vi -u NONE -n -N f; cat f", (b"~", b"ihello\x1b:wq\r"))]
        if shutil.which("vi")
        else []
    ),
]
LEFT = [
    Snippet(
        "a size that changes",
        f"mkfifo f; exec 3<>f; {SIZES}",
        data=b"",
        ends=False,
        steps=[(b"37 101\r\n", "size", (50, 132))],
    ),
    Snippet(
        "an agent that hangs up",
        "trap 'echo hup > f; exit 5' HUP; mkfifo p; exec 3<>p; echo ready; "
        "while :; do read -r -t 0.05 -u 3 x; done",
        data=b"",
        ends=False,
        steps=[(b"ready", "hang up", None)],
        deaf=True,
    ),
    Snippet(
        "an agent that hangs up on an interactive shell",
        "",
        argv=INTERACTIVE,
        env=ENV,
        data=b"",
        ends=False,
        steps=[(PROMPT, "hang up", None)],
        deaf=True,
    ),
]
SNIPPETS = [*SHELLS, *PROGRAMS, *LEFT]
OURS, OTHERS = (
    next(cell for cell in CELLS if cell[:3] == ("pty", kind, "=")) for kind in ("pty", "tty")
)


def cells(snippet: Snippet) -> list[Cell]:
    """Return the cells of a session: somebody else's terminal is not hung up by us."""
    return [OURS] if snippet in LEFT[1:] else [OURS, OTHERS]


@pytest.mark.parametrize("snippet", SNIPPETS, ids=str)
def test_somebody_types(snippet: Snippet, suite: Suite) -> None:
    suite.check(snippet, [(cell, "path") for cell in cells(snippet)])
