"""A submodule is at the commit that git says, and any change of a file in it is noticed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from support.workspace import Project
from traceproof.recorder.workspace.reading import Deadline, TooSlowError, open_root
from traceproof.recorder.workspace.submodules import Submodule, look_at


@pytest.fixture(name="project")
def _project(tmp_path: Path) -> Project:
    made = Project(tmp_path / "work")
    (made.folder / "a").write_text("a\n")
    (made.folder / "folder").mkdir()
    (made.folder / "folder" / "b").write_text("b\n")
    made.git("add", ".")
    made.git("commit", "-q", "-m", "one")
    return made


def look(path: Path, seconds: float = 60) -> Submodule:
    folder = open_root(str(path))
    try:
        return look_at(folder, path, Deadline(seconds))
    finally:
        os.close(folder)


def detached(project: Project) -> Path:
    project.git("checkout", "-q", "--detach")
    return project.folder


def packed(project: Project) -> Path:
    project.git("pack-refs", "--all")
    return project.folder


def worktree(project: Project) -> Path:
    place = project.folder.parent / "tree"
    project.git("worktree", "add", "-q", "-b", "a/branch", str(place))
    project.git("commit", "-q", "--allow-empty", "-m", "two", cwd=place)
    return place


def packed_worktree(project: Project) -> Path:
    place = worktree(project)
    packed(project)
    return place


def within(project: Project) -> Path:
    outer = Project(project.folder.parent / "outer")
    outer.git("submodule", "--quiet", "add", str(project.folder), "inner")
    return outer.folder / "inner"


@pytest.mark.parametrize(
    "made", [lambda project: project.folder, detached, packed, worktree, packed_worktree, within]
)
def test_its_commit_is_the_one_that_git_says(
    project: Project, made: Callable[[Project], Path]
) -> None:
    place = made(project)

    assert look(place).commit == project.git("rev-parse", "HEAD", cwd=place).strip()


def hostile_link(git: Path) -> None:
    git.joinpath("HEAD").write_text("ref: ../../secret\n")
    git.parent.parent.joinpath("secret").write_text("0" * 40)


def pipe(git: Path) -> None:
    git.joinpath("HEAD").unlink()
    os.mkfifo(git / "HEAD")


def circle(git: Path) -> None:
    git.joinpath("HEAD").write_text("ref: HEAD\n")


@pytest.mark.parametrize("breaks", [hostile_link, pipe, circle, Path.unlink])
def test_where_nothing_can_be_believed_it_has_no_commit(
    project: Project, breaks: Callable[[Path], object]
) -> None:
    git = project.folder / ".git"
    breaks(git / "HEAD" if breaks is Path.unlink else git)

    assert look(project.folder).commit == ""


def test_a_new_repository_has_no_commit(tmp_path: Path) -> None:
    assert look(Project(tmp_path / "new").folder).commit == ""


@pytest.mark.parametrize(
    "change",
    [
        lambda at: (at / "a").write_text("other\n"),
        lambda at: (at / "a").chmod(0o755),
        lambda at: (at / "folder" / "b").write_text("longer\n"),
        lambda at: (at / "folder" / "new").touch(),
        lambda at: (at / "folder" / "b").unlink(),
        lambda at: (at / "a").rename(at / "c"),
        lambda at: (at / "folder").rename(at / "elsewhere"),
        lambda at: (at / "link").symlink_to("a"),
    ],
)
def test_whatever_changes_in_it_is_noticed(
    project: Project, change: Callable[[Path], object]
) -> None:
    before = look(project.folder)
    os.utime(project.folder / "a", ns=(0, 0))  # so that no clock has to go on meanwhile
    os.utime(project.folder / "folder" / "b", ns=(0, 0))
    marked = look(project.folder)

    change(project.folder)

    assert not before.same(marked)
    assert not look(project.folder).same(marked)


def test_what_git_does_in_its_own_folder_is_no_change_of_files(project: Project) -> None:
    before = look(project.folder)

    project.git("gc", "-q")
    (project.folder / ".git" / "note").touch()

    assert look(project.folder).same(before)


def test_a_folder_that_takes_too_long_is_an_error(project: Project) -> None:
    with pytest.raises(TooSlowError):
        look(project.folder, -1)
