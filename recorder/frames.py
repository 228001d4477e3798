"""Compression: lines into zstd frames, and frames back into lines.

A frame ends at the first line end past 1 MiB of plain text, so that a reader may open one without
the others. Within a frame, `flush` ends a *block*: what was written until then can be read even if
the frame never ends, and what follows still profits from it.

Sans-io: bytes in, bytes out. Where frames lie in a file is `traceproof.recorder.seektable`'s
business; what the lines say is nobody's here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import zstandard

from traceproof.recorder.seektable import Entry, encode_seek_table

FRAME_SIZE = 1 << 20
"""Plain bytes after which a frame ends at the next line end."""

MAX_FRAME = 1 << 28
"""Plain bytes of one frame that a reader takes at most; a writer stays far below."""

MAX_WINDOW = 1 << 23
"""The largest zstd window that a reader allocates, in bytes."""

LEVEL = 9
"""The zstd level: a recorder writes little and seldom, and level 9 costs it about 1 ms a turn."""

_WINDOW_LOG = 21
_COMPACT = {"window_log": 18, "chain_log": 15, "hash_log": 15}
"""For a compressor that takes 0.8 MB at most instead of 11.7, and compresses traces as well."""

_STEP = 1 << 10
"""Compressed bytes decompressed at a time: they stand for 32 MiB at most."""

_CAREFUL_STEP = 1 << 8
"""The same for an unended frame: what one step gives is lost if it meets an error."""

_WRITE = 1 << 16


class FrameError(ValueError):
    """One frame cannot be read; the others may."""


class FrameWriter:
    """Compresses lines into frames; every method returns the bytes to append to the file.

    A `compact` one takes a tenth of the memory: for hundreds of them in one process.
    """

    def __init__(
        self, level: int = LEVEL, frame_size: int = FRAME_SIZE, *, compact: bool = False
    ) -> None:
        logs = _COMPACT if compact else {"window_log": _WINDOW_LOG}
        self._parameters = zstandard.ZstdCompressionParameters.from_level(
            level, write_checksum=True, **logs
        )
        self._context: zstandard.ZstdCompressor | None = None
        self._frame_size = frame_size
        self._frame: zstandard.ZstdCompressionObj | None = None
        self._plain = 0
        self._compressed = 0
        self._entries: list[Entry] = []

    @property
    def ended_frames(self) -> int:
        """How many frames have ended."""
        return len(self._entries)

    def write(self, line: bytes) -> bytes:
        """Take a line with its line end; ends the frame if that fills it."""
        if self._frame is None:
            if self._context is None:
                self._context = zstandard.ZstdCompressor(compression_params=self._parameters)
            self._frame = self._context.compressobj()
        out = self._frame.compress(line)
        self._plain += len(line)
        self._compressed += len(out)
        return out + self.end_frame() if self._plain >= self._frame_size else out

    def flush(self) -> bytes:
        """End the block, so that all lines taken so far can be read; the frame stays open."""
        if self._frame is None:
            return b""
        out = self._frame.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)
        self._compressed += len(out)
        return out

    def end_frame(self) -> bytes:
        """End the frame, if one is open."""
        if self._frame is None:
            return b""
        out = self._frame.flush(zstandard.COMPRESSOBJ_FLUSH_FINISH)
        self._entries.append(Entry(self._compressed + len(out), self._plain))
        self._frame, self._plain, self._compressed = None, 0, 0
        return out

    def rest(self) -> bytes:
        """End the frame and give the compressor's memory back, until the next line."""
        out = self.end_frame()
        self._context = None
        return out

    def finish(self) -> bytes:
        """End the frame and add the seek table; nothing may be written after that."""
        return self.end_frame() + encode_seek_table(self._entries)


class Plain(NamedTuple):
    """What a frame holds: whole lines, the length of a broken last one, and what went wrong."""

    lines: bytes
    left_over: int
    problem: str = ""


def read_frame(data: bytes | memoryview, *, ended: bool = True, limit: int = MAX_FRAME) -> Plain:
    """Decompress one frame; of one that has not `ended`, whatever its whole blocks give.

    Decompression is streamed, and stops at `limit` plain bytes: a small hostile frame may stand for
    a huge one. A frame that ended is taken as a whole or not at all, since its checksum comes last.

    Raises:
        FrameError: the frame ended and is corrupt, is too large, or asks for a window above
            `MAX_WINDOW`.
    """
    pieces: list[bytes] = []
    problem = ""
    try:
        pieces.extend(_stream(data, _STEP if ended else _CAREFUL_STEP, limit))
    except zstandard.ZstdError as error:
        problem = f"cannot be decompressed ({error})"
        if ended:
            raise FrameError(problem) from error
    plain = pieces[0] if len(pieces) == 1 else b"".join(pieces)
    end = plain.rfind(b"\n") + 1
    return Plain(plain if end == len(plain) else plain[:end], len(plain) - end, problem)


def _stream(data: bytes | memoryview, step: int, limit: int) -> Iterator[bytes]:
    """Decompress `step` bytes at a time.

    Not by `stream_reader`: when its input is used up it drops what zstd still holds back, which is
    the end of every frame that has not ended.
    """
    context = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW)
    stream = context.decompressobj(write_size=_WRITE)
    size = 0
    for start in range(0, len(data), step):
        piece = stream.decompress(data[start : start + step])
        size += len(piece)
        if size > limit:
            raise FrameError(f"holds more than {limit >> 20} MiB")
        yield piece
