"""Making the diff of two snapshots as git prints it, for people and for `git apply`.

The contents lie in a private folder with the layout of a repository, masked as they are in the
trace; for what is only in the commit that the recording began with, the user's own objects are read
as well (as *alternates*). No configuration and no attributes but the folder's own count. The folder
is removed at the end, and one that a killed recorder left is removed when the next one begins.

A trace can do without: a workspace is rebuilt from changesets (`traceproof.recorder.workspace.
changes`), and where no diff can be made, that is said.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import zlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from traceproof.recorder.git import Git, GitError
from traceproof.recorder.store import make_private
from traceproof.recorder.workspace.changes import Change
from traceproof.recorder.workspace.tree import Leaf, Tree, blob_id, digest, header

MOST = 8 << 20
"""Bytes of the changed files of one diff, before and after."""

MOST_PATCH = 32 << 20
_SECONDS = 10.0
_PREFIX = "workspace-"
_LOCK = "lock"
_DIFF = (
    "diff-tree", "-p", "--binary", "--full-index", "--no-color", "--no-ext-diff", "--no-textconv",
    "--no-renames", "--src-prefix=a/", "--dst-prefix=b/", "--submodule=short",
)  # fmt: skip
_ALONE = {
    "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_ATTR_NOSYSTEM": "1",
}  # fmt: skip


class NoPatchError(Exception):
    """A diff cannot be made; the message says why."""


class Patches:
    """A private folder of git's objects; `problem` says why it is of no more use."""

    def __init__(
        self, store: Path, environment: Mapping[str, str], algorithm: str, objects: str
    ) -> None:
        """Make the folder in `store`; `objects` is the folder of the user's own, or empty.

        Raises:
            OSError: that is not possible.
        """
        make_private(store)
        self.folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=store))
        self._lock = os.open(self.folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self._environment = {**environment, "HOME": str(self.folder)}
        self._algorithm = algorithm
        self._there: set[str] = set()
        self._lay_out(objects)

    def put(self, data: bytes) -> None:
        """Keep the content of a file, as it is in the trace.

        Raises:
            OSError: the disk is full.
        """
        self._write(b"blob", data, blob_id(self._algorithm, data))

    def diff(self, changes: Iterable[Change], most: int = MOST) -> bytes:
        """Return the diff.

        Raises:
            NoPatchError: a content is not to be had, too much changed, or git failed.
            OSError: the disk is full.
        """
        changes = [change for change in changes if change.counts]
        size = sum(leaf.size for c in changes for leaf in (c.old, c.new) if leaf is not None)
        if size > most:
            raise NoPatchError(f"{size} bytes changed, over {most}")
        before = self._tree((change.path, change.old) for change in changes)
        after = self._tree((change.path, change.new) for change in changes)
        git = Git(self.folder, self._environment, _SECONDS)
        git = git.within(self.folder, GIT_DIR=str(self.folder), **_ALONE)
        try:
            return git.run(*_DIFF, before, after, most=MOST_PATCH)
        except GitError as error:
            raise NoPatchError(str(error)) from None

    def close(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)
        os.close(self._lock)
        with suppress(OSError):  # other recordings have theirs in there
            self.folder.parent.rmdir()

    def _lay_out(self, objects: str) -> None:
        extended = "[extensions]\n\tobjectFormat = sha256\n" if self._algorithm == "sha256" else ""
        version = int(bool(extended))
        core = f"[core]\n\trepositoryformatversion = {version}\n\tbare = true\n"
        (self.folder / "objects" / "info").mkdir(parents=True)
        (self.folder / "refs").mkdir()
        (self.folder / "config").write_text(core + extended)
        (self.folder / "HEAD").write_text("ref: refs/heads/none\n")
        if objects and "\n" not in objects:
            alternates = self.folder / "objects" / "info" / "alternates"
            alternates.write_bytes(os.fsencode(objects) + b"\n")

    def _tree(self, leaves: Iterable[tuple[bytes, Leaf | None]]) -> str:
        """Write the tree that holds just these."""
        tree = Tree(self._algorithm)
        for path, leaf in leaves:
            if leaf is not None:
                tree.put(path, leaf)
        for body in tree.objects():
            self._write(b"tree", body, digest(self._algorithm, b"tree", body).hex())
        return tree.hash()

    def _write(self, kind: bytes, body: bytes, oid: str) -> None:
        if oid in self._there:
            return
        folder = self.folder / "objects" / oid[:2]
        folder.mkdir(exist_ok=True)
        (folder / oid[2:]).write_bytes(zlib.compress(header(kind, len(body)) + body, 1))
        self._there.add(oid)


def sweep(store: Path) -> None:
    """Remove the folders of recorders that are no more."""
    for folder in store.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            lock = os.open(folder / _LOCK, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)
