"""That a worker is alive, for a health check; and that there is one of a kind for a store."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from traceproof.recorder.store import Store
from traceproof.replay.privatefile import write_private

EVERY = 10.0
LATE = 60.0
"""Seconds without a sign of life after which a worker is taken for dead."""

_BYTES = 1 << 16


class Life(msgspec.Struct, kw_only=True):
    """What a worker says of itself; times in Unix seconds."""

    task: str
    pid: int
    started: float
    beat: float = 0.0
    doing: str = ""
    """The trace that it is at."""
    since: float = 0.0
    done: int = 0
    refused: int = 0
    failed: int = 0
    problem: str = ""
    """Why the environment failed last; empty when it has worked since."""


class Heart:
    """Writes signs of life from a thread of its own; a context manager."""

    def __init__(self, store: Store, task: str) -> None:
        """Prepare; `life` may be changed at any time."""
        now = time.time()
        self.life = Life(task=task, pid=os.getpid(), started=now)
        self._path = path_of(store, task)
        self._stop = threading.Event()
        self._writing = threading.Lock()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()
        with suppress(OSError):
            self._path.unlink(missing_ok=True)

    def tell(self) -> None:
        """Write how it is, now; a disk that takes nothing shows by the sign's age."""
        with self._writing, suppress(OSError):
            self.life.beat = time.time()
            write_private(self._path, msgspec.json.encode(self.life) + b"\n")

    def _beat(self) -> None:
        self.tell()
        while not self._stop.wait(EVERY):
            self.tell()


def path_of(store: Store, task: str) -> Path:
    """Return the file of a worker's signs of life."""
    return store.path / f"worker-{task}.json"


def read(store: Store, task: str) -> Life:
    """Read the last sign of life.

    Raises:
        FileNotFoundError: no worker runs.
        OSError: it cannot be read.
        ValueError: it is none.
    """
    path = path_of(store, task)
    with path.open("rb") as file:
        try:
            return msgspec.json.decode(file.read(_BYTES), type=Life)
        except msgspec.DecodeError as error:
            raise ValueError(f"{path}: {error}") from None


def complaint(life: Life, now: float) -> str:
    """Say in a line what is wrong with a worker; empty when it is well."""
    if now - life.beat > LATE:
        return f"no sign of life for {now - life.beat:.0f} s"
    return life.problem


class Only:
    """The lock of the one worker of a kind; a context manager. Children may hold it, too."""

    def __init__(self, store: Store, task: str) -> None:
        """Prepare."""
        self._path = store.path / f"worker-{task}.lock"
        self.handle = -1

    def __enter__(self) -> Self:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        self.handle = os.open(self._path, flags, 0o600)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self.handle)

    def take(self, wait: Callable[[], bool]) -> bool:
        """Take the lock; while another has it, call `wait` until that returns True.

        Returns:
            Whether it was had.

        Raises:
            OSError: the file system has no locks.
        """
        while True:
            try:
                fcntl.flock(self.handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if wait():
                    return False
            else:
                return True
