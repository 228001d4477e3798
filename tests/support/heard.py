"""A folder of tests, and a way to hear it: the real command, a real FIFO, and no box."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from traceproof.replay import kit
from traceproof.replay.events import Listener
from traceproof.replay.runs import Conditions, Session, SessionResult
from traceproof.sandbox.protocol import Result


class Suite:
    """A folder with tests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.work = folder / "work"
        self.work.mkdir()
        (folder / "tmp").mkdir()
        self.channel = folder / "channel"
        os.mkfifo(self.channel)
        self.result: Result | None = None

    def write(self, **files: str) -> None:
        for name, text in files.items():
            path = self.work / (name.replace("__", "/") + ".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def hear(
        self,
        *argv: str,
        session: Session | None = None,
        python: str = sys.executable,
        seconds: float = 60,
        environment: dict[str, str] | None = None,
        **conditions: Any,
    ) -> SessionResult:
        words = list(argv) or [python, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        around, key = Conditions(**conditions), kit.new_key()
        base = {**self._base(), **(environment or {}), **kit.environment(around)}
        listener = Listener(key)
        given = kit.job(session or Session(seed=1), around, key=key, channel=str(self.channel))
        with self._listening(listener):
            self.result = self._run(
                kit.command(words, around.load),
                base,
                kit.tar(given),
                seconds,
            )
        return listener.result(self.result, " ".join(words), seconds)

    def run_bare(self, *argv: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            argv, cwd=self.work, env=self._base(), capture_output=True, check=False
        )

    def _base(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "TMPDIR": str(self.folder / "tmp"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        }

    def _run(
        self, words: list[str], environment: dict[str, str], given: bytes, seconds: float
    ) -> Result:
        started = time.monotonic()
        with subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            cwd=self.work, env=environment, start_new_session=True,
        ) as process:  # fmt: skip
            late = False
            try:
                out, err = process.communicate(given, timeout=seconds)
            except subprocess.TimeoutExpired:
                late = True
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            if late:
                out, err = process.communicate()
        code = process.returncode
        return Result(
            exit_code=code if code >= 0 else None,
            signal=-code if code < 0 else None,
            seconds=time.monotonic() - started,
            stdout=out,
            stderr=err,
            timed_out=late,
        )

    def _listening(self, listener: Listener) -> _Listening:
        return _Listening(self.channel, listener)


class _Listening:
    """Reads a FIFO until it is left, and then all that is still in it."""

    def __init__(self, channel: Path, listener: Listener) -> None:
        self._fd = os.open(channel, os.O_RDONLY | os.O_NONBLOCK)
        os.set_blocking(self._fd, True)
        self._hold = os.open(channel, os.O_WRONLY)
        self._listener = listener
        self._thread = threading.Thread(target=self._read)

    def _read(self) -> None:
        while data := os.read(self._fd, 65536):
            self._listener.feed(data)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        os.close(self._hold)
        self._thread.join(30)
        os.close(self._fd)
