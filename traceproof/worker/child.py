"""One of our own commands as a process of its own: whatever becomes of it, the worker goes on.

It is in a session of its own, so a Ctrl-C in the worker's terminal does not end it at once, and it
holds the worker's lock as long as it lives: a worker that is started after another was killed does
not work beside what that one left.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import NamedTuple, Self

from traceproof import render
from traceproof.exits import NO

_LINES = 20
_LONGEST = 1000
_OURS = "traceproof: "
_TO_END = 45.0
"""Seconds to clear up in when it is stopped: boxes to destroy, folders to remove."""


class Ended(NamedTuple):
    """How it ended, and the last that it said; a negative code is the signal that killed it."""

    code: int
    why: str


class Child:
    """A running command; a context manager that leaves no process behind."""

    def __init__(self, command: Sequence[str], lock: int, ended: Callable[[], None]) -> None:
        """Start it.

        Args:
            command: what to run.
            lock: a descriptor that it is to hold.
            ended: called from another thread when it has ended.

        Raises:
            OSError: it cannot be started.
        """
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            pass_fds=(lock,),
            start_new_session=True,
        )
        self._said = deque[str](maxlen=_LINES)
        self.ended: Ended | None = None
        """How it ended; None while it runs."""
        self._reaping = threading.Lock()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._waiter = threading.Thread(target=self._wait, args=(ended,), daemon=True)
        self._listener.start()
        self._waiter.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End it, if it still runs, and leave it the time to clear up."""
        self._signal(signal.SIGTERM)
        self._waiter.join(_TO_END)
        if self._waiter.is_alive():
            self._signal(signal.SIGKILL)
            self._waiter.join()

    def _signal(self, number: int) -> None:
        with self._reaping:  # afterwards its id may be another process's
            if self.ended is None:
                os.kill(self._process.pid, number)

    def _wait(self, ended: Callable[[], None]) -> None:
        """Wait for its end, and end what it left of its session's first group with it."""
        try:
            pid = self._process.pid
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
            self._listener.join(_TO_END)
            with self._reaping:
                code = self._process.wait()
                self.ended = Ended(code, self._why(code))
        finally:
            ended()

    def _listen(self) -> None:
        pipe = self._process.stderr
        if pipe is None:
            raise RuntimeError("its stderr is a pipe")
        with pipe:
            while line := pipe.readline(_LONGEST):
                text = render.clean(line.decode(errors="replace")).strip()
                if text:
                    self._said.append(text)

    def _why(self, code: int) -> str:
        """Return the last line of the program itself; of one that fell over, else the last line."""
        own = [line.removeprefix(_OURS) for line in self._said if line.startswith(_OURS)]
        fell = code not in (0, NO)
        return next(reversed(own or (self._said if fell else [])), "")
