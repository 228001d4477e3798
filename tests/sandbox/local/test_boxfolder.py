from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from traceproof.sandbox import owner
from traceproof.sandbox.errors import SandboxError
from traceproof.sandbox.local import boxfolder
from traceproof.sandbox.local.prune import prune


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for boxes that no other test looks at."""
    here = tmp_path / "place"
    monkeypatch.setattr(boxfolder, "places", lambda: [here, tmp_path / "none"])
    return here


def test_a_box_has_folders_of_its_own(place: Path) -> None:
    box = boxfolder.make(place, -1)

    assert {path.name for path in box.iterdir()} == {
        "channel", "home", "owner", "private", "tmp", "workspace",
    }  # fmt: skip
    assert stat.S_IMODE(box.stat().st_mode) == 0o700
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert (box / "owner").read_text() == str(owner.me())


def test_the_channel_is_not_to_be_read_once_it_is_open(place: Path) -> None:
    box = boxfolder.make(place, -1)
    channel = boxfolder.open_channel(box)
    try:
        status = (box / "channel").stat()
        assert stat.S_ISFIFO(status.st_mode)
        assert stat.S_IMODE(status.st_mode) == 0o222
        (box / "channel").write_bytes(b"said")
        assert os.read(channel, 100) == b"said"
    finally:
        os.close(channel)


def test_a_place_of_somebody_elses_is_refused(place: Path, tmp_path: Path) -> None:
    place.symlink_to(tmp_path)

    with pytest.raises(SandboxError, match="is not yours"):
        boxfolder.make(place, -1)


def test_what_dead_owners_left_is_removed(place: Path) -> None:
    ours, dead, older, cut_short = (boxfolder.make(place, -1) for _ in range(4))
    (dead / "owner").write_text(str(owner.me()._replace(started=1)))
    (older / "owner").write_text(str(owner.me()._replace(boot="another")))
    (cut_short / "owner").unlink()

    assert sorted(prune()) == sorted([dead, older, cut_short])
    assert boxfolder.boxes(in_use=True) == [ours]
    assert list(prune()) == []
    assert list(prune(everything=True)) == [ours]
    assert boxfolder.boxes(in_use=True) == []


def test_an_owner_in_another_container_may_be_alive(place: Path) -> None:
    box = boxfolder.make(place, -1)
    (box / "owner").write_text(str(owner.me()._replace(namespace="1")))

    assert list(prune()) == []
    assert box.exists()


def test_folders_are_as_new_again(place: Path) -> None:
    box = boxfolder.make(place, -1)
    (box / "home" / "x").mkdir()
    (box / "home").chmod(0)
    (box / "private" / "stays").touch()

    boxfolder.fresh(box, -1)

    assert list((box / "home").iterdir()) == []
    assert stat.S_IMODE((box / "home").stat().st_mode) == 0o700
    assert (box / "private" / "stays").exists()


def test_what_is_gone_is_removed_already(tmp_path: Path) -> None:
    boxfolder.remove(tmp_path / "none")
