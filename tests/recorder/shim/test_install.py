from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from traceproof.recorder.shim.install import ShimFolder


def folder_of(tmp_path: Path, **settings: object) -> ShimFolder:
    return ShimFolder(tmp_path / "shim", tmp_path / "socket", "a-token", **settings)  # type: ignore[arg-type]


def test_a_launcher_stands_in_a_folder_of_its_hook(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)

    path = folder.launcher("path", "/usr/bin/bash")

    assert path == tmp_path / "shim" / "path" / "bash"
    assert path.read_bytes()[:4] == b"\x7fELF"
    assert len(path.read_bytes()) < 4096
    assert path.stat().st_mode & 0o7777 == 0o755
    assert list(path.parent.iterdir()) == [path]


def test_the_same_launcher_is_made_once(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    path = folder.launcher("path", "/bin/bash")
    made = path.stat().st_ino

    assert folder.launcher("path", "/bin/bash") == path
    assert path.stat().st_ino == made
    with pytest.raises(FileExistsError, match="another shell"):
        folder.launcher("path", "/usr/local/bin/bash")


def test_the_token_is_not_in_the_launcher(tmp_path: Path) -> None:
    path = folder_of(tmp_path).launcher("path", "/bin/bash")

    assert b"a-token" not in path.read_bytes()


def test_on_other_machines_it_is_a_script(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, machine="vax")

    assert not folder.native
    assert folder.launcher("path", "/bin/bash").read_bytes().startswith(b"#!")


def test_markers_differ(tmp_path: Path) -> None:
    one, other = (ShimFolder(tmp_path, "socket", token) for token in ("one", "other"))

    assert one.marker != other.marker
    assert {one.marker % 2, other.marker % 2} == {1}


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


@pytest.mark.parametrize("mask", [0, 0o77])
def test_others_may_run_what_is_made_and_not_change_it_whatever_the_umask(
    tmp_path: Path, mask: int
) -> None:
    with umask(mask):
        folder_of(tmp_path).launcher("namespace", "/bin/bash")

    made = {path.relative_to(tmp_path): path for path in sorted(tmp_path.rglob("*"))}
    modes = {str(name): path.lstat().st_mode & 0o777 for name, path in made.items()}
    assert modes == {
        "shim": 0o755,
        "shim/namespace": 0o755,
        "shim/namespace.bash.pyc": 0o644,
        "shim/namespace.bash.real": 0o644,
        "shim/namespace/bash": 0o755,
        "shim/traceproof": 0o777,
    }
