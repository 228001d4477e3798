"""The body of an HTTP/1.1 request, read off a stream: by its length or in chunks, and bounded.

Not a server and not a parser of heads: those are the standard library's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Protocol

_LENGTH = re.compile(r"\d{1,18}")
_CHUNK_SIZE = re.compile(rb"([0-9a-fA-F]{1,15})[ \t]*(?:;.*)?\r?\n")
_LINE_LIMIT = 4096
_TRAILER_LIMIT = 100


class BodyTooLargeError(ValueError):
    """A body has more bytes than are taken."""


class Stream(Protocol):
    """What a body is read from: blocking, buffered."""

    def read(self, size: int, /) -> bytes:
        """Return that many bytes, fewer only at the end."""

    def readline(self, size: int, /) -> bytes:
        """Return a line with its end, or that many bytes of it."""


def read_body(stream: Stream, headers: Mapping[str, str], limit: int) -> bytes:
    """Read one body.

    Args:
        stream: What comes after the head.
        headers: By lower-case name.
        limit: The most bytes to take.

    Raises:
        BodyTooLargeError: there are more than `limit`; the rest is left unread.
        ConnectionError: it was cut short.
        ValueError: its length or a chunk is malformed.
    """
    encoding = headers.get("transfer-encoding", "").strip().lower()
    if encoding == "chunked":
        return b"".join(_chunks(stream, limit))
    if encoding:
        raise ValueError(f"transfer-encoding {encoding} is not known")
    length = headers.get("content-length", "0").strip()
    if not _LENGTH.fullmatch(length):
        raise ValueError("content-length is not a number")
    return _exactly(stream, _within(int(length), limit))


def _chunks(stream: Stream, limit: int) -> Iterator[bytes]:
    left = limit
    while size := _chunk_size(stream):
        left -= _within(size, left)
        yield _exactly(stream, size)
        if stream.readline(2) not in {b"\r\n", b"\n"}:
            raise ValueError("a chunk is longer than it says")
    for _ in range(_TRAILER_LIMIT):
        if stream.readline(_LINE_LIMIT) in {b"\r\n", b"\n", b""}:
            return
    raise ValueError("the trailers do not end")


def _chunk_size(stream: Stream) -> int:
    line = stream.readline(_LINE_LIMIT)
    found = _CHUNK_SIZE.fullmatch(line)
    if found:
        return int(found[1], 16)
    if not line.endswith(b"\n") and len(line) < _LINE_LIMIT:
        raise ConnectionError("the body was cut short")
    raise ValueError("a chunk's size is not a number")


def _within(size: int, limit: int) -> int:
    if size > limit:
        raise BodyTooLargeError("the body is too large")
    return size


def _exactly(stream: Stream, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise ConnectionError("the body was cut short")
    return data
