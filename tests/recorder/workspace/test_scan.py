"""Looking again and again, at all of it or at what was said to have changed, tells every change."""

from __future__ import annotations

import os
import random
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from traceproof.recorder.workspace.folders import Found
from traceproof.recorder.workspace.policy import Policy
from traceproof.recorder.workspace.reading import Deadline, TooSlowError
from traceproof.recorder.workspace.scan import Scan

HOUR = 3600.0
NAMES = ("a", "b", "c", "d.log", "e")


class Known:
    """What somebody knows of a folder who heard all that a scan told of it."""

    def __init__(self, root: Path, policy: Policy | None = None) -> None:
        self.root = root
        self.scan = Scan(str(root), policy or Policy())
        self.files: set[str] = set()
        self.look()

    def look(self) -> Found:
        return self.heard(self.scan.look(Deadline(HOUR)))

    def heard(self, found: Found) -> Found:
        for path, _ in found.gone:
            self.files.remove(path)
        for seen in found.seen:
            self.files.add(seen.path)
            self.scan.took(seen.path, seen.signature)
        assert self.scan.count == len(self.files)
        return found


def on_disk(root: Path) -> set[str]:
    """The files and links below a folder, as `find` would tell them."""
    return {
        str(Path(above, name).relative_to(root))
        for above, folders, names in os.walk(root)
        for name in (*names, *folders)
        if stat.S_IFMT(Path(above, name).lstat().st_mode) in (stat.S_IFREG, stat.S_IFLNK)
    }


def disturb(root: Path, chance: random.Random) -> None:
    """Make one random change: a file, link or folder comes, changes, moves or goes."""
    there = sorted(root.rglob("*"))
    folders = [root, *(path for path in there if path.is_dir() and not path.is_symlink())]
    place = chance.choice(folders) / chance.choice(NAMES)
    match chance.randrange(6):
        case 0 | 1 if not os.path.lexists(place):
            place.write_bytes(chance.randbytes(chance.randrange(9)))
        case 2 if not os.path.lexists(place):
            place.mkdir()
        case 3 if not os.path.lexists(place):
            place.symlink_to(chance.choice(["nowhere", "/etc", ".", "a"]))
        case 4 if there:
            gone = chance.choice(there)
            if gone.is_dir() and not gone.is_symlink():
                shutil.rmtree(gone)
            else:
                gone.unlink()
        case 5 if there and not os.path.lexists(place):
            moved = chance.choice(there)
            if moved not in place.parents:
                moved.rename(place)


@pytest.mark.parametrize("seed", range(8))
def test_whatever_happens_it_knows_what_is_there(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    known = Known(tmp_path)

    for _ in range(60):
        for _ in range(chance.randrange(1, 6)):
            disturb(tmp_path, chance)
        known.look()
        assert known.files == on_disk(tmp_path)

    again = known.look()
    assert (again.seen, again.gone, again.left_out) == ([], [], [])


@pytest.mark.parametrize("seed", range(8))
def test_the_folders_that_changed_are_enough_to_look_at(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    known = Known(tmp_path)

    for _ in range(60):
        before = marks(tmp_path)
        for _ in range(chance.randrange(1, 4)):
            disturb(tmp_path, chance)
        after = marks(tmp_path)
        changed = [path for path, mark in after.items() if before.get(path) != mark]
        known.heard(known.scan.look_at(changed, (), Deadline(HOUR)))
        assert known.files == on_disk(tmp_path)


def marks(root: Path) -> dict[str, tuple[int, frozenset[tuple[str, int, bool]]]]:
    """What tells that a folder has changed: what is in it, not when, which a clock might hide."""
    return {
        "".join(f"{name}/" for name in Path(above).relative_to(root).parts): (
            Path(above).stat().st_ino,
            frozenset(
                (entry.name, entry.inode(), entry.is_dir(follow_symlinks=False))
                for entry in os.scandir(above)
            ),
        )
        for above, _, _ in os.walk(root)
    }


def test_a_file_that_was_not_taken_is_told_again(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    scan = Scan(str(tmp_path), Policy())

    for _ in range(2):
        assert [seen.path for seen in scan.look(Deadline(HOUR)).seen] == ["a"]
    (seen,) = scan.look(Deadline(HOUR)).seen
    scan.took("a", seen.signature)
    assert scan.look(Deadline(HOUR)).seen == []


def test_what_the_rules_say_is_asked_again_when_they_change(tmp_path: Path) -> None:
    for name in ("a.log", "a.c"):
        (tmp_path / name).touch()
    known = Known(tmp_path)
    assert known.files == {"a.log", "a.c"}

    (tmp_path / ".gitignore").write_text("*.log\n*.tmp\n")
    (tmp_path / "b.tmp").touch()
    known.look()
    assert known.files == {".gitignore", "a.log", "a.c"}  # what was seen stays seen

    (tmp_path / ".gitignore").unlink()
    known.look()
    assert known.files == {"a.log", "a.c", "b.tmp"}


@pytest.fixture(name="special", params=["a named pipe", "a name of git's"])
def _special(tmp_path: Path, request: pytest.FixtureRequest) -> tuple[str, str]:
    makes: dict[str, Callable[[Path], None]] = {
        "a named pipe": os.mkfifo,
        "a name of git's": Path.touch,
    }
    name = ".GIT" if "git" in request.param else "x"
    makes[request.param](tmp_path / name)
    return name, request.param


def test_what_is_left_out_is_told_once(tmp_path: Path, special: tuple[str, str]) -> None:
    scan = Scan(str(tmp_path), Policy())

    first, second = (scan.look(Deadline(HOUR)) for _ in range(2))

    assert [told[:2] for told in first.left_out] == [special]
    assert (first.seen, second.left_out) == ([], [])


def test_the_store_is_not_looked_at_wherever_it_stands(tmp_path: Path) -> None:
    (tmp_path / "deep" / "store").mkdir(parents=True)
    for path in ("deep/store/trace", "deep/a"):
        (tmp_path / path).touch()
    (tmp_path / "elsewhere").symlink_to("deep/store")

    scan = Scan(str(tmp_path), Policy(), store=str(tmp_path / "elsewhere"))

    found = {seen.path for seen in scan.look(Deadline(HOUR)).seen}
    assert found == {"deep/a", "elsewhere"}


def test_time_that_is_up_ends_a_look_and_the_next_tells_all(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a").touch()
    scan = Scan(str(tmp_path), Policy())

    with pytest.raises(TooSlowError):
        scan.look(Deadline(-1))

    assert [seen.path for seen in scan.look(Deadline(HOUR)).seen] == ["folder/a"]
