"""Where frames lie in a file: the seek table at its end, or a walk over the frames themselves.

The table is that of the zstd seekable format 0.1.0 (contrib/seekable_format in the zstd
repository): a skippable frame, which any zstd decoder passes over. The walk follows RFC 8878 from
header to header without decompressing anything; it also tells whether a frame has ended.

Sans-io: callers hand in a function that reads bytes at an offset. Nothing here is trusted: sizes
are checked against the file's before they are used.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import NamedTuple, TypeAlias

ReadAt: TypeAlias = Callable[[int, int], bytes]
"""Read up to `size` bytes at `offset`: `read_at(offset, size)`."""

MAGIC = b"\x28\xb5\x2f\xfd"
_SKIPPABLE = 0x184D2A50
_TABLE_MAGIC = 0x184D2A5E
_FOOTER_MAGIC = 0x8F92EAB1
_HEADER = struct.Struct("<II")
_ENTRY = struct.Struct("<II")
_FOOTER = struct.Struct("<IBI")
_CHECKSUM_FLAG = 0x80
_RAW, _RLE, _RESERVED = 0, 1, 3
_SEARCH = 1 << 20


class Entry(NamedTuple):
    """One row of the seek table: a frame's sizes in bytes."""

    compressed: int
    plain: int


class Frame(NamedTuple):
    """A frame in a file; of one that has not ended, `size` counts its whole blocks only."""

    offset: int
    size: int
    ended: bool = True


class Gap(NamedTuple):
    """Bytes that belong to no frame: the tail of a cut file, or damage."""

    offset: int
    size: int


def encode_seek_table(entries: Iterable[Entry]) -> bytes:
    """Encode the seek table as a skippable frame, without per-frame checksums."""
    rows = b"".join(_ENTRY.pack(*entry) for entry in entries)
    footer = _FOOTER.pack(len(rows) // _ENTRY.size, 0, _FOOTER_MAGIC)
    return _HEADER.pack(_TABLE_MAGIC, len(rows) + _FOOTER.size) + rows + footer


def read_seek_table(read_at: ReadAt, size: int) -> list[Frame] | None:
    """Return the frames that the seek table of a file of `size` bytes names; None without a table.

    A table that does not fit the file to the byte is none.
    """
    footer = read_at(size - _FOOTER.size, _FOOTER.size) if size > _FOOTER.size else b""
    if len(footer) != _FOOTER.size:
        return None
    count, descriptor, magic = _FOOTER.unpack(footer)
    row = 12 if descriptor & _CHECKSUM_FLAG else 8
    start = size - _FOOTER.size - count * row - _HEADER.size
    if magic != _FOOTER_MAGIC or start < 0:
        return None
    table = read_at(start, size - start)
    if _HEADER.unpack_from(table) != (_TABLE_MAGIC, count * row + _FOOTER.size):
        return None
    sizes = [_ENTRY.unpack_from(table, _HEADER.size + i * row)[0] for i in range(count)]
    return _frames(sizes) if sum(sizes) == start else None


def _frames(sizes: Iterable[int]) -> list[Frame]:
    frames, offset = [], 0
    for size in sizes:
        frames.append(Frame(offset, size))
        offset += size
    return frames


def walk(read_at: ReadAt, size: int) -> Iterator[Frame | Gap]:
    """Find the frames of a file of `size` bytes by their headers; skippable ones are left out."""
    offset = 0
    while offset < size:
        end = _skippable_end(read_at, offset, size)
        if end is None:
            frame = _frame(read_at, offset, size)
            if frame.ended:
                yield frame
                end = offset + frame.size
            else:
                end = yield from _broken(read_at, frame, size)
        offset = end


def _skippable_end(read_at: ReadAt, offset: int, size: int) -> int | None:
    header = read_at(offset, _HEADER.size)
    if len(header) < _HEADER.size:
        return None
    magic, length = _HEADER.unpack(header)
    end = offset + _HEADER.size + length
    return end if magic & 0xFFFFFFF0 == _SKIPPABLE and end <= size else None


def _broken(read_at: ReadAt, frame: Frame, size: int) -> Generator[Frame | Gap, None, int]:
    """Yield what there is of a frame that does not end, and go on at the next one that does."""
    offset = frame.offset + frame.size
    if frame.size:
        yield frame
    following = _next_frame(read_at, offset, size)
    if following > offset:
        yield Gap(offset, following - offset)
    return following


def _next_frame(read_at: ReadAt, offset: int, size: int) -> int:
    """Find the next offset at which a whole frame lies; `size` when there is none."""
    while offset < size:
        found = read_at(offset, _SEARCH).find(MAGIC)
        if found < 0:
            offset += max(_SEARCH - len(MAGIC) + 1, 1)
        elif _frame(read_at, offset + found, size).ended:
            return offset + found
        else:
            offset += found + 1
    return size


def _frame(read_at: ReadAt, offset: int, size: int) -> Frame:
    """Follow a frame's blocks to its end, or to the last block that the file holds whole."""
    header = read_at(offset, 18)
    length = _header_size(header)
    if length is None:
        return Frame(offset, 0, ended=False)
    checksum = 4 if header[4] & 0x04 else 0
    position, last = offset + length, False
    while not last:
        block = read_at(position, 3)
        field = int.from_bytes(block, "little")
        kind, body = field >> 1 & 3, field >> 3
        end = position + 3 + (1 if kind == _RLE else body)
        last = bool(field & 1)
        if len(block) != 3 or kind == _RESERVED or end + checksum * last > size:  # noqa: PLR2004
            return Frame(offset, position - offset, ended=False)
        position = end
    return Frame(offset, position + checksum - offset)


def _header_size(header: bytes) -> int | None:
    """Return the length of a frame header, or None where there is no whole one."""
    if len(header) <= len(MAGIC) or not header.startswith(MAGIC):
        return None
    descriptor = header[4]
    single_segment = descriptor >> 5 & 1
    content_size = (single_segment, 2, 4, 8)[descriptor >> 6]
    dictionary = (0, 1, 2, 4)[descriptor & 3]
    length = 5 + (1 - single_segment) + dictionary + content_size
    return length if len(header) >= length else None
