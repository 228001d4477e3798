from __future__ import annotations

from pathlib import Path

import pytest

from traceproof.recorder import framefile
from traceproof.recorder.framefile import FrameFile
from traceproof.recorder.frames import FrameWriter


def written(path: Path, *frames: bytes, tail: bytes = b"", finish: bool = True) -> Path:
    """Write one frame for each argument."""
    writer = FrameWriter()
    data = b"".join(writer.write(frame) + writer.end_frame() for frame in frames)
    path.write_bytes(data + (writer.finish() if finish else b"") + tail)
    return path


@pytest.mark.parametrize("finish", [True, False])
def test_frames_are_found_with_and_without_a_table(tmp_path: Path, finish: bool) -> None:
    file = FrameFile(written(tmp_path / "a", b"one\n", b"two\n", finish=finish))

    assert [file.lines(number) for number in range(len(file.frames))] == [b"one\n", b"two\n"]
    assert file.closed is finish
    assert file.problems == []
    file.close()


def test_few_frames_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(framefile, "KEPT", 10)
    file = FrameFile(written(tmp_path / "a", b"123456\n", b"234567\n", b"345678\n"))
    for number in (0, 1, 1, 2):
        file.lines(number)

    assert list(file._kept) == [2]
    file.close()


def test_a_corrupt_frame_is_noted_once_and_the_others_are_read(tmp_path: Path) -> None:
    path = written(tmp_path / "a", b"one\n", b"two\n")
    data = bytearray(path.read_bytes())
    first = FrameFile(path).frames[0]
    data[first.size - 1] ^= 1
    path.write_bytes(data)

    file = FrameFile(path)
    assert file.lines(0) == b""
    assert file.lines(1) == b"two\n"
    assert len(file.problems) == 1
    assert file.problems[0].startswith("frame 1 (at byte 0) cannot be decompressed")
    file.close()


def test_what_follows_the_last_frame_is_noted(tmp_path: Path) -> None:
    file = FrameFile(written(tmp_path / "a", b"one\n", tail=b"garbage", finish=False))

    assert file.lines(0) == b"one\n"
    assert file.problems == [f"7 bytes at byte {file.frames[0].size} cannot be read"]
    file.close()


def test_a_broken_last_line_is_noted(tmp_path: Path) -> None:
    file = FrameFile(written(tmp_path / "a", b"one\ntw"))

    assert file.lines(0) == b"one\n"
    assert file.problems == ["frame 1 (at byte 0) ends within a line: its 2 bytes are left out"]
    file.close()


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        FrameFile(tmp_path / "a")


def test_a_folder_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        FrameFile(tmp_path)
