from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from traceproof.recorder.chunks import Arrival, decode_chunks
from traceproof.recorder.reader import TraceReader
from traceproof.recorder.redaction import Redactor
from traceproof.recorder.shell import outputs
from traceproof.recorder.shell.command import Output
from traceproof.recorder.shell.commandspan import INLINE
from traceproof.recorder.shell.outputs import Stream
from traceproof.recorder.shell.spool import KEPT
from traceproof.recorder.span import Span
from traceproof.recorder.writer import TraceWriter

START = 1_800_000_000_000_000_000
KEY = "sk-ant-api03-Zx9_qW3e-fake"


@pytest.fixture
def redactor() -> Redactor:
    made = Redactor()
    made.add("KEY", KEY)
    return made


@pytest.fixture
def writer(tmp_path: Path, redactor: Redactor) -> Iterator[TraceWriter]:
    made = TraceWriter(tmp_path / "trace.zst", resource={}, mask=redactor.mask)
    made.pending(Span("a" * 32, "b" * 16, "invoke_agent test"))
    yield made
    made.close()


@pytest.fixture
def stream(writer: TraceWriter, redactor: Redactor) -> Stream:
    return Stream(START, redactor, writer)


def value(writer: TraceWriter, output: Output) -> str | bytes:
    if not output.ref:
        return output.value
    writer.flush()
    with TraceReader.open(writer.path) as reader:
        return reader.resolve(output.ref)


def times(writer: TraceWriter, output: Output) -> list[Arrival]:
    text = output.chunks
    if output.chunks_ref:
        found = value(writer, Output(ref=output.chunks_ref))
        text = found if isinstance(found, str) else found.decode()
    return decode_chunks(START, text)


def test_nothing_said(stream: Stream) -> None:
    assert stream.finish() == Output(value="", size=0, chunks="")


def test_short_output_stands_in_the_span(stream: Stream) -> None:
    stream.add(START + 5000, b"2 passed\n")
    assert stream.look() == Output(value="2 passed\n", size=9)
    stream.add(START + 7000, "é\n".encode())

    assert stream.finish() == Output(value="2 passed\né\n", size=12, chunks="[5,9,2,3]")


def test_bytes_that_are_no_text_stay_bytes(stream: Stream, writer: TraceWriter) -> None:
    stream.add(START, b"\xff\x00")
    assert stream.look().value == b"\xff\x00"
    stream.add(START, bytes(range(256)) * 20)

    output = stream.finish()

    assert output.ref.startswith("bytes:")
    assert value(writer, output) == b"\xff\x00" + bytes(range(256)) * 20


def test_a_longer_text_is_a_text_again_when_it_is_whole(
    stream: Stream, writer: TraceWriter
) -> None:
    half = "line é\n" * (INLINE // 7)
    for _ in range(2):
        stream.add(START, half.encode())
        so_far = stream.look()

    assert so_far.ref.startswith("concat:")
    assert value(writer, so_far) == (half * 2).encode()
    output = stream.finish()
    assert output.ref == writer.text(half * 2)
    assert value(writer, output) == half * 2


def test_long_output_is_stored_as_it_comes(stream: Stream, writer: TraceWriter) -> None:
    line = b"x" * 999 + b"\n"
    for number in range(5000):
        stream.add(START + number * 1000, line)
        if number == 4000:
            so_far = value(writer, stream.look())
    output = stream.finish()

    assert so_far == line * 4001
    assert output.ref.startswith("concat:")
    assert (output.size, stream.lost) == (5_000_000, 0)
    assert value(writer, output) == line * 5000
    assert times(writer, output) == [Arrival(START + n * 1000, 1000) for n in range(5000)]


def test_any_number_of_arrivals(
    stream: Stream, writer: TraceWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outputs, "PIECE", 1000)
    for number in range(2000):
        stream.add(START + number * 1000, b".")

    output = stream.finish()

    assert output.chunks_ref.startswith("concat:")
    assert times(writer, output) == [Arrival(START + n * 1000, 1) for n in range(2000)]


@settings(max_examples=30)
@given(cuts=st.lists(st.integers(0, KEPT * 3), max_size=6), size=st.sampled_from([1, 300, 5000]))
def test_a_secret_is_masked_wherever_the_stream_is_cut(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int], size: int
) -> None:
    redactor = Redactor()
    redactor.add("KEY", KEY)
    path = tmp_path_factory.mktemp("cut") / "trace.zst"
    writer = TraceWriter(path, resource={}, mask=redactor.mask)
    writer.pending(Span("a" * 32, "b" * 16, "invoke_agent test"))
    stream = Stream(START, redactor, writer)
    data = f"see {KEY} é ".encode() * size
    for start, end in pairwise([0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]):
        stream.add(START, data[start:end])
        stream.look()

    output = stream.finish()

    found = value(writer, output)
    assert found in (masked := "see <SECRET:KEY> é " * size, masked.encode())
    assert output.size == len(data)
    writer.close()
    with TraceReader.open(path) as reader:
        if output.ref:
            assert len(reader.masks(output.ref)) == size
        assert KEY.encode() not in b"".join(reader.blob(name) for name in writer._stored)


def test_what_the_disk_does_not_take_is_counted(stream: Stream, writer: TraceWriter) -> None:
    writer.close()

    stream.add(START, b"x" * (KEPT + 1))
    output = stream.finish()

    assert (output.size, stream.lost) == (KEPT + 1, KEPT + 1)
