"""Processes of a benchmark: started with a block, ended with it, and what they used."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
_PATIENCE = 30


@contextlib.contextmanager
def child(script: str, **what: Any) -> Iterator[subprocess.Popen[str]]:
    """Run `script --part WHAT`, a part of a benchmark, beside us; it ends with the block."""
    process = subprocess.Popen(
        [sys.executable, script, "--part", json.dumps(what)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    with ended(process):
        yield process


def run_child(script: str, **what: Any) -> Any:
    """Run a part of a benchmark to its end and return what it prints."""
    result = subprocess.run(
        [sys.executable, script, "--part", json.dumps(what)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    return json.loads(result.stdout)


@contextlib.contextmanager
def listening(
    command: Sequence[str], port: int, environment: Mapping[str, str], log: Path
) -> Iterator[subprocess.Popen[str]]:
    """Run a server until the block ends; the block begins once the port answers."""
    with log.open("w") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            env=dict(environment),
            cwd=log.parent,
        )
    with ended(process):
        until = time.monotonic() + _PATIENCE
        while process.poll() is None and time.monotonic() < until:
            with contextlib.suppress(ConnectionError):
                socket.create_connection(("127.0.0.1", port)).close()
                yield process
                return
            time.sleep(0.05)
        raise RuntimeError(f"{command[0]} did not start: {log.read_text()[-2000:]}")


@contextlib.contextmanager
def ended(process: subprocess.Popen[str]) -> Iterator[None]:
    """End a process with the block: by the end of its input, or as Ctrl-C would."""
    try:
        yield
    finally:
        if process.stdin is not None:
            process.stdin.close()
        else:
            process.send_signal(signal.SIGINT)
        process.wait(_PATIENCE)


def free_port() -> int:
    """Return a port that nobody listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


def first_line(process: subprocess.Popen[str]) -> Any:
    """Return what a part says first, as JSON."""
    assert process.stdout
    return json.loads(process.stdout.readline())


def cpu_seconds(process: int | None) -> float:
    """Return the CPU time that a process has used; its threads' too, its children's not."""
    if process is None:
        return 0.0
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
