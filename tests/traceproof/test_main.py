from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from traceproof.__main__ import run
from traceproof.commands import ls
from traceproof.exits import ENVIRONMENT, USAGE


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (
            FileNotFoundError(2, "No such file or directory", "x"),
            USAGE,
            "x: No such file or directory",
        ),
        (PermissionError(13, "Permission denied", b"x"), ENVIRONMENT, "x: Permission denied"),
        (OSError(28, "No space left on device"), ENVIRONMENT, "No space left on device"),
        (OSError("in our own words"), ENVIRONMENT, "in our own words"),
        (ImportError("recording needs mitmproxy"), ENVIRONMENT, "recording needs mitmproxy"),
        (ValueError("a\nb"), USAGE, "a b"),
        (ValueError("\x1b]0;title\x07 \x9b31m"), USAGE, "\ufffd]0;title\ufffd \ufffd31m"),
        (
            FileNotFoundError(2, "No such file", "a\n\x1b[2J"),
            USAGE,
            "a\ufffd\ufffd[2J: No such file",
        ),
        (KeyError("which one"), USAGE, "which one"),
        (LookupError(), USAGE, "LookupError"),
    ],
    ids=repr,
)
def test_an_error_is_one_line_and_a_code(
    error: Exception,
    code: int,
    line: str,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(_store: Path | None) -> None:
        raise error

    monkeypatch.setattr(ls, "locate", fail)

    assert run(["ls"]) == code
    assert capfd.readouterr() == ("", f"traceproof: {line}\n")


def test_an_interrupted_command_ends_as_shells_expect(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_store: Path | None) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ls, "locate", interrupt)

    assert run(["ls"]) == 130


def test_a_bug_is_not_taken_for_wrong_input(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_store: Path | None) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(ls, "locate", fail)

    with pytest.raises(ZeroDivisionError):
        run(["ls"])


def test_the_traceback_is_there_for_who_asks(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    monkeypatch.setenv("TRACEPROOF_DEBUG", "1")

    with pytest.raises(LookupError, match="no trace 'nosuch'"):
        run(["show", "nosuch"])


@pytest.mark.parametrize("command", [["-m", "traceproof"], ["-P", "-m", "traceproof"]])
def test_it_runs_as_a_module(command: list[str], env: dict[str, str], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, *command, "--version"],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("traceproof 0.")


def test_an_error_on_a_closed_stderr_is_still_told_by_the_code(
    env: dict[str, str], tmp_path: Path
) -> None:
    command = [sys.executable, "-P", "-m", "traceproof", "show", "nosuch"]
    closed = subprocess.run(
        ["sh", "-c", 'exec "$@" 2>&-', "sh", *command],
        cwd=tmp_path,
        env=env,
        stdout=subprocess.PIPE,
        check=False,
    )
    with Path(os.devnull).open("rb") as unwritable:
        broken = subprocess.run(
            command, cwd=tmp_path, env=env, stdout=subprocess.PIPE, stderr=unwritable, check=False
        )

    assert (closed.returncode, closed.stdout) == (2, b"")
    assert (broken.returncode, broken.stdout) == (2, b"")


PRINTS_MUCH = """
from traceproof import __main__ as main
main.run = lambda _: print("x" * 300_000) or 0
main.main()
"""


def test_a_pipe_that_an_agent_left_non_blocking_still_gets_all() -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)

    child = subprocess.Popen([sys.executable, "-c", PRINTS_MUCH], stdout=writer)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        read = pipe.read()

    assert (child.wait(), len(read)) == (0, 300_001)


FALLS = """
from traceproof import __main__ as main
main._invoke = lambda _: 1 / 0
main.main()
"""


def test_a_bug_is_no_answer() -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-c", FALLS], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout) == (ENVIRONMENT, "")
    assert done.stderr.splitlines()[-1] == "ZeroDivisionError: division by zero"


PRINTS_WHAT_IT_CANNOT = """
from traceproof import __main__ as main
main.run = lambda _: print("\\u2026 \\udcff") or 0
main.main()
"""


@pytest.mark.parametrize(
    ("encoding", "printed"), [("latin-1", b"\\u2026 \\udcff"), ("utf-8", "\u2026 \\udcff".encode())]
)
def test_what_the_terminal_has_no_letters_for_is_spelt_out(encoding: str, printed: bytes) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": f"{encoding}:strict"}
    command = [sys.executable, "-P", "-c", PRINTS_WHAT_IT_CANNOT]

    done = subprocess.run(command, env=environment, capture_output=True, check=False)

    assert (done.returncode, done.stderr, done.stdout.strip()) == (0, b"", printed)
