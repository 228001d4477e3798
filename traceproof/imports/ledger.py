"""Which transcripts have been imported into a store: a line for each import, only ever appended."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import msgspec

_NAME = "imports.jsonl"


class _Line(msgspec.Struct):
    digest: str
    trace: str


class Ledger:
    """The list of one store's imports."""

    def __init__(self, store: Path) -> None:
        self._path = store / _NAME

    def find(self, digest: str, traces: Path) -> str:
        """Return the name of the newest trace of an import that is still there, or ""."""
        found = ""
        with suppress(OSError):
            for line in self._path.read_bytes().splitlines():
                known = _read(line)
                if known and known.digest == digest and (traces / known.trace).is_file():
                    found = known.trace
        return found

    def note(self, digest: str, trace: str) -> None:
        """Write down an import.

        Raises:
            OSError: that is not possible.
        """
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        handle = os.open(self._path, flags, 0o600)
        try:
            os.write(handle, msgspec.json.encode(_Line(digest, trace)) + b"\n")
        finally:
            os.close(handle)


def _read(line: bytes) -> _Line | None:
    """Read a line; one that a full disk cut off says nothing."""
    try:
        known = msgspec.json.decode(line, type=_Line)
    except ValueError:
        return None
    return known if Path(known.trace).name == known.trace else None
