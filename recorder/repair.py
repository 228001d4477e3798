"""Ends a trace file that its recorder could not end.

The frame that was open is compressed anew from the lines that can be read, and the seek table is
added, in a file beside the trace that then takes its place: at every moment either the old file or
the whole new one is there. Nothing that can be read is left out, and damaged frames are copied as
they are. Pending spans stay pending: nobody knows how they ended.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from traceproof.recorder.errors import TraceInUse
from traceproof.recorder.framefile import FrameFile
from traceproof.recorder.frames import FrameWriter
from traceproof.recorder.reader import TraceReader
from traceproof.recorder.seektable import Entry, encode_seek_table

_CREATE = os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC


class RepairReport(NamedTuple):
    """What a repair found and did; `dropped` counts bytes of the old file that were unreadable."""

    path: Path
    changed: bool
    spans: int
    pending: int
    dropped: int
    problems: list[str]

    def __str__(self) -> str:
        """Say it in one line."""
        if not self.changed:
            return f"{self.path}: closed properly, nothing to repair"
        return (
            f"{self.path}: repaired; {self.spans} spans, {self.pending} of them without an end, "
            f"{self.dropped} unreadable bytes left out"
        )


def repair(path: Path) -> RepairReport:
    """End a trace file; one that is closed properly is left alone.

    Raises:
        OSError: it cannot be read, or there is no room for the new file.
        TraceInUse: a recorder still writes it.
        TraceError: it is no trace file, or nothing of it can be read.
    """
    path = Path(path).resolve()
    with path.open("rb") as old, _locked(old, path):
        with TraceReader.open(path) as reader:
            pending = [record.pending for record in reader.records()]
            changed, problems = not reader.closed_properly, reader.problems
        dropped = _end(path) if changed else 0
    return RepairReport(path, changed, len(pending), sum(pending), dropped, problems)


@contextlib.contextmanager
def _locked(file: BinaryIO, path: Path) -> Iterator[None]:
    """Keep recorders' files out, and other repairs; a file system without locks has neither."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise TraceInUse(
            f"{path} is still being recorded: repair it when that has ended"
        ) from error
    except OSError:
        yield
        return
    yield


def _end(path: Path) -> int:
    """Write the ended file beside the old one and put it in its place."""
    beside = path.with_name(f".{path.name}.repair")
    frames = FrameFile(path)
    try:
        descriptor = os.open(beside, _CREATE, 0o600)
        with os.fdopen(descriptor, "wb") as new:
            dropped = _write(frames, new)
            new.flush()
            os.fsync(new.fileno())
        beside.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from error
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    finally:
        frames.close()
    return dropped


def _sync_folder(folder: Path) -> None:
    """Ask for the new name to survive a loss of power, where folders can be synced."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EROFS):
            raise
    finally:
        os.close(descriptor)


def _write(frames: FrameFile, new: BinaryIO) -> int:
    """Write whole frames as they are and broken ones anew; returns the bytes left out."""
    entries: list[Entry] = []
    kept = 0
    for number, frame in enumerate(frames.frames):
        kept += frame.size
        lines = frames.lines(number)
        data = frames.read_at(frame.offset, frame.size) if frame.ended else _compress(lines)
        if data:
            new.write(data)
            entries.append(Entry(len(data), len(lines)))
    new.write(encode_seek_table(entries))
    return frames.size - kept


def _compress(lines: bytes) -> bytes:
    writer = FrameWriter()
    return writer.write(lines) + writer.end_frame() if lines else b""
