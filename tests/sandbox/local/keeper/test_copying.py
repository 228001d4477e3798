from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from traceproof.sandbox import tar
from traceproof.sandbox.local.keeper.copying import copy_tree


@pytest.fixture
def source(tmp_path: Path) -> Path:
    top = tmp_path / "source"
    (top / "sub" / "deep").mkdir(parents=True)
    (top / "a.txt").write_text("hello\n")
    (top / "sub" / "run.sh").write_bytes(b"x" * 1_000_000)
    (top / "sub" / "run.sh").chmod(0o4755)
    (top / "sub" / "link").symlink_to("/etc/passwd")
    (top / "sub" / "deep").chmod(0o555)
    os.mkfifo(top / "pipe")
    os.utime(top / "sub" / "link", (1_000_000, 4_000_000), follow_symlinks=False)
    os.utime(top / "a.txt", (1_000_000, 2_000_000.5))
    os.utime(top / "sub", (1_000_000, 3_000_000))
    return top


def copied(source: Path, target: Path, order: int | None = None) -> Path:
    target.mkdir()
    copy_tree(str(source), str(target), os.geteuid(), os.getegid(), order)
    return target


def test_files_modes_times_and_links_are_kept(source: Path, tmp_path: Path) -> None:
    copy = copied(source, tmp_path / "copy")

    assert sorted(str(path.relative_to(copy)) for path in copy.rglob("*")) == [
        "a.txt", "sub", "sub/deep", "sub/link", "sub/run.sh",
    ]  # fmt: skip
    assert (copy / "sub" / "run.sh").read_bytes() == b"x" * 1_000_000
    assert stat.S_IMODE((copy / "sub" / "run.sh").stat().st_mode) == 0o755
    assert stat.S_IMODE((copy / "sub" / "deep").stat().st_mode) == 0o555
    assert (copy / "a.txt").stat().st_mtime == 2_000_000.5
    assert (copy / "sub").stat().st_mtime == 3_000_000
    assert (copy / "sub" / "link").lstat().st_mtime == 4_000_000
    assert (copy / "sub" / "link").readlink() == Path("/etc/passwd")


def test_the_copy_is_a_copy(source: Path, tmp_path: Path) -> None:
    copy = copied(source, tmp_path / "copy")
    (copy / "a.txt").write_text("changed")

    assert (source / "a.txt").read_text() == "hello\n"


def test_a_seed_changes_the_order_and_nothing_else(source: Path, tmp_path: Path) -> None:
    one, two = copied(source, tmp_path / "one"), copied(source, tmp_path / "two", 1)

    assert b"".join(tar.pack(one)) == b"".join(tar.pack(two))
