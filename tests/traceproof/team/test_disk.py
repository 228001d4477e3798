from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from traceproof.team import disk


def test_what_a_folder_holds(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(1000))
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "b").write_bytes(bytes(500))
    elsewhere = tmp_path.parent / f"{tmp_path.name}-elsewhere"
    elsewhere.mkdir()
    (elsewhere / "c").write_bytes(bytes(10_000))
    (tmp_path / "link").symlink_to(elsewhere)

    links = (tmp_path / "link").lstat().st_size
    assert disk.used(tmp_path) == 1500 + links
    assert disk.used(tmp_path / "nothing") == 0


def test_whether_a_folder_can_be_written(tmp_path: Path) -> None:
    assert disk.trouble(tmp_path) == ""
    assert list(tmp_path.iterdir()) == []
    assert (
        disk.trouble(tmp_path / "nothing") == f"{tmp_path / 'nothing'}: No such file or directory"
    )


def test_what_goes_meanwhile_costs_its_own_size_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).write_bytes(bytes(1000))
    scandir = os.scandir

    @contextmanager
    def late(path: str) -> Iterator[list[os.DirEntry[str]]]:
        with scandir(path) as entries:
            listed = sorted(entries, key=lambda entry: entry.name)
        (tmp_path / "a").unlink()
        yield listed

    monkeypatch.setattr(os, "scandir", late)

    assert disk.used(tmp_path) == 2000


def test_what_may_not_be_looked_into_is_no_trouble(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lost+found").mkdir()
    (tmp_path / "a").write_bytes(bytes(1000))
    scandir = os.scandir

    def guarded(path: str) -> Any:  # tests may run as root, whom no mode keeps out
        if path.endswith("lost+found"):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)

    assert disk.used(tmp_path) == 1000
