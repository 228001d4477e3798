"""Content encodings undone as the bytes come: gzip, deflate, br, zstd, and stacks of them.

It decodes what is kept for reading; it never touches what is relayed. Damage is not an error
here: what could be decoded is handed out, and `Decoder.problem` says in one line what was wrong.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, Protocol

import zstandard

PIECE = 1 << 18
"""Bytes aimed at for a decoded piece; a bomb makes single pieces of 32 MiB at most (brotli)."""

LIMIT = 1 << 28
"""Decoded bytes that one `Decoder.feed` hands out at most; what a bomb holds beyond is left."""

_DEPTH = 4
_ZLIB_SLICE = 1 << 16  # zlib copies what it has not yet read: a short slice keeps that cheap
_ZSTD_SLICE = 128  # a block of 4 bytes holds up to 128 KiB, so a slice makes 4 MiB at most
_BROTLI_SLICE = 16  # a meta-block of 10 bytes holds up to 16 MiB
_ZSTD_WINDOW = 1 << 27


class _Stage(Protocol):
    """One encoding being undone; raises ValueError at damage."""

    @property
    def whole(self) -> bool:
        """True where the encoded data may end: at a stream's end, or before its first byte."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what these bytes decode to."""


class _Inflate:
    """Zlib's streams: gzip (any number of members) and deflate."""

    def __init__(self, name: str, window: int) -> None:
        self.whole = True
        self._name = name
        self._window = window
        self._stream = zlib.decompressobj(window)

    def feed(self, data: bytes) -> Iterator[bytes]:
        for start in range(0, len(data), _ZLIB_SLICE):
            try:
                yield from self._slice(data[start : start + _ZLIB_SLICE])
            except zlib.error as error:
                raise ValueError(f"{self._name}: {error}") from error

    def _slice(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._stream.eof:
                self._stream = self._next()
            yield self._stream.decompress(data, PIECE)
            self.whole = self._stream.eof
            data = self._stream.unconsumed_tail or self._stream.unused_data
        while more := self._stream.decompress(b"", PIECE):
            yield more
            self.whole = self._stream.eof

    def _next(self) -> Any:
        if self._name != "gzip":
            raise ValueError("deflate: bytes after the end")
        return zlib.decompressobj(self._window)


class _Deflate:
    """Deflate in zlib's wrapper, as the standard has it, or bare, as some send it."""

    def __init__(self) -> None:
        self._head = b""
        self._inner: _Inflate | None = None

    @property
    def whole(self) -> bool:
        return self._inner.whole if self._inner else not self._head

    def feed(self, data: bytes) -> Iterator[bytes]:
        if self._inner is None:
            data = self._head = self._head + data
            if len(data) < 2:  # noqa: PLR2004  the wrapper's two bytes tell
                return
            wrapped = data[0] & 15 == 8 and int.from_bytes(data[:2], "big") % 31 == 0  # noqa: PLR2004
            self._inner = _Inflate("deflate", 15 if wrapped else -15)
        yield from self._inner.feed(data)


class _Zstd:
    """Zstandard, any number of frames."""

    def __init__(self) -> None:
        self.whole = True
        self._new = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).decompressobj
        self._stream = self._new()

    def feed(self, data: bytes) -> Iterator[bytes]:
        for start in range(0, len(data), _ZSTD_SLICE):
            try:
                yield from self._slice(data[start : start + _ZSTD_SLICE])
            except zstandard.ZstdError as error:
                raise ValueError(f"zstd: {error}") from error

    def _slice(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._stream.eof:
                self._stream = self._new()
            yield self._stream.decompress(data)
            self.whole = self._stream.eof
            data = self._stream.unused_data if self.whole else b""


class _Brotli:
    """Brotli; its library is mitmproxy's, imported here so that others need not have it."""

    def __init__(self) -> None:
        try:
            brotli: Any = import_module("brotli")
        except ImportError as error:
            raise LookupError("br needs brotli: pip install 'traceproof[proxy]'") from error
        self.whole = True
        self._error: type[Exception] = brotli.error
        self._stream = brotli.Decompressor()

    def feed(self, data: bytes) -> Iterator[bytes]:
        for start in range(0, len(data), _BROTLI_SLICE):
            if self._stream.is_finished():
                raise ValueError("br: bytes after the end")
            try:
                yield self._stream.process(data[start : start + _BROTLI_SLICE])
            except self._error as error:
                raise ValueError(f"br: {error}") from error
            self.whole = self._stream.is_finished()


_STAGES: dict[str, Callable[[], _Stage]] = {
    "gzip": lambda: _Inflate("gzip", 31),
    "x-gzip": lambda: _Inflate("gzip", 31),
    "deflate": _Deflate,
    "br": _Brotli,
    "zstd": _Zstd,
}


class Decoder:
    """Undoes one body's content encoding, fed as it comes.

    Args:
        encoding: the value of `Content-Encoding`: "", "gzip", "gzip, br" (last one undone first).
        limit: decoded bytes that one `feed` returns at most.

    Raises:
        LookupError: an encoding is unknown, or its library is not installed.
        ValueError: more encodings are stacked than anybody means.
    """

    def __init__(self, encoding: str = "", *, limit: int = LIMIT) -> None:
        self.problem = ""
        """What was wrong with the bytes, in one line; empty while nothing was."""
        self._limit = limit
        applied = names(encoding)
        if len(applied) > _DEPTH:
            raise ValueError(f"{len(applied)} content encodings are stacked: at most {_DEPTH}")
        self._stages = [_stage(name) for name in reversed(applied)]

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """Yield what these bytes decode to, piece by piece: memory stays bounded, a bomb or not."""
        if self.problem:
            return
        try:
            yield from filter(None, self._through(0, data))
        except ValueError as error:
            self.problem = str(error)

    def feed(self, data: bytes) -> bytes:
        """Return what these bytes decode to; past the limit decoding stops, as a problem."""
        made: list[bytes] = []
        room = self._limit
        for piece in self.pieces(data):
            made.append(piece[:room])
            room -= len(piece)
            if room < 0:
                self.problem = f"stopped: {len(data)} bytes decode to more than {self._limit}"
                break
        return b"".join(made)

    def finish(self) -> bytes:
        """Say that no more bytes will come: a body cut short is noted. Nothing is held back."""
        if not self.problem and not all(stage.whole for stage in self._stages):
            self.problem = "the encoded body is cut short"
        return b""

    def _through(self, depth: int, data: bytes) -> Iterator[bytes]:
        if depth == len(self._stages):
            yield data
            return
        for piece in self._stages[depth].feed(data):
            if piece:
                yield from self._through(depth + 1, piece)


def names(encoding: str) -> list[str]:
    """Split a `Content-Encoding` value into its encodings, in the order they were applied."""
    every = (name.strip().lower() for name in encoding.split(","))
    return [name for name in every if name not in {"", "identity"}]


def decode(encoding: str, data: bytes) -> tuple[bytes, str]:
    """Decode a whole body: what could be decoded, and the problem or an empty string.

    Raises:
        LookupError: an encoding is unknown, or its library is not installed.
        ValueError: more encodings are stacked than anybody means.
    """
    decoder = Decoder(encoding)
    return decoder.feed(data) + decoder.finish(), decoder.problem


def _stage(name: str) -> _Stage:
    if name not in _STAGES:
        raise LookupError(f"unknown content encoding {name[:40]!r}")
    return _STAGES[name]()
