"""The process that waits to become the shell, as the launcher's word leads to it."""

from __future__ import annotations

import os
import subprocess
import sys

from traceproof.recorder.shim import body


def test_an_ended_child_is_reaped() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)

    body.end(child.pid)

    assert child.wait() == 0  # nobody is left to be asked
    assert child.stdin
    child.stdin.close()


KEEPS = """
import os
from traceproof.recorder.shim.body import keep_only
kept, other = os.pipe()
keep_only({1, kept})
print(sorted(map(int, os.listdir('/proc/self/fd')))[:2] == [1, kept] or os.listdir('/proc/self/fd'))
os.fstat(kept)
try:
    os.fstat(other)
except OSError:
    print('closed', flush=True)
os._exit(0)
"""


def test_only_what_is_named_stays_open() -> None:
    done = subprocess.run([sys.executable, "-c", KEEPS], stdout=subprocess.PIPE, check=True)

    assert done.stdout.splitlines()[-1] == b"closed"
    assert os.fstat(1)
