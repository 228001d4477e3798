from __future__ import annotations

import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from support.hostiletrees import HostileTrees
from traceproof.sandbox.environments import Source
from traceproof.sandbox.environments.sources import repository


def git(folder: Path, *arguments: str) -> str:
    settings = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
    return subprocess.run(
        ["git", "-c", "safe.directory=*", *settings, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone with five commits on main, another branch, and tags before and after the third."""
    folder = tmp_path / "clone"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    for number in range(1, 6):
        (folder / "a.txt").write_text(f"{number}\n")
        git(folder, "add", ".")
        git(folder, "commit", "-q", "-m", f"commit {number}")
        if number in {2, 4}:
            git(folder, "tag", f"v{number}")
    git(folder, "tag", "beside", "v2")
    git(folder, "branch", "other", "v4")
    git(folder, "remote", "add", "origin", "https://example.test/x")
    return folder


def source(clone: Path, tmp_path: Path, *, whole: bool = False) -> Source:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "a.txt").write_text("3\n")
    commit = git(clone, "rev-parse", "HEAD~2")
    return Source(folder=tree, repository=clone, commit=commit, whole=whole)


def test_the_box_knows_nothing_of_what_came_later(clone: Path, tmp_path: Path) -> None:
    given = source(clone, tmp_path)
    later = git(clone, "rev-parse", "HEAD")

    with repository(given) as made:
        assert made is not None
        at = made.parent
        assert git(at, "rev-parse", "HEAD") == given.commit
        known = git(at, "rev-list", "--all", "--format=%s", "--no-commit-header").splitlines()
        assert {"commit 3", "commit 2"} <= set(known) <= {"commit 3", "commit 2", "commit 1"}
        assert git(at, "tag").splitlines() == ["beside", "v2"]
        assert git(at, "describe", "--tags", "--match=v*").startswith("v2-1-g")
        assert git(at, "remote") == git(at, "reflog") == git(at, "branch", "--list", "main") == ""
        assert subprocess.run(["git", "cat-file", "-e", later], cwd=at, check=False).returncode
        assert not {"logs", "hooks", "FETCH_HEAD"} & {path.name for path in made.iterdir()}
        assert "file:" not in (made / "config").read_text()

    assert not made.exists()


def test_the_whole_past_is_there_if_asked_for(clone: Path, tmp_path: Path) -> None:
    with repository(source(clone, tmp_path, whole=True)) as made:
        assert made is not None
        assert git(made.parent, "rev-list", "--count", "--all") == "3"
        assert not (made / "shallow").exists()


def test_without_a_tag_the_commit_is_alone(clone: Path, tmp_path: Path) -> None:
    git(clone, "tag", "-d", "v2", "beside")

    with repository(source(clone, tmp_path)) as made:
        assert made is not None
        assert git(made.parent, "rev-list", "--count", "--all") == "1"


def test_the_tree_differs_from_the_commit_by_the_patch_alone(clone: Path, tmp_path: Path) -> None:
    given = source(clone, tmp_path)
    (given.folder / "new.txt").write_text("x")

    with repository(given) as made:
        assert made is not None
        assert git(given.folder, f"--git-dir={made}", "status", "--porcelain") == "?? new.txt"


def test_the_clone_is_left_as_it_is(clone: Path, tmp_path: Path) -> None:
    before = sorted(str(path) for path in clone.rglob("*"))

    with repository(source(clone, tmp_path)):
        pass

    assert sorted(str(path) for path in clone.rglob("*")) == before


def test_a_commit_that_is_not_there_is_one_line(clone: Path, tmp_path: Path) -> None:
    given = Source(folder=tmp_path, repository=clone, commit="0" * 40)

    with (
        pytest.raises(ValueError, match="does not hold the commit 0000") as caught,
        repository(given),
    ):
        pass

    assert "\n" not in str(caught.value)


def test_no_repository_is_none(tmp_path: Path) -> None:
    with repository(Source(folder=tmp_path)) as made:
        assert made is None


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("way", ["url", "uploadpack"])
def test_what_a_clone_lacks_is_not_fetched_by_the_program_that_it_names(
    tmp_path: Path, way: str, whole: bool
) -> None:
    made = HostileTrees(tmp_path / "hostile")
    ran = tmp_path / "ran"
    commit = made.commit("a.py", "x = 1\n", parent="1" * 40)
    made.tag("v1", made.commit("a.py", "x = 2\n"))  # it is looked for among the ancestors
    settings = {
        "core.repositoryformatversion": "1",
        "extensions.partialclone": "origin",
        "remote.origin.promisor": "true",
        "protocol.ext.allow": "always",
        "protocol.file.allow": "always",
        "remote.origin.url": f"ext::touch {ran}" if way == "url" else f"file://{tmp_path}",
        "remote.origin.uploadpack": f"touch {ran}; git-upload-pack",
    }
    for name, value in settings.items():
        made.configure(name, value)
    (tmp_path / "tree").mkdir()
    given = Source(folder=tmp_path / "tree", repository=made.folder, commit=commit, whole=whole)

    with suppress(ValueError), repository(given):
        pass

    assert not ran.exists()
