"""The shell's process without machine code, driven in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

BEGIN = """
import os, sys
from traceproof.recorder.shim.forked import ForkedBody
from traceproof.recorder.shim.plan import Plan
body = ForkedBody(["/a/launcher/bash", "-c", sys.argv[1], "a name"])
"""
BECOMES = """
plan = Plan(b"/bin/bash", 50_123)
reads, writes = os.pipe()
plan.descriptors = [(writes, 1)]
plan.environment = [b"ONE=1", b"PATH=/usr/bin:/bin"]
body.become(plan)
os.close(writes)
status = None
while status is None or os.WIFSTOPPED(status):
    status = body.outer.happens().status
print(os.read(reads, 1000).decode(), end="", flush=True)
body.outer.end_as(status)
"""


def run(program: str, script: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + program, script],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        timeout=60,
        env={"PYTHONPATH": os.pathsep.join(sys.path), "TWO": "2"},
    )
    return done.returncode, done.stdout


def test_it_becomes_what_is_planned() -> None:
    script = "echo $0 $ONE ${TWO-none}; cat /proc/$$/timerslack_ns; exit 3"

    assert run(BECOMES, script) == (3, "a name 1 none\n50123\n")


@pytest.mark.parametrize("number", [9, 15, 34])
def test_this_process_ends_by_the_same_signal(number: int) -> None:
    assert run(BECOMES, f"kill -{number} $$") == (-number, "")


def test_this_process_can_be_the_shell_instead() -> None:
    program = "body.outer.replace(b'/bin/bash', body.arguments, body.environment)"

    assert run(program, "echo $0 $TWO; exit 4") == (4, "a name 2\n")


def test_it_can_be_left_alone_once_it_runs() -> None:
    program = "body.become(Plan(b'/bin/bash', 50_123)); body.outer.give_up()"

    assert run(program, "echo out; exit 5") == (5, "out\n")
