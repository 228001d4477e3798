"""What of a trace has gone to which server: a small file beside the trace.

It names the server by a hash, and holds no header. A span counts as gone when the server said that
it took it, or that it never will. Two pushes at once keep each other's notes.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from traceproof.recorder.store import SUFFIX

ENDING = ".pushed.json"


class Gone(msgspec.Struct, omit_defaults=True):
    """How many spans of a trace went to one server, in the order of the file, and the last one.

    `endpoint` is for people, and has nothing secret in it. `refused` of the spans were not kept.
    """

    endpoint: str = ""
    spans: int = 0
    last: str = ""
    refused: int = 0


class Ledger:
    """The file of one trace; `problem` says why it cannot be kept, if it cannot."""

    def __init__(self, trace: Path) -> None:
        """Read it; a file that is not there, or broken, is an empty one."""
        name = trace.name.removesuffix(SUFFIX)
        self.path = trace.with_name(name + ENDING)
        self.problem = ""
        self._all = self._read()

    def find(self, key: str) -> Gone:
        """Return what has gone under a key (see `key`)."""
        return self._all.get(key, Gone())

    def note(self, key: str, gone: Gone) -> None:
        """Write down what has gone; the file is there whole or as it was."""
        self._all[key] = gone
        try:
            with _alone(self.path.parent):
                self._all = {**self._read(), key: gone}
                self._write()
        except OSError as error:
            self.problem = f"{self.path}: {error.strerror}: an interrupted push begins anew"

    def _read(self) -> dict[str, Gone]:
        with suppress(OSError, ValueError, RecursionError):
            return msgspec.json.decode(self.path.read_bytes(), type=dict[str, Gone])
        return {}

    def _write(self) -> None:
        part = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        try:
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(msgspec.json.format(msgspec.json.encode(self._all), indent=2) + b"\n")
            part.replace(self.path)
        except OSError:
            part.unlink(missing_ok=True)
            raise


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other pushes from noting anything in a folder; where there are no locks, nothing."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def key(trace_id: str, endpoint_key: str, *how: str) -> str:
    """Name a trace, a server, and how the trace is told it: another way is another push."""
    return hashlib.sha256("\n".join((trace_id, endpoint_key, *how)).encode()).hexdigest()
