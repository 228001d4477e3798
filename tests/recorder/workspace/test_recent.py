from __future__ import annotations

import os
import time
from pathlib import Path

from traceproof.recorder.workspace.folders import Parts
from traceproof.recorder.workspace.reading import Deadline
from traceproof.recorder.workspace.recent import Recent, is_local

ALL = Parts([], [[""]])


def test_it_tells_what_changed_and_in_which_folders(tmp_path: Path) -> None:
    for name in ("a/old", "b/old", "b/[x]*/hidden", ".git/index"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    recent = Recent(str(tmp_path))
    assert recent.changed(ALL, [], Deadline(20)) is None  # nobody looked before
    time.sleep(0.15)
    recent.began()
    (tmp_path / "a" / "new\nline").touch()
    (tmp_path / "b" / "old").write_text("x")
    (tmp_path / "b" / "[x]*" / "hidden").write_text("x")
    (tmp_path / ".git" / "index").write_text("x")

    for parts in (ALL, Parts(["", "b/"], [["a/"], ["b/[x]*/"]])):
        changed = recent.changed(parts, ["b/[x]*/"], Deadline(20))
        assert changed is not None
        assert (changed.folders, changed.files) == ({"a/"}, {"a/new\nline", "b/old"})


def test_there_is_no_answer_without_find(tmp_path: Path) -> None:
    recent = Recent(str(tmp_path))
    recent.began()
    path = os.environ["PATH"]
    os.environ["PATH"] = str(tmp_path)
    try:
        assert recent.changed(ALL, [], Deadline(20)) is None
    finally:
        os.environ["PATH"] = path
    assert recent.changed(ALL, [], Deadline(20)) is None


def test_a_folder_that_is_not_there_is_on_no_disk(tmp_path: Path) -> None:
    assert not is_local(str(tmp_path / "none"))
    assert not is_local("/proc")
