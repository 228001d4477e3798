from __future__ import annotations

from pathlib import Path

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
