from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from support.hostiletrees import HostileTrees
from support.workspace import Project
from traceproof.recorder.task import Type
from traceproof.verifying.asked import About
from traceproof.verifying.gathering import Folders, gather, write_trees
from traceproof.verifying.subject import Subject

Found = Callable[..., tuple[Subject, Folders]]


@pytest.fixture(name="found")
def _found(tmp_path: Path, scratch: Path, stack: ExitStack) -> Found:
    """Gather a subject, and write its trees."""

    def found(**about: Any) -> tuple[Subject, Folders]:
        subject = gather(About(**about), tmp_path, scratch, stack)
        return subject, write_trees(subject, scratch)

    return found


def files(folder: Path | None) -> dict[str, str]:
    assert folder
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_trace(found: Found, mended: Path, work: Project) -> None:
    subject, folders = found(trace=str(mended))

    assert subject.origin.commit == work.git("rev-parse", "HEAD")
    assert subject.origin.final_tree == work.tree()
    assert subject.workspace == str(work.folder)
    assert subject.files
    assert subject.files.agent_written == ("test_too.py",)
    assert list(files(folders.base)) == ["a.py", "dirty.txt", "test_a.py", "test_too.py"]
    assert "+ 1" in files(folders.base)["a.py"]
    assert "+ 1" not in files(folders.final)["a.py"]


def test_a_trace_graded_by_the_tests_it_began_with(found: Found, mended: Path) -> None:
    subject, folders = found(trace=str(mended), tests_from="base")

    assert "test_too.py" not in files(folders.base)
    assert "test_too.py" in files(folders.final)
    assert subject.files
    assert subject.files.agent_written == ("test_too.py",)


def test_a_commit_alone_has_no_before(found: Found, work: Project) -> None:
    subject, folders = found(repo=str(work.folder), commit="HEAD", tests="pytest -q")

    assert (subject.has_before, folders.base) == (False, None)
    assert subject.origin.commit == work.git("rev-parse", "HEAD")
    assert subject.origin.final_tree == work.tree()
    assert str(subject.tests) == "pytest -q"
    assert subject.task_type is Type.REPAIR
    assert list(files(folders.final)) == ["a.py", "test_a.py"]


def test_a_commit_and_a_patch(found: Found, work: Project, patch: Path) -> None:
    subject, folders = found(repo=str(work.folder), commit="main", patch=str(patch))

    assert subject.has_before
    assert "+ 1" in files(folders.base)["a.py"]
    assert "+ 1" not in files(folders.final)["a.py"]
    assert subject.origin.patch_digest.startswith("sha256:")


def test_a_trace_and_what_it_was_about(
    found: Found, mended: Path, work: Project, patch: Path
) -> None:
    subject, folders = found(
        trace=str(mended), repo=str(work.folder), commit="HEAD", patch=str(patch)
    )

    assert (subject.origin.kind, subject.origin.trace) == ("repository", str(mended))
    assert subject.origin.trace_digest.startswith("sha256:")
    assert list(files(folders.final)) == ["a.py", "test_a.py"]  # the patch counts, not the trace


def test_a_url_is_cloned_once(
    found: Found, work: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    commit = work.git("rev-parse", "HEAD")
    url = f"file://{work.folder}"

    subject, _ = found(repo=url, commit=commit)

    assert (subject.origin.repository, subject.origin.commit) == (url, commit)
    (clone,) = (tmp_path / "cache" / "traceproof" / "clones").iterdir()
    assert subject.clone == clone
    work.folder.rename(tmp_path / "gone")
    with ExitStack() as stack:
        (tmp_path / "again").mkdir()
        again = gather(About(repo=url, commit=commit), tmp_path, tmp_path / "again", stack)
    assert again.origin == subject.origin


def test_a_folder_without_git(found: Found, work: Project, tmp_path: Path) -> None:
    folder = tmp_path / "sdist-1.0"
    folder.mkdir()
    for name in ("a.py", "test_a.py"):
        (folder / name).write_bytes((work.folder / name).read_bytes())
        os.utime(folder / name, (1.5e9, 1.5e9))
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "a.pyc").write_bytes(b"x")

    subject, folders = found(repo=str(folder))

    assert (subject.origin.commit, len(subject.origin.base_tree)) == ("", 64)
    assert subject.date.timestamp() == 1.5e9
    assert list(files(folders.final)) == ["a.py", "test_a.py"]


