"""What a recording's snapshots begin from: the commit that is checked out, and what git ignores.

Git is asked the way `traceproof.recorder.git` asks it: nothing is written, nothing that the
repository names is run. What cannot be learned makes the base poorer and is said in `problems`;
it stops no recording.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from traceproof.recorder.git import Git, GitError, NoAnswerError
from traceproof.recorder.workspace.policy import DEFAULTS, Policy
from traceproof.recorder.workspace.reading import Signature, signature_of
from traceproof.recorder.workspace.tree import MODES, SUBMODULE, Leaf, is_path

SECONDS = 20.0
_MOST = 256 << 20
_MOST_RULES = 1 << 20

RULE_GIT = "all but what git ignores: .gitignore, .git/info/exclude, core.excludesFile"
RULE_PLAIN = "all but what .gitignore names, and folders that tools fill"
RULE_ALL = "all files, ignored ones too"


@dataclass(slots=True)
class Base:
    """Where snapshots begin: a commit's files, or nothing where there is no commit."""

    root: str
    commit: str = ""
    algorithm: str = "sha1"
    leaves: dict[bytes, Leaf] = field(default_factory=dict)
    policy: Policy = field(default_factory=Policy)
    objects: str = ""
    """The folder of the repository's objects; empty where there is no repository."""
    problems: list[str] = field(default_factory=list)
    index: _Index | None = None


class _Index:
    """Watches the user's index for files that git keeps though its rules would ignore them."""

    def __init__(self, git: Git, path: Path) -> None:
        self._git = git
        self._path = path
        self._seen: Signature | None = None
        self.changed = 0
        """When it changed last, in Unix nanoseconds."""

    def kept(self) -> list[str]:
        """Return these files if the index is another than at the last call, else none."""
        try:
            marks = signature_of(self._path.stat())
        except OSError:
            return []
        if marks == self._seen:
            return []
        self._seen, self.changed = marks, marks[0]
        with tempfile.TemporaryDirectory(prefix="traceproof-") as folder:
            copy = Path(folder, "index")
            shutil.copyfile(self._path, copy)
            git = self._git.within(self._git.folder, GIT_INDEX_FILE=str(copy)).again(SECONDS)
            listed = git.run("ls-files", "-z", "-c", "-i", "--exclude-standard", most=_MOST)
        return [os.fsdecode(path) for path in listed.split(b"\0")[:-1]]


def find_base(
    folder: Path,
    environment: Mapping[str, str],
    *,
    ignored: bool = False,
    seconds: float = SECONDS,
) -> Base:
    """Find out what the snapshots of a folder begin from.

    Args:
        folder: where the agent works; of a repository the whole working tree is recorded.
        environment: the agent's, for git.
        ignored: record what git ignores too.
        seconds: for all of git's answers.
    """
    git = Git(folder, environment, seconds)
    base = Base(str(folder), policy=_policy(ignored, RULE_PLAIN, [DEFAULTS]))
    try:
        inside = git.line("rev-parse", "--is-inside-work-tree") == "true"
        if inside:
            _fill(base, git, ignored=ignored)
    except GitError as error:
        if "not a git repository" not in str(error).lower():
            base.problems.append(f"the commit is not known: {error}")
    return base


def _fill(base: Base, git: Git, *, ignored: bool) -> None:
    base.root = git.line("rev-parse", "--show-toplevel")
    git = git.within(Path(base.root))
    base.objects = os.path.abspath(  # noqa: PTH100 - which resolves no link
        os.path.join(base.root, git.line("rev-parse", "--git-path", "objects"))  # noqa: PTH118
    )
    base.algorithm = git.line("rev-parse", "--show-object-format")
    rules = [] if ignored else list(_rules(base.root, git))
    base.policy = _policy(ignored, RULE_GIT, rules)
    try:
        base.commit = git.line("rev-parse", "--verify", "-q", "HEAD^{commit}")
    except NoAnswerError:
        base.commit = ""
    if base.commit:
        base.leaves = commit_leaves(git, base.commit)
    base.policy.submodules = {
        os.fsdecode(path) for path, leaf in base.leaves.items() if leaf.mode == SUBMODULE
    }
    base.policy.keep(map(os.fsdecode, base.leaves))
    if not ignored:
        path = git.line("rev-parse", "--git-path", "index")
        base.index = _Index(git, Path(base.root, path))


def commit_leaves(git: Git, commit: str) -> dict[bytes, Leaf]:
    """Return what a commit holds, by path.

    Raises:
        GitError: the repository does not have it, or it holds what no workspace can: git clones a
            tree with a `..` in it, and only does not check it out.
    """
    listed = git.run("ls-tree", "-r", "-z", "--full-tree", f"{commit}^{{tree}}", most=_MOST)
    leaves = dict(_leaves(listed))
    wrong = next((path for path in leaves if not is_path(path)), None)
    if wrong is not None:
        raise GitError(f"commit {commit} holds {os.fsdecode(wrong)!r}: no path in a workspace")
    return leaves


def _policy(ignored: bool, rule: str, shared: list[bytes]) -> Policy:
    return Policy(RULE_ALL, None) if ignored else Policy(rule, shared)


def _rules(root: str, git: Git) -> Iterator[bytes]:
    """Yield git's patterns for the whole repository, those that count most first."""
    yield _read(Path(root, git.line("rev-parse", "--git-path", "info/exclude")))
    try:
        named = git.line("config", "--type=path", "--get", "core.excludesFile")
    except NoAnswerError:
        home = git.variable("XDG_CONFIG_HOME") or os.path.join(git.variable("HOME"), ".config")  # noqa: PTH118
        named = os.path.join(home, "git", "ignore")  # noqa: PTH118
    if named:
        yield _read(Path(root, named))


def _read(path: Path) -> bytes:
    try:
        if not path.is_file():
            return b""
        with path.open("rb") as file:
            return file.read(_MOST_RULES)
    except OSError:
        return b""


def _leaves(listed: bytes) -> Iterator[tuple[bytes, Leaf]]:
    for row in listed.split(b"\0")[:-1]:
        facts, _, path = row.partition(b"\t")
        mode, _, oid = facts.decode().split(" ")
        # git once wrote 100664, and still reads it as 100644
        yield path, Leaf(mode if mode in MODES else "100644", oid)
