"""The snapshots of one workspace: looking for what changed, and taking changes into the tree.

`start` and `look` read the disk and store contents; nothing counts before it is taken, and what is
not taken waits in `pending`. So a caller can take the changes of one look one after the other, as
several steps, each with a hash of its own, and leave some for later. Whose they are is not known
here.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from traceproof.recorder.git import GitError
from traceproof.recorder.workspace.base import Base
from traceproof.recorder.workspace.changes import Change
from traceproof.recorder.workspace.contents import Contents, Kept
from traceproof.recorder.workspace.folders import Found, Seen
from traceproof.recorder.workspace.reading import Deadline, Signature, open_root, opened
from traceproof.recorder.workspace.recent import (
    DIVIDED,
    MOST_PRUNED,
    WORTHWHILE,
    Changed,
    Recent,
)
from traceproof.recorder.workspace.scan import Scan
from traceproof.recorder.workspace.submodules import Submodule
from traceproof.recorder.workspace.tree import SUBMODULE, Leaf, Tree

MOST_START = 256 << 20
"""Bytes kept of what is there at the start and in no commit, small files first."""

RESTED = 30_000_000
"""Nanoseconds after which another change leaves marks of its own: time on a disk has steps."""

RESTED_COARSE = 2_100_000_000
"""The same on a disk that keeps whole seconds."""

_SUBMODULE = "a submodule: its content is not recorded"
_CONTENT = "a submodule: its content changed, which is not recorded"


class Hashes(NamedTuple):
    """The trees before and after something."""

    before: str
    after: str


class Snapshots:
    """A workspace as it was recorded last, and at the start."""

    def __init__(self, base: Base, contents: Contents, tree: Tree, *, store: str = "") -> None:
        """`tree` holds what the commit does; what is in the folder `store` is not looked at."""
        self._base = base
        self._contents = contents
        self._tree = tree
        self._scan = Scan(base.root, base.policy, store)
        self._recent = Recent(base.root)
        self._all = True
        """The next look is at everything."""
        self._first: dict[bytes, Leaf | None] = {}
        self._told: dict[bytes, tuple[Signature, str]] = {}
        self.pending: dict[bytes, Change] = {}
        """Changes that were found and not taken."""
        self._started = False
        self.on_kept: Callable[[bytes], None] = _nothing
        """Called with each content that is kept, masked."""

    def start(self, deadline: Deadline) -> None:
        """Look for the first time: how does the workspace differ from the commit?

        Raises:
            OSError: the workspace is not there, or not to be read.
            TooManyError, TooSlowError: it is too large.
        """
        self._follow_index()
        self._recent.began()
        found = self._scan.look(deadline)
        here = {os.fsencode(seen.path) for seen in found.seen}
        missing = [path for path, _ in self._tree.leaves() if path not in here]
        gone = [(os.fsdecode(path), 0) for path in missing]
        left_out = {seen.path for seen in _beyond(found.seen, self._tree)}
        why = f"over the {MOST_START} bytes kept of a start"
        skipped = [(path, why, 0) for path in left_out]
        for seen in found.seen:
            if seen.path in left_out:
                self._scan.took(seen.path, seen.signature)
        kept = [seen for seen in found.seen if seen.path not in left_out]
        self._merge(Found(kept, gone, [*found.left_out, *skipped]), deadline)
        self._all, self._started = False, True

    def look(self, deadline: Deadline) -> None:
        """Find out what changed on the disk since the last look.

        Raises:
            as `start`; the next look makes up for it.
        """
        everything, self._all = self._all or self._follow_index(), True
        changed = None
        if not everything and self._scan.count >= WORTHWHILE:
            pruned = self._scan.hidden_folders(MOST_PRUNED)
            many = min(os.cpu_count() or 1, 4) if self._scan.count >= DIVIDED else 1
            changed = self._recent.changed(self._scan.parts(many), pruned, deadline)
        self._recent.began()
        found = self._scan.look(deadline) if changed is None else self._look_at(changed, deadline)
        self._merge(found, deadline)
        self._all = False

    def take(self, changes: Iterable[Change]) -> Hashes:
        """Take changes into the tree."""
        before = self._tree.hash()
        for change in sorted(changes, key=lambda change: change.new is not None):
            self.pending.pop(change.path, None)
            if change.counts:
                self._first.setdefault(change.path, change.old)
                self._tree.put(change.path, change.new)
        return Hashes(before, self._tree.hash())

    def begin(self) -> None:
        """Let what was taken up to now be the start."""
        self._first = {}

    def since_start(self) -> list[Change]:
        """Return what is other than at the start."""
        changes = (
            Change(path, old, self._tree.get(path)) for path, old in sorted(self._first.items())
        )
        return [change for change in changes if change.counts]

    # --- what was found ---------------------------------------------------------------------------

    def _follow_index(self) -> bool:
        """Find out what git keeps though it would ignore it; returns whether that is new."""
        if self._base.index is None:
            return False
        try:
            new = self._base.policy.keep(self._base.index.kept())
        except (GitError, OSError):
            return False  # the rules alone decide
        if new:
            self._scan.judge_anew(self._base.index.changed)
        return new

    def _look_at(self, changed: Changed, deadline: Deadline) -> Found:
        folders = set(changed.folders)
        for path in (*changed.files, *self._base.policy.submodules):
            above, slash, name = path.rpartition("/")
            if name == ".gitignore" or path in self._base.policy.submodules:
                folders.add(above + slash)
        return self._scan.look_at(folders, changed.files, deadline)

    def _merge(self, found: Found, deadline: Deadline) -> None:
        """Add what was found to what is pending; of a path the last counts."""
        now = time.time_ns()
        changes: dict[bytes, Change] = {}
        for name, when in found.gone:
            path = os.fsencode(name)
            changes[path] = Change(path, self._tree.get(path), None, when)
        for name, why, when in found.left_out:
            path = os.fsencode(name)
            changes[path] = Change(path, self._tree.get(path), None, when, why)
        for change in self._read(found.seen, deadline):
            changes[change.path] = change
        for path, change in changes.items():
            self.pending.pop(path, None)
            if change.counts or change.why:
                self.pending[path] = change._replace(when=min(change.when, now))

    def _read(self, seen: list[Seen], deadline: Deadline) -> Iterator[Change]:
        """Read and store what was seen, folder by folder."""
        folders: defaultdict[str, list[Seen]] = defaultdict(list)
        for one in seen:
            above, slash, _ = one.path.rpartition("/")
            folders[above + slash].append(one)
        root = open_root(self._base.root)
        try:
            for path, inside in folders.items():
                deadline.check()
                yield from self._read_folder(root, path, inside, deadline)
        finally:
            os.close(root)

    def _read_folder(
        self, root: int, path: str, inside: list[Seen], deadline: Deadline
    ) -> Iterator[Change]:
        try:
            with opened(root, path) as folder:
                for seen in inside:
                    yield self._read_one(folder, seen, deadline)
        except (FileNotFoundError, NotADirectoryError):
            self._all = True  # the folder went: the next look finds out

    def _read_one(self, folder: int, seen: Seen, deadline: Deadline) -> Change:
        path = os.fsencode(seen.path)
        old = self._tree.get(path)
        if seen.submodule is not None:
            return self._submodule(path, seen, seen.submodule, old)
        try:
            kept = self._contents.keep(folder, seen, deadline)
        except FileNotFoundError:
            return Change(path, old, None, seen.when)
        except OSError as error:
            why = f"cannot be read: {error.strerror}"
            kept = Kept(old, seen.signature, why)
        why = self._why(path, seen, kept)
        self._scan.took(seen.path, _rested(kept.marks))
        if kept.data is not None:
            self.on_kept(kept.data)
        return Change(path, old, kept.leaf, seen.when, why, kept.masked)

    def _why(self, path: bytes, seen: Seen, kept: Kept) -> str:
        """Say why a file is not in the snapshot, unless that was said of it just so."""
        told = self._told.pop(path, None)
        if kept.why:
            self._told[path] = seen.signature, kept.why
        return "" if told == (seen.signature, kept.why) else kept.why

    def _submodule(self, path: bytes, seen: Seen, now: Submodule, old: Leaf | None) -> Change:
        self._scan.took(seen.path, now)
        was = old if old is not None and old.mode == SUBMODULE else self._base.leaves.get(path)
        oid = now.commit or (was.oid if was is not None else "")
        new = Leaf(SUBMODULE, oid) if oid else None
        return Change(path, old, new, seen.when, _CONTENT if self._started else _SUBMODULE)


def _nothing(_data: bytes) -> None:
    """Do nothing."""


def _rested(marks: Signature | None) -> Signature | None:
    """Return marks that tell the next change; None where that could leave the same ones."""
    if marks is None:
        return None
    changed = marks[0]
    step = RESTED_COARSE if changed % 10**9 == 0 else RESTED
    return marks if changed + step < time.time_ns() else None


def _beyond(found: list[Seen], tree: Tree) -> Iterator[Seen]:
    """Yield the files that are too much for a start, the commit's own not counted."""
    size = 0
    for seen in sorted(found, key=lambda seen: seen.signature[2]):
        if tree.get(os.fsencode(seen.path)) is None:
            size += seen.signature[2]
            if size > MOST_START:
                yield seen
