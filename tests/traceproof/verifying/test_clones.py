"""Clones of URLs: what is kept of the URL, and how a clone is found again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from support.workspace import Project
from traceproof.verifying.asked import About, Asked, stored
from traceproof.verifying.clones import find, repository

PASSWORD = "hunter2-of-the-test"


@pytest.fixture(name="environment")
def _environment(tmp_path: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "GIT_CONFIG_NOSYSTEM": "1",
    }


def kept(place: Path) -> bytes:
    return b"".join(path.read_bytes() for path in place.rglob("*") if path.is_file())


def test_a_clone_holds_no_credentials_of_its_url(
    work: Project, environment: dict[str, str]
) -> None:
    url = f"file://user:{PASSWORD}@{work.folder}"

    place = repository(url, "", environment)

    assert PASSWORD.encode() not in kept(place)
    assert f"url = file://{work.folder}\n".encode() in (place / "config").read_bytes()


def test_a_clone_is_found_again_without_the_credentials_of_its_url(
    work: Project, environment: dict[str, str]
) -> None:
    commit = work.git("rev-parse", "HEAD")
    place = repository(f"file://user:{PASSWORD}@{work.folder}", commit, environment)
    work.folder.rename(work.folder.with_name("elsewhere"))

    assert repository(f"file://{work.folder}", commit, environment) == place


def test_what_git_says_of_a_url_holds_no_credentials(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    with pytest.raises(OSError, match="cannot be cloned") as caught:
        repository(f"file://user:{PASSWORD}@{tmp_path}/none?token=abcdefgh", "", environment)

    assert PASSWORD not in str(caught.value)
    assert "abcdefgh" not in str(caught.value)


def test_what_is_kept_of_what_was_asked_for_holds_no_credentials() -> None:
    url = f"https://user:{PASSWORD}@git.test/a/b.git?private_token=glpat-4f9Kq2Zr7Lw1Xs8Tn3Yb"
    asked = Asked(about=About(repo=url, commit="main"))

    about = stored(asked, "f" * 40).about

    assert about == About(repo="https://git.test/a/b.git?private_token=", commit="f" * 40)


def test_a_folder_is_kept_as_it_is() -> None:
    asked = Asked(about=About(repo="/a/what?token=is:this@folder"))

    assert stored(asked, "") == asked


@pytest.mark.parametrize("name", ["feat/#12+x", "größe", "HEAD@{0}", "@", "HEAD^{commit}"])
def test_a_commit_goes_by_whatever_name_git_knows_it_by(work: Project, name: str) -> None:
    for branch in ("feat/#12+x", "größe"):
        work.git("branch", "-f", branch)

    assert find(work.folder, name).commit == work.git("rev-parse", "HEAD")


@pytest.mark.parametrize("name", ["--all", "^HEAD", "HEAD a", "HEAD\x00", "HEAD:a.py", ":/one"])
def test_what_is_no_name_of_a_commit(work: Project, name: str) -> None:
    with pytest.raises(ValueError, match="not a commit: "):
        find(work.folder, name)


def test_why_it_cannot_be_cloned_is_the_reason_and_not_what_follows_from_it(
    environment: dict[str, str],
) -> None:
    why = "cannot be cloned: fatal: '/nowhere/at/all' does not appear to be a git repository"
    with pytest.raises(OSError, match=why):
        repository("file:///nowhere/at/all", "", environment)
