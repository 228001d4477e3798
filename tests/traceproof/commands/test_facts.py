from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import termios
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Here = Callable[..., Any]
TRACEPROOF = (sys.executable, "-P", "-m", "traceproof")


@pytest.mark.usefixtures("trace")
def test_in_a_pipe_each_fact_and_each_question_is_a_line_of_cells(here: Here) -> None:
    code, out, err = here("facts")

    assert (code, err) == (0, "")
    assert "\x1b" not in out
    rows = [line.split("\t") for line in out.splitlines()]
    assert ["did", "turns", "there", "5"] in rows
    assert ["human", "prompts", "there", "1"] in rows
    numbered = [row[:3] for row in rows if row[0].isdigit()]
    assert [int(number) for number, _, _ in numbered] == list(range(1, 11))
    assert {state for _, _, state in numbered} == {"answered", "missing"}
    assert rows[-1][0].endswith(" of 10 questions answered")


@pytest.mark.usefixtures("trace")
def test_on_a_terminal_it_is_two_tables_in_colour(project: Path, env: dict[str, str]) -> None:
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (50, 160))
    child = subprocess.Popen(
        [*TRACEPROOF, "facts"],
        cwd=project,
        env={**env, "TERM": "xterm"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    said = b"".join(iter(lambda: read(ours), b"")).decode().replace("\r\n", "\n")
    os.close(ours)

    assert child.wait() == 0
    assert "\x1b[32myes " in said
    plain = [" ".join(line.split()) for line in re.sub(r"\x1b\[[\d;]*m", "", said).splitlines()]
    assert "turns yes 5" in plain
    assert plain[-1].endswith(" of 10 questions answered")


def read(descriptor: int) -> bytes:
    """Read from a terminal, which is an error once nobody has it open."""
    try:
        return os.read(descriptor, 1 << 16)
    except OSError:
        return b""


def test_as_json_it_names_the_spans(here: Here, trace: Path) -> None:
    report = here("facts", "--json").json

    assert report["trace"] == str(trace)
    assert {fact["kind"] for fact in report["facts"]} == {
        *("in", "did", "environment", "human", "ended")
    }
    (turns,) = [fact for fact in report["facts"] if fact["name"] == "turns"]
    assert (turns["state"], turns["count"], len(turns["spans"])) == ("there", 5, 5)
    answered = [answer for answer in report["questions"] if answer["answered"]]
    assert all(answer["spans"] for answer in answered)
    assert report["completeness"] == len(answered) / 10


def test_what_is_no_trace_is_one_clear_line(here: Here, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"no trace")

    code, out, err = here("facts", str(tmp_path / "x"))

    assert (code, out) == (2, "")
    assert err.count("\n") == 1
