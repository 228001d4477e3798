"""The file with every run and what came of it: JSON Lines in zstd frames, beside the verdict.

The first line says what was asked for; how that reads is the business of who writes it. Each run is
on disk when it has ended. A draft has the file's name with a dot before it, and is locked while it
is written; what a killed process leaves of one is written over by the next.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import msgspec

from traceproof.recorder.framefile import FrameFile
from traceproof.recorder.frames import FrameWriter
from traceproof.replay import plainjson
from traceproof.replay.runs import Run, RunResult

SUFFIX = ".runs.jsonl.zst"
VERSION = 1
_T = TypeVar("_T")


class _Head(msgspec.Struct, kw_only=True):
    traceproof_runs: int
    asked: msgspec.Raw


class Entry(msgspec.Struct, frozen=True):
    """A run and its result."""

    run: Run
    result: RunResult


class RunsWriter:
    """Writes the draft of a file of runs; a context manager that leaves nothing but a kept file."""

    def __init__(self, path: Path, asked: Any) -> None:
        """Begin the draft.

        Raises:
            BlockingIOError: another process is writing it.
            OSError: it cannot be written.
        """
        self._path = path
        self._draft = path.with_name(f".{path.name}")
        flags = os.O_CREAT | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
        self._fd = os.open(self._draft, flags, 0o600)
        try:
            _lock(self._fd, self._draft)
        except (BlockingIOError, FileNotFoundError):
            self._close()
            raise BlockingIOError(
                f"{path.name}: another verify is at work on it: wait for it, or name another "
                "folder with --report"
            ) from None
        os.fchmod(self._fd, 0o600)
        os.ftruncate(self._fd, 0)
        self._frames = FrameWriter()
        self._hash = hashlib.sha256()
        head = _Head(traceproof_runs=VERSION, asked=msgspec.Raw(_encoded(asked)))
        self._line(_encoded(head))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._fd >= 0:
            self._draft.unlink(missing_ok=True)
            self._close()

    def add(self, run: Run, result: RunResult) -> None:
        """Write a run and its result.

        Raises:
            OSError: the disk is full, or fails.
        """
        self._line(_encoded(Entry(run, result)))

    def keep(self) -> str:
        """Give the file its name; returns its SHA-256 in hex.

        Raises:
            OSError: the disk is full, or fails.
        """
        self._write(self._frames.finish())
        os.fsync(self._fd)
        self._draft.replace(self._path)
        self._close()
        return self._hash.hexdigest()

    def _line(self, line: bytes) -> None:
        self._write(self._frames.write(line + b"\n") + self._frames.flush())

    def _write(self, data: bytes) -> None:
        self._hash.update(data)
        left = memoryview(data)
        while left:
            left = left[os.write(self._fd, left) :]

    def _close(self) -> None:
        os.close(self._fd)
        self._fd = -1


def _encoded(value: Any) -> bytes:
    """Return a value as one line of JSON, also where a text in it is no Unicode."""
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return msgspec.json.format(plainjson.encode(value), indent=-1)


def _lock(handle: int, draft: Path) -> None:
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    if not os.path.samestat(os.fstat(handle), os.lstat(draft)):
        raise BlockingIOError  # it was given its name after we had opened it


class RunsFile:
    """A file of runs, read; it is not trusted."""

    def __init__(self, path: Path) -> None:
        """Read its head.

        Raises:
            OSError: it cannot be read.
            ValueError: it is no such file, is damaged, or is newer than this program.
        """
        self._path = path
        self._file = FrameFile(path)
        try:
            line = next(self._lines(), b"")
            head = msgspec.json.decode(line, type=_Head)
        except (msgspec.DecodeError, UnicodeDecodeError):
            self.close()
            raise ValueError(f"{path}: no file of runs, or a damaged one") from None
        if head.traceproof_runs > VERSION:
            self.close()
            raise ValueError(f"{path}: written by a newer traceproof; update this one")
        self._asked = head.asked

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def asked(self, kind: type[_T]) -> _T:
        """Return what was asked for.

        Raises:
            ValueError: it is not of this kind.
        """
        try:
            return msgspec.json.decode(self._asked, type=kind)
        except msgspec.DecodeError as error:
            raise ValueError(f"{self._path}: damaged: {error}") from None

    def entries(self) -> Iterator[Entry]:
        """Yield the runs in the order in which they ended.

        Raises:
            ValueError: the file is damaged.
        """
        lines = self._lines()
        next(lines, None)
        for line in lines:
            try:
                yield msgspec.json.decode(line, type=Entry)
            except (msgspec.DecodeError, UnicodeDecodeError):
                raise ValueError(f"{self._path}: damaged: a run cannot be read") from None

    def _lines(self) -> Iterator[bytes]:
        for number in range(len(self._file.frames)):
            yield from self._file.lines(number).splitlines()
        if self._file.problems:
            raise ValueError(f"{self._path}: damaged: {self._file.problems[0]}")
