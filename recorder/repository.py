"""The repository as it was when a recording began: where it is from, its commit, what was changed.

Facts only, and at any price facts: whatever is wrong with the repository or with git is said in
`state`, in one line, and never stops a recording. Storing the contents is the caller's business,
and so is masking them.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from traceproof.recorder import semconv
from traceproof.recorder.cleaning import clean_url
from traceproof.recorder.git import Git, GitError, NoAnswerError, TooMuchError, filter_overrides
from traceproof.recorder.span import Attributes
from traceproof.recorder.untracked import LeftOutError, UntrackedFile, read_untracked, readable

SECONDS = 10.0
"""For all of git's answers together."""

MOST_PATCH = 32 << 20
MOST_FILE = 1 << 20
MOST_UNTRACKED = 16 << 20
MOST_FILES = 2000
MOST_NAMED = 20
"""Files that were left out are named up to this number, then counted."""

NOT_A_REPOSITORY = "not a git repository"
NO_COMMITS = "no commits yet"
CLEAN = "clean"
DIRTY = "dirty"

_DIFF = (
    "diff", "--binary", "--full-index", "--no-color", "--no-ext-diff", "--no-textconv",
    "--no-renames", "--src-prefix=a/", "--dst-prefix=b/", "--submodule=short",
    "--ignore-submodules=dirty",
)  # fmt: skip


class RepositoryFacts(msgspec.Struct, frozen=True):
    """What was found; None or empty where there is nothing to say."""

    state: str
    """`clean`, `dirty`, `no commits yet`, or in one line what stood in the way."""
    root: str = ""
    url: str | None = None
    """Of the remote `origin`, else of the first one; without credentials."""
    commit: str | None = None
    branch: str | None = None
    """None when HEAD is detached."""
    patch: bytes = b""
    """What `git apply` turns the commit's tree into the working tree with; staged or not."""
    untracked: tuple[UntrackedFile, ...] = ()
    left_out: tuple[str, ...] = ()
    """What is missing here and why, one line each."""

    def attributes(self) -> Attributes:
        """Return what goes on the root span; patch and files are for blobs."""
        known: Attributes = {semconv.VCS_STATE: self.state}
        if self.url:
            known[semconv.VCS_URL] = self.url
        if self.commit:
            known[semconv.VCS_REVISION] = self.commit
        if self.branch:
            known[semconv.VCS_BRANCH] = self.branch
        if self.left_out:
            known[semconv.VCS_CAP] = list(self.left_out)
        return known


def facts(
    folder: Path, environment: Mapping[str, str], *, seconds: float = SECONDS
) -> RepositoryFacts:
    """Look at the repository that a folder is in; never raises, whatever is there."""
    inquiry = _Inquiry(Git(folder, environment, seconds))
    try:
        inquiry.ask()
    except GitError as error:
        inquiry.found["state"] = _explain(str(error), folder)
    except OSError as error:
        inquiry.found["state"] = f"cannot be read: {error.strerror}"
    found = {name: _printable(value) for name, value in inquiry.found.items()}
    return RepositoryFacts(**found, left_out=_shorten(inquiry.left_out))


def _printable(value: Any) -> Any:
    """Make sure that a text can be written as UTF-8, whatever bytes git printed."""
    return readable(os.fsencode(value)) if isinstance(value, str) else value


