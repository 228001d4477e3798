"""`kill -9` of the process that owns boxes, at random moments; `prune` then leaves nothing."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from support.boxes import NOTHING, left_by
from traceproof.sandbox.docker.prune import prune
from traceproof.sandbox.docker.sandbox import DockerSandbox
from traceproof.sandbox.protocol import Image, Setting

pytestmark = pytest.mark.engine

OWNER = """\
import sys
from traceproof.sandbox import owner
from traceproof.sandbox.docker.sandbox import DockerSandbox
from traceproof.sandbox.protocol import Image, Setting

print(owner.me(), flush=True)
sandbox = DockerSandbox()
while True:
    with sandbox.start(Image(id=sys.argv[1], workspace="/home/x/project"), Setting()) as box:
        box.run(["sh", "-c", "sleep 1000 & echo started"], seconds=60)
        box.reset()
        box.run(["sleep", "0.3"], seconds=60)
"""


def kill_after(seconds: float, image: str) -> str:
    """Start an owner and kill it; return its label."""
    command = [sys.executable, "-P", "-c", OWNER, image]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        label = process.stdout.readline().strip()
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        assert process.poll() is None, "it ended by itself"
        os.kill(process.pid, signal.SIGKILL)
    return label


def test_at_random_moments(engine: DockerSandbox, box_image: Image) -> None:
    seed = time.time_ns()  # not `random`, which pytest-randomly seeds
    moments = random.Random(seed)
    for _ in range(8):
        label = kill_after(moments.uniform(0.0, 3.0), box_image.id)

        prune(engine.client)
        if left_by(engine.client, label) != NOTHING:  # a request that the engine was still at
            prune(engine.client)

        assert left_by(engine.client, label) == NOTHING, f"seed {seed}"
        with engine.start(box_image, Setting()) as box:
            assert box.run(["cat", "a.txt"], seconds=60).stdout == b"hello\n"
