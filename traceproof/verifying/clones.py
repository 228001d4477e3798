"""Repositories to take commits from: one on this machine, or a bare clone of one at a URL.

Clones of URLs are kept in the user's cache (`XDG_CACHE_HOME`), so that what was verified once can
be verified again without a network. Git runs no hooks and asks for no password.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from traceproof.recorder.cleaning import clean_url
from traceproof.recorder.git import Git, GitError

_SECONDS = 120.0
_URL = re.compile(r"(?:https?|ssh|git|file)://\S+|[\w.-]+@[\w.-]+:\S+")
_SCHEMES = "https:http:ssh:git:file"
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_REVISION = re.compile(r"[^-:^\x00-\x20\x7f][^:\x00-\x20\x7f]*")


class Found(NamedTuple):
    """A commit in a repository."""

    git: Git
    commit: str
    date: datetime
    algorithm: str


def is_url(text: str) -> bool:
    """Tell whether a repository is named by a URL."""
    return bool(_URL.fullmatch(text))


def repository(named: str, commit: str, environment: Mapping[str, str]) -> Path:
    """Return a folder with the repository: the one that is named, or a clone of a URL.

    A clone is kept by the URL without its credentials, and holds none: `verify --repeat`, which
    knows no password, finds it.

    Raises:
        FileNotFoundError: there is no such folder.
        OSError: it cannot be cloned.
    """
    if not is_url(named):
        folder = Path(named).expanduser()
        if not folder.is_dir():
            raise FileNotFoundError(f"--repo {named}: there is no such folder")
        return folder.resolve()
    key = hashlib.sha256(clean_url(named).encode()).hexdigest()[:32]
    place = cache(environment) / "clones" / f"{key}.git"
    if place.is_dir() and _has(place, commit):
        return place
    _fetch(named, place, environment)
    return place


def cache(environment: Mapping[str, str]) -> Path:
    """Return the folder of what can be made again."""
    named = environment.get("XDG_CACHE_HOME", "")
    above = Path(named) if named.startswith("/") else Path.home() / ".cache"
    return above / "traceproof"


def is_top(folder: Path) -> bool:
    """Tell whether a folder is a repository itself, not only somewhere in one."""
    git = Git(folder, os.environ, _SECONDS)
    try:
        bare = git.line("rev-parse", "--is-bare-repository") == "true"
        top = git.line("rev-parse", "--absolute-git-dir" if bare else "--show-toplevel")
    except GitError:
        return False
    return Path(top).resolve() == folder.resolve()


def find(folder: Path, revision: str) -> Found:
    """Find a commit.

    Raises:
        ValueError: the repository has no such commit, or there is no repository.
    """
    git = Git(folder, os.environ, _SECONDS)
    try:
        git.line("rev-parse", "--git-dir")
        algorithm = git.line("rev-parse", "--show-object-format")
    except GitError as error:
        raise ValueError(f"{folder}: no git repository ({error})") from None
    if not _REVISION.fullmatch(revision):
        raise ValueError(f"not a commit: {revision[:80]!r}")
    try:
        commit = git.line("rev-parse", "--verify", "-q", f"{revision}^{{commit}}")
        told = git.line("show", "-s", "--format=%cI", commit)
    except GitError:
        raise ValueError(f"no commit {revision} in {folder}: is it fetched?") from None
    if not _COMMIT.fullmatch(commit):
        raise ValueError(f"not a commit: {commit[:80]!r}")
    return Found(git, commit, datetime.fromisoformat(told), algorithm)


def head(folder: Path) -> str:
    """Return the commit that is checked out; empty where there is none."""
    try:
        return find(folder, "HEAD").commit
    except ValueError:
        return ""


def _has(place: Path, revision: str) -> bool:
    try:
        find(place, revision)
    except ValueError:
        return False
    return bool(_COMMIT.fullmatch(revision))  # a branch may have moved since


def _fetch(url: str, place: Path, environment: Mapping[str, str]) -> None:
    """Clone a repository anew, and put it in the place of the one before."""
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=".cloning-") as scratch:
        made = Path(scratch, "clone.git")
        command = [
            "git", "-c", "core.hooksPath=/dev/null", "clone", "-q", "--bare", "--template=", "--",
            url, str(made),
        ]  # fmt: skip
        plain = {k: v for k, v in environment.items() if not k.startswith("GIT_")}
        try:
            done = subprocess.run(
                command,
                env={**plain, "GIT_TERMINAL_PROMPT": "0", "GIT_ALLOW_PROTOCOL": _SCHEMES},
                stdin=subprocess.DEVNULL, capture_output=True, check=False,
            )  # fmt: skip
        except FileNotFoundError:
            raise OSError("git is not installed: it is needed to clone a repository") from None
        if done.returncode:
            why = _why(done.stderr.decode(errors="replace"), secret=clean_url(url) != url)
            raise OSError(f"{clean_url(url)} cannot be cloned: {_without(url, why)}")
        _name(made, url, plain)
        shutil.rmtree(place, ignore_errors=True)
        made.rename(place)


def _why(said: str, *, secret: bool) -> str:
    """Return the line in which git says why; that of what follows from it where a URL has secrets.

    The first names the URL, or a part of it, in a form of git's own.
    """
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    told = [line for line in lines if not line.lower().startswith(("warning:", "cloning into"))]
    fatal = [line for line in told if line.startswith("fatal:")]
    return ((fatal[-1:] if secret else told[:1]) or ["git gave no reason"])[0]


def _without(url: str, text: str) -> str:
    """Return a text without a URL's credentials."""
    found = re.match(r"(?:[^/]*//)?([^/?#]*@)", url)
    text = text.replace(url, clean_url(url))
    return text.replace(found[1], "") if found and clean_url(url) != url else text


def _name(place: Path, url: str, environment: Mapping[str, str]) -> None:
    """Have a clone say where it is from, without credentials."""
    told = ["config", "--file", str(place / "config"), "remote.origin.url", clean_url(url)]
    subprocess.run(["git", *told], env=environment, check=True)
