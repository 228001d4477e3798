from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from support.workspace import environment
from traceproof.recorder.workspace.changes import Change
from traceproof.recorder.workspace.patches import NoPatchError, Patches, sweep
from traceproof.recorder.workspace.tree import Leaf, blob_id


def leaf(patches: Patches, data: bytes, mode: str = "100644") -> Leaf:
    patches.put(data)
    return Leaf(mode, blob_id("sha1", data), "", len(data))


@pytest.fixture(name="patches")
def _patches(tmp_path: Path) -> Patches:
    return Patches(tmp_path / "store", environment(tmp_path / "home"), "sha1", "")


def test_git_applies_what_it_says(patches: Patches, tmp_path: Path) -> None:
    changes = [
        Change(b"a.txt", leaf(patches, b"one\n"), leaf(patches, b"two", "100755")),
        Change(b"new\nname\xff", None, leaf(patches, b"\0\1\2" * 99)),
        Change(b"link", leaf(patches, b"file\n"), leaf(patches, b"a.txt", "120000")),
        Change(b"gone", leaf(patches, b""), None),
    ]
    diff = patches.diff(changes)
    patches.close()

    work = tmp_path / "work"
    work.mkdir()
    for name, data in (("a.txt", "one\n"), ("link", "file\n"), ("gone", "")):
        (work / name).write_text(data)
    subprocess.run(["git", "apply"], cwd=work, input=diff, check=True)
    assert (work / "a.txt").read_bytes() == b"two"
    assert os.access(work / "a.txt", os.X_OK)
    assert (work / os.fsdecode(b"new\nname\xff")).read_bytes() == b"\0\1\2" * 99
    assert (work / "link").readlink() == Path("a.txt")
    assert not (work / "gone").exists()


def test_a_content_that_is_gone_and_too_much_of_it(patches: Patches) -> None:
    lost = Change(b"a", Leaf("100644", "1" * 40, "", 3), leaf(patches, b"x"))
    with pytest.raises(NoPatchError, match="1111"):
        patches.diff([lost])
    with pytest.raises(NoPatchError, match="4 bytes changed, over 3"):
        patches.diff([lost], 3)
    patches.close()


def test_the_folder_is_private_and_goes(patches: Patches) -> None:
    patches.put(b"x")
    assert {path.stat().st_mode & 0o77 for path in (patches.folder, patches.folder.parent)} == {0}
    patches.close()
    assert not patches.folder.parent.exists()


def test_what_a_killed_recorder_left_is_swept_and_nothing_else(
    patches: Patches, tmp_path: Path
) -> None:
    dead = tmp_path / "store" / "workspace-dead"
    dead.mkdir()
    (dead / "lock").touch()
    (tmp_path / "store" / "workspace-link").symlink_to(tmp_path)

    sweep(tmp_path / "store")

    assert not dead.exists()
    assert patches.folder.exists()
    assert tmp_path.exists()
    patches.close()
