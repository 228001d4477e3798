"""`kill -9` of whoever has boxes: nothing runs on, and `prune` removes what is left."""

from __future__ import annotations

import secrets
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from support import processes
from traceproof.sandbox import owner
from traceproof.sandbox.local import boxfolder
from traceproof.sandbox.local.backend import LocalSandbox
from traceproof.sandbox.local.prune import prune
from traceproof.sandbox.protocol import Image, Setting

OWNER = """\
import sys
from traceproof.sandbox.local.backend import LocalSandbox
from traceproof.sandbox.protocol import Image, Setting

folder, spaces, marker = sys.argv[1:]
image = Image(id=folder, workspace=f"{folder}/workspace")
script = f"(setsid sleep 3600.{marker} >&- 2>&- &); echo; trap '' TERM; sleep 3600.{marker}; :"
print("made", flush=True)
with LocalSandbox(spaces).start(image, Setting()) as box:
    tell = lambda name, data: print("running", flush=True)
    box.run(["sh", "-c", script], seconds=3600, on_output=tell)
"""


def start(image: Image, sandbox: LocalSandbox, marker: str) -> subprocess.Popen[str]:
    words = [image.id, sandbox._spaces, marker]
    return subprocess.Popen(
        [sys.executable, "-P", "-c", OWNER, *words], stdout=subprocess.PIPE, text=True
    )


def kill(process: subprocess.Popen[str]) -> str:
    """Kill an owner; return what its boxes say of it."""
    label = str(owner.of(process.pid))
    process.kill()
    process.communicate()
    return label


def wait_for_none(marker: str) -> None:
    while processes.with_text(marker):
        time.sleep(0.01)


def of(label: str) -> list[Path]:
    return [box for box in boxfolder.boxes(in_use=True) if _says(box) == label]


def _says(box: Path) -> str:
    try:
        return (box / "owner").read_text()
    except FileNotFoundError:
        return ""


def test_what_runs_ends_with_its_owner(sandbox: LocalSandbox, local_image: Image) -> None:
    marker = str(10**9 + secrets.randbelow(10**9))
    process = start(local_image, sandbox, marker)
    assert process.stdout
    assert [process.stdout.readline(), process.stdout.readline()] == ["made\n", "running\n"]
    assert len(processes.with_text(f"3600.{marker}")) >= 2

    label = kill(process)

    wait_for_none(f"3600.{marker}")
    assert len(of(label)) == 1
    removed = list(prune())
    assert of(label) == []
    assert len(removed) >= 1


@pytest.mark.parametrize("delay", [0.0, 0.02, 0.05, 0.1, 0.2])
def test_killed_at_any_moment_nothing_is_left(
    sandbox: LocalSandbox, local_image: Image, delay: float
) -> None:
    marker = str(10**9 + secrets.randbelow(10**9))
    process = start(local_image, sandbox, marker)
    assert process.stdout
    assert process.stdout.readline() == "made\n"
    time.sleep(delay)

    label = kill(process)

    list(prune())
    assert of(label) == []
    wait_for_none(f"3600.{marker}")
    list(prune())
    assert of(label) == []


def test_boxes_in_use_stay(sandbox: LocalSandbox, local_image: Image) -> None:
    with sandbox.start(local_image, Setting()) as box:
        list(prune())

        assert box.run(["cat", "a.txt"], seconds=60).stdout == b"hello\n"


def test_a_box_outlives_the_thread_that_made_it(sandbox: LocalSandbox, local_image: Image) -> None:
    context = sandbox.start(local_image, Setting())
    made = []
    thread = threading.Thread(target=lambda: made.append(context.__enter__()))
    thread.start()
    thread.join()
    try:
        assert made[0].run(["cat", "a.txt"], seconds=60).stdout == b"hello\n"
    finally:
        context.__exit__(None, None, None)
