from __future__ import annotations

import os

import pytest
import zstandard
from hypothesis import example, given
from hypothesis import strategies as st

from traceproof.recorder.seektable import (
    Entry,
    Frame,
    Gap,
    ReadAt,
    encode_seek_table,
    read_seek_table,
    walk,
)

compressor = zstandard.ZstdCompressor(write_checksum=True)


def reader_of(data: bytes) -> ReadAt:
    return lambda offset, size: data[offset : offset + size]


def walked(data: bytes) -> list[Frame | Gap]:
    return list(walk(reader_of(data), len(data)))


@pytest.mark.parametrize(
    "content", [b"", b"a", b"x" * 300_000, os.urandom(300_000)], ids=["none", "one", "rle", "raw"]
)
@pytest.mark.parametrize("checksum", [True, False])
@pytest.mark.parametrize("size_known", [True, False])
def test_a_walk_finds_where_frames_end(content: bytes, checksum: bool, size_known: bool) -> None:
    context = zstandard.ZstdCompressor(write_checksum=checksum, write_content_size=size_known)
    data = context.compress(content)

    assert walked(data + data) == [Frame(0, len(data)), Frame(len(data), len(data))]


def test_a_table_names_every_frame() -> None:
    frames = [compressor.compress(b"a" * size) for size in (10, 20)]
    table = encode_seek_table([Entry(len(frame), 10) for frame in frames])
    data = b"".join(frames) + table

    assert read_seek_table(reader_of(data), len(data)) == [
        Frame(0, len(frames[0])),
        Frame(len(frames[0]), len(frames[1])),
    ]


def test_a_table_is_the_bytes_that_the_format_says() -> None:
    assert encode_seek_table([Entry(3, 5)]) == bytes.fromhex(
        "5e2a4d18 11000000 03000000 05000000 01000000 00 b1ea928f"
    )


def test_a_table_with_checksums_is_read_too() -> None:
    frame = compressor.compress(b"a")
    rows = len(frame).to_bytes(4, "little") + bytes(8)
    footer = bytes.fromhex("01000000 80 b1ea928f")
    data = frame + bytes.fromhex("5e2a4d18 15000000") + rows + footer

    assert read_seek_table(reader_of(data), len(data)) == [Frame(0, len(frame))]


@pytest.mark.parametrize("damage", ["more frames", "another size", "no magic", "garbage behind"])
def test_a_table_that_does_not_fit_is_none(damage: str) -> None:
    frame = compressor.compress(b"a")
    rows = {"more frames": [Entry(len(frame), 1)] * 2, "another size": [Entry(1, 1)]}
    data = frame + encode_seek_table(rows.get(damage, [Entry(len(frame), 1)]))
    if damage == "no magic":
        data = data[:-1] + b"x"
    if damage == "garbage behind":
        data += b"x"

    assert read_seek_table(reader_of(data), len(data)) is None


def test_a_table_that_claims_billions_of_frames_is_none() -> None:
    data = b"x" * 20 + bytes.fromhex("ffffffff 00 b1ea928f")

    assert read_seek_table(reader_of(data), len(data)) is None


def test_skippable_frames_are_passed_over() -> None:
    frame = compressor.compress(b"a")
    table = encode_seek_table([])

    assert walked(table + frame + table) == [Frame(len(table), len(frame))]


def test_damage_between_frames_is_a_gap() -> None:
    frame = compressor.compress(b"a" * 100)

    assert walked(frame + b"damaged" + frame) == [
        Frame(0, len(frame)),
        Gap(len(frame), 7),
        Frame(len(frame) + 7, len(frame)),
    ]


def test_a_frame_that_does_not_end_has_its_whole_blocks() -> None:
    frame = compressor.compress(os.urandom(300_000))

    unended, tail = walked(frame[:200_000])

    assert isinstance(unended, Frame)
    assert isinstance(tail, Gap)
    assert not unended.ended
    assert 131_072 < unended.size < 131_072 + 20
    assert unended.size + tail.size == 200_000


@given(st.binary(max_size=400))
@example(b"\x28\xb5\x2f\xfd")
@example(b"\x28\xb5\x2f\xfd\x00\x58\x07\x00\x00")
def test_a_walk_over_anything_covers_it(data: bytes) -> None:
    position = 0
    for found in walked(b"\x28\xb5\x2f\xfd" + data):
        assert found.offset >= position
        position = found.offset + found.size

    assert position <= len(data) + 4