class _Inquiry:
    """Gathers facts one by one, so that those before a failure stay."""

    def __init__(self, git: Git) -> None:
        self._git = git
        self.found: dict[str, Any] = {}
        self.left_out: list[str] = []

    def ask(self) -> None:
        answer = self._git.line("rev-parse", "--is-inside-work-tree", "--is-bare-repository")
        if answer != "true\nfalse":
            bare = answer == "false\ntrue"
            kind = "a bare repository" if bare else "inside a .git folder"
            raise GitError(f"{kind}: there is no working tree")
        root = self._git.line("rev-parse", "--show-toplevel")
        self.found |= {"root": root, "url": self._url(), "branch": self._branch()}
        self.found["commit"] = self._commit()
        overrides = self._try("config", "-z", "--name-only", "--get-regexp", r"^filter\.")
        self._git.configure(filter_overrides(overrides))
        with tempfile.TemporaryDirectory(prefix="traceproof-") as folder:
            copy = Path(folder, "index")
            git = self._git.within(Path(root))
            index = Path(root, git.line("rev-parse", "--git-path", "index"))
            if index.exists():
                shutil.copyfile(index, copy)
            self._ask_for_changes(git.within(Path(root), GIT_INDEX_FILE=str(copy)))

    def _ask_for_changes(self, git: Git) -> None:
        commit = self.found["commit"]
        # The empty tree's name depends on the repository's hash function; this only computes it.
        base = commit or git.line("hash-object", "-t", "tree", "--stdin")
        self.found["patch"] = self._patch(git, base)
        names = git.run("ls-files", "-z", "--others", "--exclude-standard", most=MOST_PATCH)
        self.found["untracked"] = tuple(self._files(names.split(b"\0")[:-1]))
        dirty = self.found["patch"] or self.found["untracked"] or self.left_out
        self.found["state"] = NO_COMMITS if not commit else DIRTY if dirty else CLEAN

    def _try(self, *arguments: str) -> bytes:
        """Ask where a failure is an answer: git ends with 1 when there is nothing to print."""
        try:
            return self._git.run(*arguments)
        except NoAnswerError:
            return b""

    def _url(self) -> str | None:
        printed = self._try("config", "-z", "--get-regexp", r"^remote\..*\.url$")
        pairs = [os.fsdecode(pair).partition("\n")[::2] for pair in printed.split(b"\0") if pair]
        if not pairs:
            return None
        return clean_url(dict(reversed(pairs)).get("remote.origin.url", pairs[0][1]))

    def _branch(self) -> str | None:
        return os.fsdecode(self._try("symbolic-ref", "--short", "-q", "HEAD")).strip() or None

    def _commit(self) -> str | None:
        """Return HEAD's commit, or None on a branch that has none yet."""
        commit = self._try("rev-parse", "--verify", "-q", "HEAD^{commit}").decode().strip()
        if commit:
            return commit
        reference = os.fsdecode(self._try("symbolic-ref", "-q", "HEAD")).strip()
        if not reference or self._try("for-each-ref", reference):
            raise GitError("broken: HEAD names no commit that can be read")
        return None

    def _patch(self, git: Git, base: str) -> bytes:
        unmerged = git.run("diff", "--name-only", "-z", "--diff-filter=U", most=MOST_PATCH)
        for name in unmerged.split(b"\0")[:-1]:
            self.left_out.append(f"{readable(name)}: unmerged, not in the patch")
        try:
            return git.run(*_DIFF, base, "--", most=MOST_PATCH)
        except TooMuchError as error:
            self.left_out.append(f"the patch: {error}")
            return b""

    def _files(self, names: list[bytes]) -> Iterator[UntrackedFile]:
        root = os.fsencode(self.found["root"])
        room = MOST_UNTRACKED
        if len(names) > MOST_FILES:
            more = len(names) - MOST_FILES
            self.left_out.append(f"{more} of {len(names)} untracked files: over {MOST_FILES}")
        for name in names[:MOST_FILES]:
            try:
                file = read_untracked(root, name, min(MOST_FILE, room))
            except LeftOutError as error:
                self.left_out.append(f"{readable(name)}: {error}")
            else:
                room -= len(file.data)
                yield file


def _shorten(lines: list[str]) -> tuple[str, ...]:
    more = len(lines) - MOST_NAMED
    return (*lines[:MOST_NAMED], f"and {more} more") if more > 0 else tuple(lines)


def _explain(complaint: str, folder: Path) -> str:
    """Put git's usual complaints shortly."""
    lower = complaint.lower()
    if "not a git repository" in lower:
        marks = [path for path in (folder, *folder.parents) if (path / ".git").exists()]
        return f"broken: git cannot use {marks[0] / '.git'}" if marks else NOT_A_REPOSITORY
    if "dubious ownership" in lower or "unsafe repository" in lower:
        return "git refuses: the repository belongs to another user (see safe.directory)"
    return complaint
