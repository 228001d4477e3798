from __future__ import annotations

import os
from pathlib import Path

import pytest

from traceproof.recorder.untracked import LeftOutError, UntrackedFile, read_untracked, readable


def read(folder: Path, name: bytes, most: int = 100) -> UntrackedFile:
    return read_untracked(os.fsencode(folder), name, most)


def test_a_file_as_git_would_keep_it(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b"\0\xff")
    (tmp_path / "tool").write_text("#!/bin/sh\n")
    (tmp_path / "tool").chmod(0o755)
    (tmp_path / "link").symlink_to("/etc/passwd")

    assert read(tmp_path, b"plain") == UntrackedFile("plain", "100644", b"\0\xff")
    assert read(tmp_path, b"tool") == UntrackedFile("tool", "100755", b"#!/bin/sh\n")
    assert read(tmp_path, b"link") == UntrackedFile("link", "120000", b"/etc/passwd")


def test_what_is_left_out_and_why(tmp_path: Path) -> None:
    (tmp_path / "long").write_bytes(b"x" * 101)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "id_rsa").write_text("-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n")

    for name, why in {
        b"long": "its 101 bytes are over the 100 that are left",
        b"pipe": "not a regular file",
        b"gone": "cannot be read: No such file or directory",
        b"nested/": "a repository of its own",
        b"id_rsa": "a private key",
    }.items():
        with pytest.raises(LeftOutError, match=why):
            read(tmp_path, name)


def test_a_path_that_is_no_text_can_be_read_all_the_same(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/n\xff")).write_bytes(b"x")

    assert read(tmp_path, b"n\xff").path == "n\\xff"
    assert readable("é".encode()) == "é"
