"""The source as a box gets it: the tree, and a repository that knows nothing of what came later.

The repository is made by fetching one commit with its ancestors, down to the nearest tag or to the
beginning: no later commit, no other branch, no reflog, no remote, no hook. So `git describe`, and
with it the version of many a project, is what it was.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from traceproof.sandbox.environments import cache
from traceproof.sandbox.environments.recipe import Source

_NEAR: Final = 1
"""How many commits are brought where there is no tag."""
_QUIET: Final = ("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "gc.auto=0")
_NO_TRANSPORT: Final = {"GIT_ALLOW_PROTOCOL": "none", "GIT_NO_LAZY_FETCH": "1"}
"""A clone can name programs by which what it lacks is fetched (`ext::`, `remote.*.uploadpack`)."""
_SERVE: Final = "env GIT_ALLOW_PROTOCOL=none git-upload-pack"
"""Git before 2.39.4 fetches, too, what a repository that is fetched from lacks."""
_LEFT_BY_FETCH: Final = ("FETCH_HEAD", "ORIG_HEAD", "logs", "hooks", "description", "branches")


@contextmanager
def repository(source: Source) -> Iterator[Path | None]:
    """Make the box's `.git` in a folder of its own, which is removed in the end.

    Raises:
        ValueError: the clone does not hold the commit.
    """
    if source.repository is None:
        yield None
        return
    with cache.scratch() as scratch:
        yield _base_only(source, scratch)


def _base_only(source: Source, scratch: Path) -> Path:
    git = scratch / "tree" / ".git"
    environment = _environment(scratch)
    origin = Path(source.repository or "").resolve()
    tags, depth = ([], 0) if source.whole else _nearest(origin, source.commit, environment)
    _git(scratch, environment, "init", "--quiet", "--template=", "--initial-branch=main", "tree")
    shallow = [f"--depth={depth}"] if depth else []
    try:
        if source.whole:
            tags = _git(origin, environment, "tag", "--merged", source.commit).split()
        wanted = [source.commit, *(f"refs/tags/{tag}:refs/tags/{tag}" for tag in tags)]
        _git(git.parent, environment | {"GIT_ALLOW_PROTOCOL": "file"}, "fetch", "--quiet",
             "--no-tags", f"--upload-pack={_SERVE}", *shallow, f"file://{origin}",
             *wanted)  # fmt: skip
    except RuntimeError as error:
        message = f"{origin} does not hold the commit {source.commit}: {error}"
        raise ValueError(message) from error
    _git(git.parent, environment, "update-ref", "--no-deref", "HEAD", source.commit)
    _git(git.parent, environment, "--work-tree", str(source.folder.resolve()), "reset", "--quiet")
    _forget(git)
    return git


def _nearest(origin: Path, commit: str, environment: dict[str, str]) -> tuple[list[str], int]:
    """Return the tags of the nearest tagged ancestor, and how far back it is."""
    try:
        said = _git(origin, environment, "describe", "--tags", "--long", "--abbrev=40", commit)
    except RuntimeError:  # no tag, or no such commit: the fetch will say so
        return [], _NEAR
    tag, distance, _ = said.strip().rsplit("-", 2)
    beside = _git(origin, environment, "tag", "--points-at", f"{tag}^{{commit}}").split()
    return sorted({tag, *beside}), int(distance) + 1


def _forget(git: Path) -> None:
    for name in _LEFT_BY_FETCH:
        path = git / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _environment(scratch: Path) -> dict[str, str]:
    """Return git's environment: no settings of this machine, any owner's repository readable."""
    settings = scratch / "gitconfig"
    settings.write_text("[safe]\n\tdirectory = *\n[protocol]\n\tversion = 2\n")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return kept | {
        **_NO_TRANSPORT,
        "GIT_CONFIG_GLOBAL": str(settings),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
    }


def _git(folder: Path, environment: dict[str, str], *arguments: str) -> str:
    run = subprocess.run(
        ["git", *_QUIET, *arguments],
        cwd=folder, env=environment, capture_output=True, text=True, check=False, errors="replace",
    )  # fmt: skip
    if run.returncode:
        raise RuntimeError(run.stderr.strip().splitlines()[-1] if run.stderr.strip() else "git")
    return run.stdout