def test_test_files_of_a_patch(found: Found, work: Project, patch: Path, tmp_path: Path) -> None:
    work.write("test_a.py", "def test_other(): pass\n")
    tests = tmp_path / "tests.patch"
    tests.write_text(work.git("diff") + "\n")
    work.git("checkout", "-q", ".")

    subject, folders = found(
        repo=str(work.folder), commit="HEAD", patch=str(patch), tests_from=str(tests)
    )

    assert files(folders.base)["test_a.py"] == files(folders.final)["test_a.py"]
    assert files(folders.final)["test_a.py"] == "def test_other(): pass\n"
    assert subject.files
    assert subject.files.restored == ("test_a.py",)


def archive(path: Path, **members: bytes) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name.replace("__", "/") + ".py")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def test_test_files_of_an_archive(found: Found, work: Project, tmp_path: Path) -> None:
    tests = archive(tmp_path / "tests.tar.gz", tests__test_b=b"def test_b(): pass\n")

    _, folders = found(repo=str(work.folder), commit="HEAD", tests_from=str(tests))

    assert files(folders.final)["tests/test_b.py"] == "def test_b(): pass\n"


@pytest.fixture(name="odd")
def _odd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty.patch").write_text("\n")
    (tmp_path / "text").write_text("no patch\n")
    (tmp_path / "bare.zst").write_text("no trace\n")


@pytest.mark.parametrize(
    ("about", "line"),
    [
        ({"repo": "nowhere"}, "--repo nowhere: there is no such folder"),
        ({"repo": "work"}, "is a git repository: which commit of it? --commit SHA (HEAD is "),
        ({"repo": "empty"}, "there is no file in it"),
        ({"repo": "empty", "commit": "HEAD"}, "no git repository"),
        ({"repo": "work", "commit": "0" * 40}, f"no commit {'0' * 40} in "),
        ({"repo": "work", "commit": "--output=x"}, "not a commit: '--output=x'"),
        ({"repo": "work", "commit": "HEAD", "patch": "none"}, "--patch none: there is no such"),
        ({"repo": "work", "commit": "HEAD", "patch": "empty.patch"}, "the patch is empty"),
        ({"repo": "work", "commit": "HEAD", "patch": "text"}, "it does not apply: "),
        ({"repo": "work", "commit": "HEAD", "tests_from": "x"}, "--tests-from x: there is no such"),
        ({"repo": "work", "commit": "HEAD", "tests": "a 'b"}, "the test command"),
        ({"repo": "work", "commit": "HEAD", "as_of": "then"}, "--as-of 'then': a day like"),
        ({"repo": "file:///nowhere.git", "commit": "1" * 40}, "cannot be cloned: fatal: "),
        ({"repo": "https://a.example/b.git"}, "which commit of https://a.example/b.git?"),
        ({"trace": "bare.zst"}, "bare.zst is not a trace file"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("work", "odd")
def test_what_is_wrong_is_said(found: Found, about: dict[str, str], line: str) -> None:
    with pytest.raises((ValueError, OSError)) as wrong:
        found(**about)

    assert line in str(wrong.value)


@pytest.mark.parametrize("name", ["../out", "/etc/x", ".git/hooks/x", "a/../../b"])
def test_a_hostile_archive(found: Found, work: Project, tmp_path: Path, name: str) -> None:
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w") as tar:
        tar.addfile(tarfile.TarInfo(name), io.BytesIO())

    with pytest.raises(ValueError, match="is no path in a workspace"):
        found(repo=str(work.folder), commit="HEAD", tests_from=str(path))


def test_a_hostile_patch(found: Found, work: Project, tmp_path: Path) -> None:
    path = tmp_path / "x.patch"
    path.write_text("--- /dev/null\n+++ b/../out\n@@ -0,0 +1 @@\n+x\n")

    with pytest.raises(ValueError, match="it does not apply: "):
        found(repo=str(work.folder), commit="HEAD", patch=str(path))

    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("path", ["../../out.py", "a/../../../out.py", ".git/config", "a/.GIT/x"])
def test_a_commit_leads_neither_out_of_its_folder_nor_into_gits_own(
    found: Found, tmp_path: Path, path: str
) -> None:
    """Git clones such a tree, and does not check it out."""
    made = HostileTrees(tmp_path / "hostile")
    commit = made.commit(path, "x = 1\n")

    with pytest.raises(ValueError, match="no path in a workspace"):
        found(repo=str(made.folder), commit=commit)

    assert not list(tmp_path.rglob("out.py"))
