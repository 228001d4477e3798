"""Content codings: pieces of a body in, encoded pieces out, each decodable as soon as it is there.

`br` needs the package brotli, which the base install does not bring.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import zstandard

try:
    import brotli  # type: ignore[import-untyped,unused-ignore]
except ImportError:  # the base package suffices for all but `br`
    brotli = None

GZIP_WINDOW = 31


def accepts(accept_encoding: str, coding: str) -> bool:
    """Tell whether an Accept-Encoding header allows a coding."""
    for item in accept_encoding.split(","):
        name, _, weight = item.strip().partition(";")
        if name.strip().lower() in (coding, "*"):
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def encode_pieces(pieces: Sequence[bytes], coding: str) -> list[bytes]:
    """Encode each piece and flush; the end of the coding goes with the last piece.

    Raises:
        RuntimeError: The coding is `br` and brotli is not installed.
        KeyError: There is no such coding.
    """
    encoded = list(_ENCODERS[coding](pieces))
    *body, last, end = encoded
    return [*body, last + end]


def decode(body: bytes, coding: str | None) -> bytes:
    """Decode a whole body; an unknown coding leaves it as it is.

    Raises:
        ValueError: The body is not of this coding.
    """
    try:
        return _DECODERS[coding](body) if coding in _DECODERS else body
    except (zlib.error, zstandard.ZstdError, EOFError, OSError) as error:
        raise ValueError(f"not {coding}: {error}") from error


_DECODERS: dict[str | None, Callable[[bytes], bytes]] = {
    "zstd": lambda body: zstandard.ZstdDecompressor().decompressobj().decompress(body),
    "gzip": gzip.decompress,
    "deflate": zlib.decompress,
}


def _zlib(pieces: Sequence[bytes], window: int) -> Iterator[bytes]:
    encoder = zlib.compressobj(wbits=window)
    for piece in pieces:
        yield encoder.compress(piece) + encoder.flush(zlib.Z_SYNC_FLUSH)
    yield encoder.flush()


def _zstd(pieces: Sequence[bytes]) -> Iterator[bytes]:
    encoder = zstandard.ZstdCompressor().compressobj()
    for piece in pieces:
        yield encoder.compress(piece) + encoder.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)
    yield encoder.flush()


def _brotli(pieces: Sequence[bytes]) -> Iterator[bytes]:
    if brotli is None:
        raise RuntimeError(
            "content coding br: brotli is not installed; pip install traceproof[proxy]"
        )
    encoder: Any = brotli.Compressor(quality=4)
    for piece in pieces:
        yield encoder.process(piece) + encoder.flush()
    yield encoder.finish()


_ENCODERS: dict[str, Callable[[Sequence[bytes]], Iterator[bytes]]] = {
    "gzip": lambda pieces: _zlib(pieces, GZIP_WINDOW),
    "deflate": lambda pieces: _zlib(pieces, zlib.MAX_WBITS),
    "br": _brotli,
    "zstd": _zstd,
}
