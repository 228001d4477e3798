from __future__ import annotations

import os

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from traceproof.recorder.frames import FrameError, FrameWriter, read_frame
from traceproof.recorder.seektable import Frame, ReadAt, read_seek_table, walk

lines = st.lists(st.binary(max_size=300).map(lambda data: data.replace(b"\n", b" ") + b"\n"))


def reader_of(data: bytes) -> ReadAt:
    return lambda offset, size: data[offset : offset + size]


def frames_of(data: bytes) -> list[Frame]:
    return [found for found in walk(reader_of(data), len(data)) if isinstance(found, Frame)]


def plain_of(data: bytes) -> bytes:
    return b"".join(
        read_frame(data[frame.offset : frame.offset + frame.size], ended=frame.ended).lines
        for frame in frames_of(data)
    )


@given(lines, st.integers(1, 2000), st.sets(st.integers(0, 50)))
def test_what_is_written_comes_back(
    content: list[bytes], frame_size: int, flushes: set[int]
) -> None:
    writer = FrameWriter(level=3, frame_size=frame_size)
    data = b""
    for number, line in enumerate(content):
        data += writer.write(line)
        data += writer.flush() if number in flushes else b""
    data += writer.finish()

    assert b"".join(content) == plain_of(data)
    assert read_seek_table(reader_of(data), len(data)) == frames_of(data)


@given(lines, st.data())
def test_whatever_was_flushed_is_readable_without_an_end(
    content: list[bytes], draw: st.DataObject
) -> None:
    writer = FrameWriter(level=3, frame_size=1000)
    flushed = b"".join(writer.write(line) for line in content) + writer.flush()
    tail = writer.write(os.urandom(100).replace(b"\n", b" ") + b"\n") + writer.flush()
    cut = draw.draw(st.integers(0, max(0, len(tail) - 1)))

    assert b"".join(content) == plain_of(flushed + tail[:cut])[: len(b"".join(content))]


def test_a_frame_ends_at_the_first_line_end_past_its_size() -> None:
    writer = FrameWriter(frame_size=10)

    first = writer.write(b"123456789\n")
    second = writer.write(b"1\n") + writer.end_frame()

    assert read_frame(first).lines == b"123456789\n"
    assert read_frame(second).lines == b"1\n"
    assert writer.ended_frames == 2


def test_zstd_itself_reads_the_whole_file() -> None:
    writer = FrameWriter(frame_size=10)
    data = b"".join(writer.write(b"line %d\n" % number) for number in range(9)) + writer.finish()

    with zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True) as stream:
        assert b"".join(b"line %d\n" % number for number in range(9)) == stream.read()


def test_a_flush_with_nothing_new_costs_nothing() -> None:
    writer = FrameWriter()
    assert writer.flush() == b""
    writer.write(b"a\n")
    writer.flush()

    assert writer.flush() == b""


def test_a_file_without_lines_is_a_seek_table_alone() -> None:
    assert FrameWriter().finish().startswith(b"\x5e\x2a\x4d\x18")


def test_a_wrong_checksum_spoils_an_ended_frame() -> None:
    writer = FrameWriter()
    data = bytearray(writer.write(b"a line\n") + writer.end_frame())
    data[-1] ^= 1

    with pytest.raises(FrameError, match="checksum"):
        read_frame(bytes(data))


def test_an_unended_frame_is_read_up_to_its_damage() -> None:
    writer = FrameWriter()
    sound = writer.write(b"sound\n" * 5000) + writer.flush()
    rest = bytearray(writer.write(os.urandom(3000).hex().encode() + b"\n") + writer.flush())
    rest[5:500] = bytes(495)

    plain = read_frame(sound + bytes(rest), ended=False)

    assert plain.lines.startswith(b"sound\n" * 4000)
    assert plain.problem


def test_a_broken_last_line_is_left_out() -> None:
    writer = FrameWriter()
    data = writer.write(b"whole\nbro") + writer.end_frame()

    assert read_frame(data) == (b"whole\n", 3, "")


def test_a_bomb_is_not_let_off() -> None:
    bomb = zstandard.ZstdCompressor().compress(bytes(50 << 20))

    with pytest.raises(FrameError, match="holds more than 1 MiB"):
        read_frame(bomb, limit=1 << 20)


def test_a_huge_window_is_refused() -> None:
    parameters = zstandard.ZstdCompressionParameters.from_level(3, window_log=27)
    compressor = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    data = compressor.compress(b"a line\n") + compressor.flush()

    with pytest.raises(FrameError, match="cannot be decompressed"):
        read_frame(data)


def test_no_step_loses_the_end_of_an_unended_frame() -> None:
    writer = FrameWriter()
    data, content = b"", b""
    for number in range(3000):
        line = b"%d %s\n" % (number, os.urandom(number % 50).hex().encode())
        content += line
        data += writer.write(line) + writer.flush()
        if number % 100 == 0:
            assert read_frame(data, ended=False).lines == content


# --- many writers in one process ------------------------------------------------------------------


def test_a_rest_ends_the_frame_and_writing_goes_on_after_it() -> None:
    writer = FrameWriter(compact=True)
    assert writer.rest() == b""
    data = writer.write(b"one\n") + writer.rest() + writer.rest()
    data += writer.write(b"two\n") + writer.finish()

    assert plain_of(data) == b"one\ntwo\n"
    assert len(read_seek_table(reader_of(data), len(data)) or ()) == 2


def test_a_compact_writer_takes_a_tenth_of_the_memory() -> None:
    parameters = [FrameWriter(compact=compact)._parameters for compact in (False, True)]
    large, small = (each.estimated_compression_context_size() for each in parameters)

    assert small < large / 10
