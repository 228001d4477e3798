from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

from traceproof.sandbox.environments import tarring


def small(folder: Path) -> Path:
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "ä.txt").write_text("x" * 1000)
    (folder / "run").write_text("#!/bin/sh\n")
    (folder / "run").chmod(0o700)
    (folder / "link").symlink_to("sub/ä.txt")
    os.mkfifo(folder / "pipe")
    return folder


def test_a_stream_holds_files_links_and_folders_sorted(tmp_path: Path) -> None:
    stream = b"".join(tarring.tree(small(tmp_path / "tree"), mtime=86400))

    with tarfile.open(fileobj=io.BytesIO(stream)) as archive:
        entries = {entry.name: (entry.mode, entry.mtime, entry.linkname) for entry in archive}
    assert entries == {
        "link": (0o777, 86400, "sub/ä.txt"),
        "run": (0o755, 86400, ""),
        "sub": (0o755, 86400, ""),
        "sub/ä.txt": (0o644, 86400, ""),
    }


def test_names_that_are_no_utf8_go_in_as_they_are(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9")
    (tmp_path / name).write_text("x")

    with tarfile.open(fileobj=io.BytesIO(b"".join(tarring.tree(tmp_path)))) as archive:
        assert archive.getnames() == [name]


def test_the_digest_is_of_names_kinds_and_contents_alone(tmp_path: Path) -> None:
    one, two = small(tmp_path / "one"), small(tmp_path / "two")
    os.utime(two / "run", (1, 1))
    (two / ".git").mkdir()
    assert tarring.digest(one) == tarring.digest(two)

    (two / "run").chmod(0o600)
    assert tarring.digest(one) != tarring.digest(two)


def test_one_file_is_a_stream_of_its_own() -> None:
    stream = b"".join(tarring.one_file("a/b", b"content", 0o755))

    with tarfile.open(fileobj=io.BytesIO(stream)) as archive:
        (entry,) = archive.getmembers()
        assert (entry.name, entry.mode, entry.size) == ("a/b", 0o755, 7)
