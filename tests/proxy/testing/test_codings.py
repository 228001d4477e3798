from __future__ import annotations

import gzip
import subprocess
import sys
import zlib
from collections.abc import Callable

import brotli
import pytest
import zstandard

from traceproof.proxy.testing.codings import accepts, decode, encode_pieces

PIECES = [b"event: one\n\n", "data: ✓\n\n".encode(), b"x" * 5000]

READERS: dict[str, Callable[[], Callable[[bytes], bytes]]] = {
    "gzip": lambda: zlib.decompressobj(wbits=31).decompress,
    "deflate": lambda: zlib.decompressobj().decompress,
    "br": lambda: brotli.Decompressor().process,
    "zstd": lambda: zstandard.ZstdDecompressor().decompressobj().decompress,
}


@pytest.mark.parametrize("coding", READERS)
def test_each_piece_can_be_decoded_when_it_is_there(coding: str) -> None:
    read = READERS[coding]()

    assert [read(piece) for piece in encode_pieces(PIECES, coding)] == PIECES


@pytest.mark.parametrize("coding", ["gzip", "deflate", "zstd", None, "unknown"])
def test_a_request_body_is_decoded(coding: str | None) -> None:
    known = coding in READERS
    body = b"".join(encode_pieces(PIECES, str(coding))) if known else b"".join(PIECES)

    assert decode(body, coding) == b"".join(PIECES)


def test_a_body_of_another_coding_is_refused() -> None:
    with pytest.raises(ValueError, match="not gzip"):
        decode(b"plain", "gzip")
    with pytest.raises(ValueError, match="not gzip"):
        decode(gzip.compress(b"x" * 99)[:-5], "gzip")


@pytest.mark.parametrize(
    ("header", "allowed"),
    [
        ("gzip, br", True),
        ("gzip;q=1", True),
        ("*", True),
        ("gzip;q=0", False),
        ("br", False),
        ("", False),
    ],
)
def test_accept_encoding_allows(header: str, *, allowed: bool) -> None:
    assert accepts(header, "gzip") is allowed


def test_the_base_package_suffices_for_all_but_brotli() -> None:
    program = """
import sys
sys.modules["brotli"] = sys.modules["mitmproxy"] = None
from traceproof.proxy.testing.codings import encode_pieces
encode_pieces([b"x"], "zstd")
encode_pieces([b"x"], "br")
"""
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )

    assert "RuntimeError: content coding br: brotli is not installed" in run.stderr
