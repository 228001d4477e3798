from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from traceproof.recorder import repository
from traceproof.recorder.repository import RepositoryFacts, facts
from traceproof.recorder.untracked import UntrackedFile


@pytest.fixture(name="environment")
def _environment(tmp_path: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path / "home"),
        "GIT_AUTHOR_NAME": "A",
        "GIT_AUTHOR_EMAIL": "a@b.example",
        "GIT_COMMITTER_NAME": "A",
        "GIT_COMMITTER_EMAIL": "a@b.example",
    }


class Repository:
    """A repository to look at, made with git itself."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.environment = environment
        folder.mkdir()
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str, stdin: bytes = b"", check: bool = True) -> bytes:
        ended = subprocess.run(
            ["git", *arguments],
            cwd=self.folder,
            env=self.environment,
            input=stdin,
            capture_output=True,
            check=check,
        )
        return ended.stdout

    def write(self, name: str, data: bytes) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def commit(self) -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "c")
        return self.git("rev-parse", "HEAD").decode().strip()

    def facts(self) -> RepositoryFacts:
        """Look at it, and make sure that looking changed nothing in its .git."""
        before = dict(self._contents())
        found = facts(self.folder, self.environment)
        assert dict(self._contents()) == before
        return found

    def _contents(self) -> Iterator[tuple[str, tuple[int, str]]]:
        for path in sorted((self.folder / ".git").rglob("*")):
            data = path.read_bytes() if path.is_file() else b""
            yield str(path), (path.stat().st_mtime_ns, hashlib.sha256(data).hexdigest())


@pytest.fixture(name="repo")
def _repo(tmp_path: Path, environment: dict[str, str]) -> Repository:
    return Repository(tmp_path / "repo", environment)


def test_a_clean_repository(repo: Repository) -> None:
    repo.write("a.txt", b"one\n")
    commit = repo.commit()
    repo.git("remote", "add", "other", "https://other.example/r")
    repo.git("remote", "add", "origin", "https://user:hunter2pw@host.example/o/r.git")

    found = repo.facts()

    assert found == RepositoryFacts(
        state="clean",
        root=str(repo.folder),
        url="https://host.example/o/r.git",
        commit=commit,
        branch="main",
    )
    assert found.attributes() == {
        "traceproof.vcs.state": "clean",
        "vcs.repository.url.full": "https://host.example/o/r.git",
        "vcs.ref.head.revision": commit,
        "vcs.ref.head.name": "main",
    }


def test_what_was_changed_staged_and_added_comes_back(repo: Repository, tmp_path: Path) -> None:
    repo.write("binary", bytes(range(256)))
    repo.write("text", b"one\ntwo\n")
    repo.write("gone", b"gone\n")
    repo.write(".gitignore", b"ignored\n")
    commit = repo.commit()
    repo.write("binary", bytes(range(255, -1, -1)))
    repo.write("text", b"one\nzwei\n")
    (repo.folder / "gone").unlink()
    repo.write("staged", b"staged\n")
    repo.git("add", "staged")
    repo.write("new/file \xe9", b"\0new")
    repo.write("ignored", b"x")

    found = repo.facts()

    assert found.state == "dirty"
    assert found.untracked == (UntrackedFile("new/file \xe9", "100644", b"\0new"),)
    again = Repository(tmp_path / "again", repo.environment)
    again.git("fetch", "-q", str(repo.folder), commit)
    again.git("checkout", "-q", "FETCH_HEAD")
    again.git("apply", "--index", stdin=found.patch)
    for name in ("binary", "text", "staged"):
        assert (again.folder / name).read_bytes() == (repo.folder / name).read_bytes()
    assert not (again.folder / "gone").exists()


def test_a_file_that_was_only_touched_is_not_dirty(repo: Repository) -> None:
    repo.write("a", b"one\n")
    repo.commit()
    os.utime(repo.folder / "a", (1, 1))

    assert repo.facts().state == "clean"


def test_from_a_folder_below_the_whole_repository_is_seen(repo: Repository) -> None:
    repo.write("sub/a", b"one\n")
    repo.commit()
    repo.write("b", b"two\n")

    found = facts(repo.folder / "sub", repo.environment)

    assert [file.path for file in found.untracked] == ["b"]
    assert found.root == str(repo.folder)


def test_no_commits_yet(repo: Repository) -> None:
    repo.write("staged", b"s\n")
    repo.git("add", "staged")
    repo.write("other", b"o\n")

    found = repo.facts()

    assert (found.state, found.commit, found.branch) == ("no commits yet", None, "main")
    assert b"+s" in found.patch
    assert [file.path for file in found.untracked] == ["other"]


def test_a_detached_head_and_an_scp_like_remote(repo: Repository) -> None:
    repo.write("a", b"")
    commit = repo.commit()
    repo.git("checkout", "-q", "--detach")
    repo.git("remote", "add", "upstream", "git@host.example:o/r.git")

    found = repo.facts()

    assert (found.commit, found.branch) == (commit, None)
    assert found.url == "git@host.example:o/r.git"


def test_caps_are_stated(repo: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repository, "MOST_FILE", 10)
    monkeypatch.setattr(repository, "MOST_UNTRACKED", 15)
    monkeypatch.setattr(repository, "MOST_FILES", 4)
    monkeypatch.setattr(repository, "MOST_NAMED", 3)
    monkeypatch.setattr(repository, "MOST_PATCH", 200)
    repo.write("tracked", b"")
    repo.commit()
    repo.write("tracked", b"x\n" * 200)
    for number in range(1, 6):
        repo.write(f"{number}", b"x" * (11 if number == 1 else 7))

    found = repo.facts()

    assert [file.path for file in found.untracked] == ["2", "3"]
    assert found.patch == b""
    assert found.left_out == (
        "the patch: over 200 bytes",
        "1 of 5 untracked files: over 4",
        "1: its 11 bytes are over the 10 that are left",
        "and 1 more",
    )
    assert found.attributes()["traceproof.vcs.cap"] == list(found.left_out)


def test_a_merge_conflict_is_stated(repo: Repository) -> None:
    repo.write("a", b"one\n")
    repo.commit()
    repo.git("checkout", "-q", "-b", "side")
    repo.write("a", b"two\n")
    repo.commit()
    repo.git("checkout", "-q", "main")
    repo.write("a", b"three\n")
    repo.commit()
    repo.git("merge", "side", check=False)

    found = repo.facts()

    assert found.state == "dirty"
    assert found.left_out == ("a: unmerged, not in the patch",)


def test_not_a_repository(tmp_path: Path, environment: dict[str, str]) -> None:
    assert facts(tmp_path, environment) == RepositoryFacts(state="not a git repository")


def test_a_bare_one_and_the_inside_of_a_git_folder(repo: Repository) -> None:
    repo.git("init", "-q", "--bare", "bare.git")

    assert facts(repo.folder / "bare.git", repo.environment).state == (
        "a bare repository: there is no working tree"
    )
    assert facts(repo.folder / ".git", repo.environment).state == (
        "inside a .git folder: there is no working tree"
    )


def test_broken_ones(repo: Repository) -> None:
    repo.write("a", b"one\n")
    commit = repo.commit()
    (repo.folder / ".git" / "objects" / commit[:2] / commit[2:]).unlink()
    assert "\n" not in repo.facts().state
    assert repo.facts().state not in {"clean", "dirty", "no commits yet"}

    (repo.folder / ".git" / "HEAD").write_text("nonsense")
    assert repo.facts().state == f"broken: git cannot use {repo.folder / '.git'}"


def test_no_git_at_all(tmp_path: Path) -> None:
    assert facts(tmp_path, {"PATH": str(tmp_path)}).state == "git is not installed"


def test_a_git_that_hangs(tmp_path: Path) -> None:
    (tmp_path / "git").write_text("#!/bin/sh\nexec sleep 60\n")
    (tmp_path / "git").chmod(0o755)

    found = facts(tmp_path, {"PATH": f"{tmp_path}:{os.defpath}"}, seconds=0.2)

    assert found.state == "git did not answer within 0.2 s"


def test_a_repository_of_another_user(repo: Repository) -> None:
    assert os.getuid() == 0, "only root can give a folder away: run the tests as root"
    for path in (repo.folder, repo.folder / ".git"):
        os.chown(path, 12345, 12345)

    assert "belongs to another user" in repo.facts().state


def test_the_users_git_variables_do_not_count(repo: Repository) -> None:
    repo.write("a", b"")
    commit = repo.commit()

    hostile = {"GIT_DIR": "/elsewhere", "GIT_EXTERNAL_DIFF": "false", "GIT_INDEX_FILE": "/none"}

    assert facts(repo.folder, repo.environment | hostile).commit == commit


def test_a_hostile_repository_runs_nothing(repo: Repository, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    program = tmp_path / "program"
    program.write_text(f'#!/bin/sh\necho "$0 $@" >> {ran}\ncat\n')
    program.chmod(0o755)
    repo.write("a", b"one\n")
    repo.write("b", b"one\n")
    repo.write(".gitattributes", b"a filter=evil diff=evil\nb filter=proc diff=evil\n")
    repo.commit()
    for key in (
        "core.fsmonitor", "core.sshCommand", "core.pager", "diff.external", "diff.evil.command",
        "diff.evil.textconv", "filter.evil.clean", "filter.evil.smudge", "filter.proc.process",
        "core.alternateRefsCommand", "core.gitProxy", "uploadpack.packObjectsHook",
    ):  # fmt: skip
        repo.git("config", key, str(program))
    repo.git("config", "filter.evil.required", "true")
    repo.git("config", "protocol.ext.allow", "always")
    hooks = repo.folder / ".git" / "hooks"
    for hook in ("post-index-change", "fsmonitor-watchman", "pre-commit"):
        (hooks / hook).write_bytes(program.read_bytes())
        (hooks / hook).chmod(0o755)
    repo.write("a", b"two\n")
    repo.write("b", b"two\n")

    found = repo.facts()

    assert found.state == "dirty"
    assert found.patch.count(b"+two") == 2
    assert not ran.exists()


def test_a_filter_that_cannot_be_switched_off_stops_the_looking(repo: Repository) -> None:
    repo.write("a", b"one\n")
    commit = repo.commit()
    config = repo.folder / ".git" / "config"
    config.write_text(config.read_text() + '[filter "a=b"]\n\tclean = cat\n')
    repo.write("a", b"two\n")

    found = repo.facts()

    assert "cannot be switched off" in found.state
    assert (found.commit, found.patch) == (commit, b"")


def test_a_partial_clone_is_not_completed(repo: Repository, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    repo.write("a", b"one\n")
    repo.commit()
    blob = repo.git("rev-parse", "HEAD:a").decode().strip()
    (repo.folder / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    repo.git("config", "remote.origin.url", f"ext::sh -c touch% {ran}")
    repo.git("config", "remote.origin.promisor", "true")
    repo.git("config", "extensions.partialClone", "origin")
    repo.git("config", "core.repositoryFormatVersion", "1")
    repo.git("config", "protocol.ext.allow", "always")
    repo.write("a", b"two\n")

    found = repo.facts()

    assert not ran.exists()
    assert found.state not in {"clean", "dirty"}


def test_names_that_are_no_text_can_be_stored(repo: Repository) -> None:
    config = repo.folder / ".git" / "config"
    config.write_bytes(config.read_bytes() + b'[remote "o"]\n\turl = /srv/\xff\n')

    assert repo.facts().url == "/srv/\\xff"


def test_a_git_that_says_something_else(tmp_path: Path) -> None:
    (tmp_path / "git").write_text("#!/bin/sh\necho what\n")
    (tmp_path / "git").chmod(0o755)

    assert facts(tmp_path, {"PATH": f"{tmp_path}:{os.defpath}"}).state
