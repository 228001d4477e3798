"""What /proc says, checked against what this process knows of itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from traceproof.recorder.shim import proc

SIGNALS = """
import os, signal
from traceproof.recorder.shim import proc

me = os.getpid()
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
signal.signal(signal.SIGUSR2, signal.SIG_IGN)
os.kill(me, signal.SIGUSR1)
waits, ignored = signal.SIGUSR1 in proc.pending(me), signal.SIGUSR2 in proc.ignored(me)
signal.sigwait([signal.SIGUSR1])
print(waits, ignored, signal.SIGUSR1 in proc.pending(me))
"""


def test_words_of_a_process_with_a_name_that_misleads(tmp_path: Path) -> None:
    name = tmp_path / "a) R 1 (b"
    name.symlink_to("/bin/sleep")

    with subprocess.Popen([name, "60"]) as process:
        words = proc.stat(process.pid)
        process.kill()

    assert (words[0] in {b"R", b"S", b"D"}, words[1]) == (True, str(os.getpid()).encode())


def test_texts_of_a_process() -> None:
    script = "from traceproof.recorder.shim import proc; print(proc.texts('/proc/self/cmdline'))"
    words = [sys.executable, "-c", script, "", "x y"]

    said = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True).stdout

    assert said.rstrip().endswith("b'', b'x y']")


def test_signals_that_wait_and_signals_that_are_ignored() -> None:
    """In a process of its own: here, a thread that another test left would take the signal."""
    done = subprocess.run([sys.executable, "-c", SIGNALS], stdout=subprocess.PIPE, check=True)

    assert done.stdout == b"True True False\n"
