"""Whatever stands in a workspace, looking at it neither leaves it, nor waits, nor leaves a mark."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from traceproof.recorder.workspace.reading import (
    Deadline,
    LeftOutError,
    TooSlowError,
    open_root,
    opened,
    pieces_of,
    read,
    signature_of,
)

MOST = 1000


@pytest.fixture(name="root")
def _root(tmp_path: Path) -> Iterator[int]:
    descriptor = open_root(str(tmp_path))
    yield descriptor
    os.close(descriptor)


def test_a_file_is_its_bytes_and_its_marks(root: int, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\0\xff\r\n")

    found = read(root, "a", MOST)

    assert (found.data, found.steady) == (b"\0\xff\r\n", True)
    assert found.signature == signature_of((tmp_path / "a").stat())


def test_a_folder_is_reached_through_no_link(root: int, tmp_path: Path) -> None:
    (tmp_path / "real" / "deep").mkdir(parents=True)
    (tmp_path / "real" / "deep" / "a").write_bytes(b"x")
    (tmp_path / "link").symlink_to("real")

    with opened(root, "real/deep/") as folder:
        assert read(folder, "a", MOST).data == b"x"
    with pytest.raises(OSError, match="Not a directory"), opened(root, "link/deep/"):
        pass


def test_a_link_in_the_place_of_a_file_is_not_followed(root: int, tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("/etc/passwd")

    with pytest.raises(OSError, match="symbolic links"):
        read(root, "a", MOST)


def test_a_pipe_keeps_nobody_waiting(root: int, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(LeftOutError, match="not a regular file"):
        read(root, "pipe", MOST)
    with pytest.raises(LeftOutError, match="not a regular file"):
        list(pieces_of(root, "pipe", Deadline(60)))


def test_a_file_over_the_cap_is_not_read(root: int, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(MOST))
    (tmp_path / "b").write_bytes(bytes(MOST + 1))

    assert len(read(root, "a", MOST).data) == MOST
    with pytest.raises(LeftOutError, match="1001 bytes, over 1000"):
        read(root, "b", MOST)


def test_a_file_that_says_it_is_empty_is_read_to_its_end_or_the_cap() -> None:
    root = open_root("/proc/self")
    try:
        found = read(root, "stat", 1 << 20)
        assert found.data.startswith(b"%d (" % os.getpid())
        assert not found.steady  # its size is another than what was read
        with pytest.raises(LeftOutError, match="over 10"):
            read(root, "stat", 10)
    finally:
        os.close(root)


def test_when_a_file_was_last_read_stays_as_it_was(root: int, tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x")
    os.utime(path, ns=(1, path.stat().st_mtime_ns))  # long before it was written

    read(root, "a", MOST)
    list(pieces_of(root, "a", Deadline(60)))

    assert path.stat().st_atime_ns == 1


def test_when_time_is_up_nothing_more_is_read(root: int, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(3 << 20))

    with pytest.raises(TooSlowError, match="not done within 0 s"):
        list(pieces_of(root, "a", Deadline(0)))


def test_nothing_is_left_open(root: int, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a").write_bytes(bytes(10))
    os.mkfifo(tmp_path / "pipe")
    before = sorted(Path("/proc/self/fd").iterdir())

    with opened(root, "folder/") as folder:
        read(folder, "a", MOST)
        for name, most in (("a", 1), ("nothing", 1)):
            with pytest.raises((LeftOutError, FileNotFoundError)):
                read(folder, name, most)
    with pytest.raises(LeftOutError):
        read(root, "pipe", MOST)
    with pytest.raises(FileNotFoundError), opened(root, "folder/nothing/"):
        pass

    assert sorted(Path("/proc/self/fd").iterdir()) == before
