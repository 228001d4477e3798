from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from traceproof.recorder.errors import ForeignFile, TraceError, TraceInUse
from traceproof.recorder.reader import TraceReader
from traceproof.recorder.repair import repair
from traceproof.recorder.span import Attributes, Span
from traceproof.recorder.writer import TraceWriter


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "trace.otlp.jsonl.zst"


def session(path: Path, spans: int = 30, frame_size: int = 1 << 20) -> list[int]:
    """Write a session; returns how long the file was after each span had been flushed."""
    writer = TraceWriter(path, resource={})
    writer._frames._frame_size = frame_size
    writer.pending(Span("a" * 32, "f" * 16, "invoke_agent test"))
    sizes = []
    for number in range(spans):
        ref = writer.blob(os.urandom(200))
        attributes: Attributes = {"traceproof.ref.x": ref}
        writer.span(Span("a" * 32, f"{number:016x}", "chat", attributes=attributes))
        writer.flush()
        sizes.append(path.stat().st_size)
    writer.close()
    return sizes


def ids(path: Path) -> list[str]:
    with TraceReader.open(path) as reader:
        return [
            record.span.span_id
            for record in reader.records(inline=True)
            if not record.pending and "x" in record.span.attributes
        ]


@pytest.mark.parametrize("frame_size", [1 << 20, 1500])
def test_a_file_cut_anywhere_keeps_what_was_flushed(path: Path, frame_size: int) -> None:
    sizes = session(path, frame_size=frame_size)
    whole = path.read_bytes()
    steps = [*range(80), *range(80, len(whole), 61), *sizes, *(size - 1 for size in sizes)]
    for cut in sorted(set(steps)):
        path.write_bytes(whole[:cut])
        flushed = [f"{number:016x}" for number, size in enumerate(sizes) if size <= cut]
        try:
            report = repair(path)
        except TraceError:
            assert not flushed
            assert path.read_bytes() == whole[:cut]
            continue

        assert ids(path)[: len(flushed)] == flushed
        assert report.changed
        assert report.pending == 1
        with TraceReader.open(path) as reader:
            assert reader.closed_properly
            assert reader.problems == []


def test_a_repaired_file_reads_as_the_broken_one_did(path: Path) -> None:
    session(path, frame_size=1500)
    path.write_bytes(path.read_bytes()[:-50])
    before = ids(path)
    repair(path)

    assert ids(path) == before
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_a_closed_file_is_left_alone(path: Path) -> None:
    session(path)
    before = path.stat()
    report = repair(path)

    assert not report.changed
    assert str(report) == f"{path}: closed properly, nothing to repair"
    assert path.stat().st_ino == before.st_ino
    assert path.stat().st_mtime_ns == before.st_mtime_ns


def test_a_second_repair_changes_nothing(path: Path) -> None:
    session(path)
    path.write_bytes(path.read_bytes()[:-50])

    assert repair(path).changed
    assert not repair(path).changed


def test_a_file_that_is_being_written_is_refused(path: Path) -> None:
    writer = TraceWriter(path, resource={})
    writer.pending(Span("a" * 32, "f" * 16, "invoke_agent test"))
    writer.flush()

    with pytest.raises(TraceInUse, match="is still being recorded"):
        repair(path)
    writer.close()
    assert not repair(path).changed


def test_damage_in_the_middle_is_kept_and_reported(path: Path) -> None:
    session(path, frame_size=1500)
    data = bytearray(path.read_bytes()[:-50])
    with TraceReader.open(path) as reader:
        second = reader._file.frames[1]
    data[second.offset + second.size - 1] ^= 1
    path.write_bytes(data)
    before = ids(path)

    report = repair(path)

    assert any("frame 2" in problem for problem in report.problems)
    assert ids(path) == before
    assert bytes(data[: second.offset + second.size]) in path.read_bytes()


def test_the_report_says_what_was_done(path: Path) -> None:
    sizes = session(path)
    path.write_bytes(path.read_bytes()[: sizes[-1]] + b"garbage")

    report = repair(path)

    assert str(report) == (
        f"{path}: repaired; 31 spans, 1 of them without an end, 7 unreadable bytes left out"
    )


def test_a_foreign_file_is_left_alone(path: Path) -> None:
    path.write_bytes(b"precious")

    with pytest.raises(ForeignFile):
        repair(path)
    assert path.read_bytes() == b"precious"


def test_without_room_the_old_file_stays(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session(path)
    cut = path.read_bytes()[:-50]
    path.write_bytes(cut)

    def no_room(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_room)
    with pytest.raises(OSError, match="No space left"):
        repair(path)
    assert path.read_bytes() == cut
    assert list(path.parent.iterdir()) == [path]
