"""What /proc says, checked against what this process knows of itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from traceproof.recorder.shim import proc


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
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    ignored = signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    try:
        os.kill(os.getpid(), signal.SIGUSR1)
        assert signal.SIGUSR1 in proc.pending(os.getpid())
        assert signal.SIGUSR2 in proc.ignored(os.getpid())
    finally:
        signal.sigwait([signal.SIGUSR1])
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        signal.signal(signal.SIGUSR2, ignored)
    assert signal.SIGUSR1 not in proc.pending(os.getpid())
