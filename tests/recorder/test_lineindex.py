from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from traceproof.recorder.blobs import encode_blob, sha256
from traceproof.recorder.errors import DamagedTrace
from traceproof.recorder.framefile import FrameFile
from traceproof.recorder.frames import FrameWriter
from traceproof.recorder.lineindex import LineIndex
from traceproof.recorder.redaction import Masked


def blob(data: bytes) -> bytes:
    return encode_blob(sha256(data), Masked(data, [])) + b"\n"


@pytest.fixture
def index(tmp_path: Path) -> Iterator[LineIndex]:
    writer = FrameWriter(frame_size=1)
    frames = [blob(b"one"), b"a span\n" + blob(b"two") + b"another\n", blob(b"one"), b"\n"]
    data = b"".join(writer.write(frame) for frame in frames) + writer.finish()
    (tmp_path / "trace.zst").write_bytes(data)
    file = FrameFile(tmp_path / "trace.zst")
    yield LineIndex(file)
    file.close()


def test_lines_that_are_no_blobs_come_in_order(index: LineIndex) -> None:
    expected = [b"a span", b"another", b""]

    assert [bytes(index.read(place)) for place in index.others()] == expected
    assert [bytes(index.read(place)) for place in index.others()] == expected


def test_a_blob_is_found_and_no_frame_after_it_is_read(index: LineIndex) -> None:
    assert bytes(index.read(index.blob(sha256(b"two")))) + b"\n" == blob(b"two")
    assert index.scanned == 2


def test_the_first_of_equal_blobs_counts(index: LineIndex) -> None:
    list(index.others())

    assert index.blob(sha256(b"one")).frame == 0


def test_a_blob_that_is_nowhere_is_missing(index: LineIndex) -> None:
    with pytest.raises(DamagedTrace, match="is not in what can be read"):
        index.blob(sha256(b"three"))
    assert index.scanned == 4
