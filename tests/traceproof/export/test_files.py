from __future__ import annotations

import gzip
import stat
from pathlib import Path

import pytest
import zstandard

from traceproof.export.files import written


def write(target: Path | str, *pieces: bytes, stop: bool = False) -> None:
    with written(str(target)) as file:
        for piece in pieces:
            file.write(piece)
        if stop:
            raise KeyboardInterrupt


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_a_file_is_there_when_all_of_it_is(tmp_path: Path) -> None:
    target = tmp_path / "out.jsonl"
    with written(str(target)) as file:
        file.write(b"half")
        assert not target.exists()

    assert target.read_bytes() == b"half"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert names(tmp_path) == ["out.jsonl"]


def test_a_failure_leaves_what_was_there_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "out.jsonl"
    target.write_bytes(b"before")

    with pytest.raises(KeyboardInterrupt):
        write(target, b"half", stop=True)

    assert target.read_bytes() == b"before"
    assert names(tmp_path) == ["out.jsonl"]


def test_the_name_says_how_it_is_compressed(tmp_path: Path) -> None:
    for name in ("a.jsonl.zst", "a.jsonl.gz"):
        write(tmp_path / name, b"one\n", b"two\n")

    packed = (tmp_path / "a.jsonl.zst").read_bytes()
    unpacked = zstandard.ZstdDecompressor().stream_reader(packed).read()
    assert unpacked == gzip.decompress((tmp_path / "a.jsonl.gz").read_bytes()) == b"one\ntwo\n"


def test_the_same_lines_make_the_same_file(tmp_path: Path) -> None:
    for name in ("a.gz", "b.gz"):
        write(tmp_path / name, b"one\n")

    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()


def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("real")

    write(tmp_path / "link", b"new")

    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


def test_what_is_no_file_is_written_to_as_it_is() -> None:
    write("/dev/null", b"gone")

    assert Path("/dev/null").is_char_device()


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        write(tmp_path, b"x")


def test_a_dash_is_stdout(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    write("-", b"out\n")

    assert capfdbinary.readouterr().out == b"out\n"
