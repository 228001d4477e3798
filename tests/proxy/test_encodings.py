from __future__ import annotations

import gzip
import random
import sys
import zlib
from collections.abc import Callable, Iterable

import brotli
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from traceproof.proxy import encodings
from traceproof.proxy.encodings import Decoder, decode, names


def raw_deflate(data: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(data) + stream.flush()


def streamed_zstd(data: bytes) -> bytes:
    """As servers send it: without the content's size in the frame."""
    stream = zstandard.ZstdCompressor().compressobj()
    return stream.compress(data) + stream.flush()


ENCODE: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "x-gzip": ("x-gzip", gzip.compress),
    "deflate": ("deflate", zlib.compress),
    "bare deflate": ("deflate", raw_deflate),
    "br": ("br", brotli.compress),
    "zstd": ("zstd", zstandard.compress),
    "streamed zstd": ("zstd", streamed_zstd),
    "identity": ("identity", bytes),
    "none": ("", bytes),
}
each_encoding = pytest.mark.parametrize("case", ENCODE)


def cut(data: bytes, sizes: Iterable[int]) -> list[bytes]:
    pieces, start = [], 0
    for size in sizes:
        pieces.append(data[start : start + size])
        start += size
    return [*pieces, data[start:]]


@each_encoding
@settings(max_examples=25, deadline=None)
@given(data=st.binary(max_size=3000), sizes=st.lists(st.integers(0, 400), max_size=12))
def test_any_chunking_gives_back_what_was_encoded(case: str, data: bytes, sizes: list[int]) -> None:
    name, encode = ENCODE[case]
    decoder = Decoder(name)
    made = b"".join(decoder.feed(piece) for piece in cut(encode(data), sizes))

    assert made + decoder.finish() == data
    assert decoder.problem == ""


@each_encoding
def test_a_byte_at_a_time(case: str) -> None:
    name, encode = ENCODE[case]
    encoded = encode(b"data: hello\n\n" * 50)
    decoder = Decoder(name)
    made = b"".join(decoder.feed(encoded[i : i + 1]) for i in range(len(encoded)))

    assert made == b"data: hello\n\n" * 50


@pytest.mark.parametrize(("name", "wbits"), [("gzip", 31), ("deflate", 15), ("deflate", -15)])
def test_a_flushed_piece_is_decoded_before_the_next_comes(name: str, wbits: int) -> None:
    stream = zlib.compressobj(wbits=wbits)
    first = stream.compress(b"data: 1\n\n") + stream.flush(zlib.Z_SYNC_FLUSH)

    assert Decoder(name).feed(first) == b"data: 1\n\n"


def test_output_that_waits_when_all_input_is_taken_is_not_held_back() -> None:
    data = bytes(encodings.PIECE + 200)
    stream = zlib.compressobj(wbits=31)
    encoded = (stream.compress(data) + stream.flush(zlib.Z_SYNC_FLUSH))[:-5]

    assert Decoder("gzip").feed(encoded) == zlib.decompressobj(wbits=31).decompress(encoded)


