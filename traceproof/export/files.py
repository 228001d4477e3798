"""Files that are there whole or not at all, compressed as their names say.

What is written goes to a file beside the one that was asked for, and takes its place at the end.
"""

from __future__ import annotations

import gzip
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, cast

import zstandard

STDOUT = "-"
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


@contextmanager
def written(target: str) -> Iterator[IO[bytes]]:
    """Open `target` for writing: `-` is stdout, `.zst` and `.gz` are compressed.

    The file can be read by its owner alone, as traces are. It is not there, or it is the one that
    was there before, if the block raises.

    Raises:
        OSError: it cannot be written.
    """
    if target == STDOUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    path = Path(target).resolve()  # a link stays one: what it leads to is replaced
    if path.exists() and not path.is_file():  # a pipe, a terminal, /dev/null; a folder cannot be
        with path.open("wb") as file:
            yield file
        return
    yield from _beside(path)


def _beside(path: Path) -> Iterator[IO[bytes]]:
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    file = os.fdopen(os.open(part, _NEW, 0o600), "wb")
    try:
        with file:
            with _compressed(path.suffix, file) as compressed:
                yield compressed
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise


@contextmanager
def _compressed(suffix: str, file: IO[bytes]) -> Iterator[IO[bytes]]:
    match suffix:
        case ".zst":
            compressor = zstandard.ZstdCompressor(level=3, write_checksum=True)
            with compressor.stream_writer(file, closefd=False) as stream:
                yield cast("IO[bytes]", stream)
        case ".gz":
            with gzip.GzipFile("", "wb", fileobj=file, mtime=0) as stream:
                yield cast("IO[bytes]", stream)
        case _:
            yield file
