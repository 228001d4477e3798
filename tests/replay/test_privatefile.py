from __future__ import annotations

from pathlib import Path

import pytest

from traceproof.replay.privatefile import write_private


def test_a_file_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.json"

    write_private(path, b"one")

    assert path.read_bytes() == b"one"
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_one_before_is_replaced_and_no_draft_stays(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"before")
    (tmp_path / ".a.json.draft").write_bytes(b"of one who was killed")

    write_private(path, b"after")

    assert path.read_bytes() == b"after"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_in_the_drafts_place_is_not_followed(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_bytes(b"not yours")
    (tmp_path / ".a.json.draft").symlink_to(other)

    write_private(tmp_path / "a.json", b"mine")

    assert other.read_bytes() == b"not yours"


def test_what_cannot_be_written_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.mkdir()  # nothing can take its place

    with pytest.raises(IsADirectoryError):
        write_private(path, b"after")

    assert list(tmp_path.iterdir()) == [path]
