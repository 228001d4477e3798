from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from traceproof.recorder.blobs import Ref
from traceproof.recorder.reader import TraceReader
from traceproof.recorder.redaction import Mask, Masked
from traceproof.recorder.shell import spool
from traceproof.recorder.shell.spool import KEPT, PIECE, Spool
from traceproof.recorder.span import Span
from traceproof.recorder.writer import PART, TraceWriter


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[TraceWriter]:
    made = TraceWriter(tmp_path / "trace.zst", resource={})
    made.pending(Span("a" * 32, "b" * 16, "invoke_agent test"))
    yield made
    made.close()


def read(writer: TraceWriter, ref: str) -> bytes:
    writer.flush()
    with TraceReader.open(writer.path) as reader:
        value = reader.resolve(ref)
    assert isinstance(value, bytes)
    return value


def test_little_is_kept_whole_and_much_is_not(writer: TraceWriter) -> None:
    row = Spool(writer)

    row.add(Masked(b"x" * KEPT, []))
    little = row.whole()
    row.add(Masked(b"y", []))

    assert little == Masked(b"x" * KEPT, [])
    assert row.whole() is None
    assert row.size == KEPT + 1


def test_nothing_has_no_reference(writer: TraceWriter) -> None:
    assert Spool(writer).ref() == ""


def test_a_row_is_there_as_far_as_it_has_come(writer: TraceWriter) -> None:
    row = Spool(writer)
    so_far = []
    for number in range(4):
        row.add(Masked(b"%d" % number, []))
        so_far.append(read(writer, row.ref(final=False)))

    assert so_far == [b"0", b"01", b"012", b"0123"]
    assert row.ref() == row.ref()


def test_much_is_stored_while_it_comes(writer: TraceWriter) -> None:
    row = Spool(writer)
    data = bytes(range(256)) * (3 * PIECE // 256)

    for at in range(0, len(data), 100_000):
        row.add(Masked(data[at : at + 100_000], []))
        assert len(row._waiting.data) < PIECE + 100_000
    row.add(Masked(bytes(PART + 5), []))

    assert read(writer, row.ref()) == data + bytes(PART + 5)


def test_a_character_is_not_cut(writer: TraceWriter) -> None:
    row = Spool(writer)
    data = ("ab" + "𝄞" * 50).encode()
    refs = []
    for at in range(0, len(data), 3):
        row.add(Masked(data[at : at + 3], []))
        refs.append(read(writer, row.ref(final=False)))

    assert all(found.decode() for found in refs)
    assert read(writer, row.ref()) == data


def test_what_never_becomes_a_character_is_kept(writer: TraceWriter) -> None:
    row = Spool(writer)
    row.add(Masked(b"\xff\xfe ab\xf0\x9d", []))

    assert read(writer, row.ref(final=False)) == b"\xff\xfe ab"
    assert read(writer, row.ref()) == b"\xff\xfe ab\xf0\x9d"


def test_masks_go_with_their_bytes(writer: TraceWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "PART", 16)
    row = Spool(writer)
    for _ in range(3):
        row.add(Masked(b"ab <SECRET:K> c ", [Mask(3, "K")]))

    assert row.whole() == Masked(b"ab <SECRET:K> c " * 3, [Mask(at, "K") for at in (3, 19, 35)])
    ref = row.ref()
    writer.flush()
    with TraceReader.open(writer.path) as reader:
        assert [mask.offset for mask in reader.masks(ref)] == [3, 19, 35]


def test_what_the_file_does_not_take_is_counted(writer: TraceWriter) -> None:
    row = Spool(writer)
    row.add(Masked(b"kept", []))
    ref = row.ref()
    writer.close()
    row.add(Masked(b"dropped", []))

    assert row.ref().split(":")[0] == Ref.parse(ref).form
    assert row.lost == len("dropped")