@pytest.mark.parametrize("case", ["gzip", "deflate", "bare deflate", "br", "zstd"])
def test_a_body_cut_short_yields_what_is_there_and_says_so(case: str) -> None:
    name, encode = ENCODE[case]
    data = random.Random(7).randbytes(200_000)
    encoded = encode(data)
    made, problem = decode(name, encoded[: len(encoded) // 2])

    assert data.startswith(made)
    assert problem == "the encoded body is cut short"
    if case != "zstd":
        assert len(made) > 50_000


@pytest.mark.parametrize("name", ["gzip", "deflate", "br", "zstd"])
def test_a_body_that_is_not_encoded_at_all(name: str) -> None:
    made, problem = decode(name, b"\xff\xfe<html>not what the header says</html>")

    assert made == b""
    assert problem.startswith(f"{name}: ")
    assert "\n" not in problem


@pytest.mark.parametrize("case", ENCODE)
def test_no_bytes_at_all_are_an_empty_body(case: str) -> None:
    assert decode(ENCODE[case][0], b"") == (b"", "")


def test_damage_in_the_middle_keeps_what_came_before() -> None:
    decoder = Decoder("gzip")
    stream = zlib.compressobj(wbits=31)
    good = stream.compress(b"before") + stream.flush(zlib.Z_SYNC_FLUSH)

    assert decoder.feed(good) == b"before"
    assert decoder.feed(b"\xff" * 50) == b""
    assert decoder.problem.startswith("gzip: ")
    assert decoder.feed(b"more") == b""


def test_several_members_and_frames_follow_each_other() -> None:
    assert decode("gzip", gzip.compress(b"one ") + gzip.compress(b"two")) == (b"one two", "")
    assert decode("zstd", zstandard.compress(b"one ") + zstandard.compress(b"two")) == (
        b"one two",
        "",
    )


@pytest.mark.parametrize("case", ["deflate", "bare deflate", "gzip", "zstd"])
def test_bytes_after_the_end_are_noted(case: str) -> None:
    name, encode = ENCODE[case]
    made, problem = decode(name, encode(b"all of it") + b"tail")

    assert made == b"all of it"
    assert problem.startswith(f"{name}: ") or problem == "the encoded body is cut short"


def test_bytes_after_the_end_of_brotli_are_noted() -> None:
    decoder = Decoder("br")

    assert decoder.feed(brotli.compress(b"all of it")) == b"all of it"
    assert decoder.feed(b"tail") == b""
    assert decoder.problem == "br: bytes after the end"


@pytest.mark.parametrize("listed", ["gzip, br", "br,gzip", " ZSTD , identity, deflate "])
def test_stacked_encodings_are_undone_last_first(listed: str) -> None:
    data = b'{"stacked": true}' * 100
    encoded = data
    for name in names(listed):
        encoded = ENCODE[name][1](encoded)

    assert decode(listed, encoded) == (data, "")
    assert decode(listed, encoded[:-3])[1] == "the encoded body is cut short"


def test_names_are_in_the_order_they_were_applied() -> None:
    assert names("gzip, BR") == ["gzip", "br"]
    assert names("identity") == names("") == names(" , ") == []


def test_an_unknown_encoding_is_a_clear_line() -> None:
    with pytest.raises(LookupError, match="unknown content encoding 'compress'"):
        Decoder("compress")
    with pytest.raises(ValueError, match="5 content encodings are stacked: at most 4"):
        Decoder("gzip, gzip, gzip, gzip, gzip")


def test_brotli_that_is_not_installed_is_a_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "brotli", None)
    with pytest.raises(LookupError, match="br needs brotli"):
        Decoder("br")


BOMBS = {
    "gzip": gzip.compress(bytes(40_000_000)),
    "br": brotli.compress(bytes(40_000_000), quality=5),
    "zstd": zstandard.compress(bytes(40_000_000)),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_stops_at_the_limit(name: str) -> None:
    decoder = Decoder(name, limit=1_000_000)
    bomb = BOMBS[name]

    assert decoder.feed(bomb) == bytes(1_000_000)
    assert decoder.problem == f"stopped: {len(bomb)} bytes decode to more than 1000000"
    assert decoder.feed(b"more") == b""


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_comes_in_bounded_pieces(name: str) -> None:
    bound = 1 << 25 if name == "br" else 1 << 23
    sizes = [len(piece) for piece in Decoder(name).pieces(BOMBS[name])]

    assert sum(sizes) == 40_000_000
    assert max(sizes) <= bound


def test_a_bomb_within_a_bomb_comes_in_bounded_pieces_too() -> None:
    twice = gzip.compress(gzip.compress(bytes(100_000_000)))
    pieces = Decoder("gzip, gzip").pieces(twice)

    assert len(twice) < 2000
    assert all(len(next(pieces)) <= encodings.PIECE for _ in range(20))


@settings(max_examples=80, deadline=None)
@given(
    name=st.sampled_from(["gzip", "deflate", "br", "zstd", "gzip, br"]),
    pieces=st.lists(st.binary(max_size=60), max_size=6),
)
def test_arbitrary_bytes_never_raise(name: str, pieces: list[bytes]) -> None:
    decoder = Decoder(name)
    for piece in pieces:
        decoder.feed(piece)
    decoder.finish()

    assert "\n" not in decoder.problem
