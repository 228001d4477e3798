"""What the shell shim costs: `bash -c true` without and with it, side by side in one run.

The command is started as an agent does it: output through pipes, read to their end, then waited
for. The recorder is a stand-in in a process of its own that answers at once. Nested: the same
command where the outer one is recorded already, so that the launcher runs bash itself. Rounds
alternate, since a shared machine's noise comes and goes.

    python benchmarks/shim.py [ROUNDS]
"""

from __future__ import annotations

import contextlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent))  # for the helpers: `python -P` leaves it out

from benchmarks._processes import ended
from traceproof.recorder.shim.install import ShimFolder

BASH = "/bin/bash"
TOKEN = "benchmark"
SLACK = Path("/proc/self/timerslack_ns")

LISTENER = """
import socket, sys, threading
server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
server.bind(sys.argv[1])
server.listen(100)
print(flush=True)
def serve(link):
    while packet := link.recv(70000):
        if packet[:1] == b"H":
            link.send(b"G" + bytes(8) + b"verdict\\0record\\0")
def accept():
    while True:
        threading.Thread(target=serve, args=server.accept()[:1], daemon=True).start()
threading.Thread(target=accept, daemon=True).start()
sys.stdin.read()
"""


def main() -> None:
    """Measure, and print the figures."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    with tempfile.TemporaryDirectory() as name, listener(Path(name, "recorder")):
        folder = ShimFolder(Path(name, "shim"), Path(name, "recorder"), TOKEN)
        launcher = str(folder.launcher("path", BASH))
        plain, shim, nested = [], [], []
        for _ in range(rounds):
            plain.append(timed(BASH))
            shim.append(timed(launcher))
            with slack(folder.marker):
                nested.append(timed(launcher))
    base = statistics.median(plain)
    print(f"bash -c true, {rounds} rounds, p50 ms{'':>12}added{'':>8}ratio")
    for title, times in (("without", plain), ("with the shim", shim), ("nested", nested)):
        p50 = statistics.median(times)
        print(f"  {title:<16}{p50:>16.2f}{p50 - base:>16.2f}{p50 / base:>13.2f}")


def timed(executable: str) -> float:
    """Return how long a command took from its start to its end, in milliseconds."""
    start = time.perf_counter()
    with subprocess.Popen(
        ["bash", "-c", "true"],
        executable=executable,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        process.communicate()
    assert process.returncode == 0
    return 1000 * (time.perf_counter() - start)


@contextlib.contextmanager
def slack(nanoseconds: int) -> Iterator[None]:
    """Have what we start believe that it is part of a recorded command."""
    before = SLACK.read_text()
    SLACK.write_text(str(nanoseconds))
    try:
        yield
    finally:
        SLACK.write_text(before)


@contextlib.contextmanager
def listener(path: Path) -> Iterator[None]:
    """Run the stand-in for the recorder beside us."""
    process = subprocess.Popen(
        [sys.executable, "-c", LISTENER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with ended(process):
        assert process.stdout
        process.stdout.readline()
        yield


if __name__ == "__main__":
    main()
