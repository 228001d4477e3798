"""Finding out what changed on the disk since the last look, by the marks that files carry.

A scan asks the system about every file (`lstat`) and reads none, but for `.gitignore`s. It never
follows a link and never leaves the file system that the root is on. Reading and storing what
changed is the caller's business, who says which marks he has seen to (`took`).
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from traceproof.recorder.workspace.folders import Folder, Found, Parts, Seen
from traceproof.recorder.workspace.ignore import MOST_BYTES, Rules
from traceproof.recorder.workspace.policy import Policy
from traceproof.recorder.workspace.reading import (
    Deadline,
    LeftOutError,
    Signature,
    open_folder,
    open_root,
    opened,
    read,
    signature_of,
)
from traceproof.recorder.workspace.submodules import Submodule, look_at

MOST_FILES = 250_000
MOST_DEPTH = 200
_SLACK = 60_000_000

_KINDS = {
    stat.S_IFIFO: "a named pipe", stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device", stat.S_IFBLK: "a device",
}  # fmt: skip


class TooManyError(Exception):
    """The workspace holds more than a snapshot is made for."""


@dataclass(frozen=True, slots=True)
class _At:
    """A folder that is being looked at: open as `handle`, from the root at `path` (`a/b/`).

    `stack` are the rules that hold in it, `floor` since when what is new in it can be there at the
    earliest (Unix ns): files that came with their folder have older marks.
    """

    handle: int
    path: str
    folder: Folder
    stack: tuple[Rules, ...] = ()
    floor: int = 0
    deep: bool = True
    """Whether folders that are known are looked into."""


class Scan:
    """Knows a folder as it was when last looked at."""

    def __init__(self, root: str, policy: Policy, store: str = "") -> None:
        """Begin without having looked; what is in the folder `store` is not looked at."""
        self._path = root
        self._policy = policy
        self._store_path = store
        self._store = (0, 0)
        self._tree = Folder()
        self._device = self._judged = 0
        self._before = self._began = 0
        self._found = Found([], [], [])
        self._deadline = Deadline(0)
        self.count = 0
        """How many files are known."""

    def look(self, deadline: Deadline) -> Found:
        """Look at everything.

        Raises:
            OSError: the root itself is not there, or not to be read.
            TooManyError: there are too many files.
            TooSlowError: it took too long.
        """
        root = self._begin(deadline)
        try:
            self._device = os.fstat(root).st_dev
            self._visit(_At(root, "", self._tree, floor=self._judged))
        finally:
            os.close(root)
        return self._found

    def look_at(self, folders: Iterable[str], files: Iterable[str], deadline: Deadline) -> Found:
        """Look at some folders (`a/b/`) and files, which something else found changed.

        Raises:
            as `look`.
        """
        root = self._begin(deadline)
        try:
            listed = sorted({path for path in folders if self._tree.find(path) is not None})
            for path in listed:
                self._visit_again(root, path)
            for path in sorted(set(files)):
                self._look_at_file(root, path, listed)
        finally:
            os.close(root)
        return self._found

    def took(self, path: str, marks: Signature | Submodule | None) -> None:
        """Take note that a file was read, having these marks; None if it is to be read again."""
        above, slash, name = path.rpartition("/")
        folder = self._tree.find(above + slash)
        if folder is not None and name in folder.files:
            folder.files[name] = marks

    def judge_anew(self, when: int) -> None:
        """Forget what the rules left out: they changed at a moment (Unix ns)."""
        self._tree.judge_anew()
        self._judged = when

    def parts(self, most: int) -> Parts:
        """Divide the workspace into parts of about the same size."""
        return self._tree.parts(most)

    def hidden_folders(self, most: int) -> list[str]:
        """Return folders that are left out, those near the root first."""
        return self._tree.hidden_folders(most)

    def _begin(self, deadline: Deadline) -> int:
        self._found, self._deadline = Found([], [], []), deadline
        self._store = _identity(self._store_path)
        self._before, self._began = self._began - _SLACK, time.time_ns()
        return open_root(self._path)

    # --- folders ----------------------------------------------------------------------------------

    def _visit_again(self, root: int, path: str) -> None:
        """Look at one folder and at the new ones in it."""
        folder = self._tree.find(path)
        if folder is None:
            return  # it went, as a folder above it has told
        try:
            with opened(root, path) as handle:
                self._visit(_At(handle, path, folder, self._tree.stack(path), deep=False))
        except (FileNotFoundError, NotADirectoryError):
            return  # likewise: that folder changed, and is or was looked at

    def _visit(self, at: _At) -> None:
        self._deadline.check()
        status = os.fstat(at.handle)
        with os.scandir(at.handle) as listing:
            entries = list(listing)
        names = {entry.name for entry in entries}
        self._note_gone(at, names, max(status.st_ctime_ns, status.st_mtime_ns, at.floor))
        at = self._with_rules(at, known=".gitignore" in names)
        files = at.folder.files
        for entry in entries:
            known = files.get(entry.name)
            if type(known) is tuple:  # nearly all: nothing is called, nothing is made
                try:
                    now = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue  # the next look sees that it went
                if known == (
                    now.st_ctime_ns, now.st_mtime_ns, now.st_size, now.st_ino, now.st_mode
                ):  # fmt: skip
                    continue
            self._enter(at, entry)

    def _enter(self, at: _At, entry: os.DirEntry[str]) -> None:
        """Look at what is new, or not as it was."""
        name, folder = entry.name, at.folder
        try:
            status = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            return
        kind = stat.S_IFMT(status.st_mode)
        if kind == stat.S_IFDIR:
            if name in folder.files and not isinstance(folder.files[name], Submodule):
                self._forget(at, name, status.st_ctime_ns)
            self._descend(at, name, status)
            return
        if name in folder.folders:
            self._drop(at, name, status.st_ctime_ns)
        if name in folder.hidden or name == ".git":
            return
        if name not in folder.files and self._hides(at, name):
            folder.hidden.add(name)
        elif kind in _KINDS or name.casefold() == ".git":
            self._leave_out(at, name, _KINDS.get(kind, "a name of git's"), status)
        else:
            self._see(at, name, status)

    def _see(self, at: _At, name: str, status: os.stat_result) -> None:
        when = status.st_ctime_ns
        if when < self._before:  # not by this: it came with its folder, or the rules let it in
            when = max(when, at.floor)
        if name not in at.folder.files:
            self.count += 1
            if self.count > MOST_FILES:
                raise TooManyError(f"over {MOST_FILES} files")
            at.folder.files[name] = None
        self._found.seen.append(Seen(at.path + name, signature_of(status), when))

    def _descend(self, at: _At, name: str, status: os.stat_result) -> None:
        known = at.folder.folders.get(name)
        if name in at.folder.files:
            known = None
        elif known is None:
            why = self._unwanted(at, name, status)
            if why:
                self._leave_out(at, name, why, status)
            if why is not None:
                return
        elif not at.deep and known.inode == status.st_ino:
            return
        try:
            handle = open_folder(name, at.handle)
        except FileNotFoundError:
            return
        except OSError as error:
            self._leave_out(at, name, f"cannot be read: {error.strerror}", status)
            return
        try:
            self._go_in(at, name, replace(at, handle=handle, path=f"{at.path}{name}/"))
        finally:
            os.close(handle)

    def _go_in(self, at: _At, name: str, inner: _At) -> None:
        status = os.fstat(inner.handle)
        if inner.path[:-1] in self._policy.submodules:
            self._submodule(at, name, inner)
            return
        known = at.folder.folders.get(name)
        if known is None:
            if name in at.folder.files:  # a submodule that is none any more
                self._forget(at, name, status.st_ctime_ns)
            known = at.folder.folders[name] = Folder()
        if known.inode != status.st_ino:  # new, or another in the place of the one that was known
            known.inode = status.st_ino
            inner = replace(inner, floor=max(at.floor, status.st_ctime_ns), deep=True)
        if known.sparse is None:
            ignored = self._policy.hides(inner.path, at.stack)
            known.sparse = bool(at.folder.sparse) or ignored
        self._visit(replace(inner, folder=known))

    def _submodule(self, at: _At, name: str, inner: _At) -> None:
        now = look_at(inner.handle, Path(self._path, inner.path), self._deadline)
        if name in at.folder.folders:
            self._drop(at, name, at.floor)
        known = at.folder.files.get(name)
        if not (isinstance(known, Submodule) and known.same(now)):
            at.folder.files.setdefault(name, None)
            when = max(at.floor, now.newest)
            self._found.seen.append(Seen(inner.path[:-1], (0, 0, 0, 0, 0), when, now))

    def _unwanted(self, at: _At, name: str, status: os.stat_result) -> str | None:
        """Tell why a new folder is not looked into: "" where that need not be said; else None."""
        if name == ".git" or f"{name}/" in at.folder.hidden:
            return ""
        if (status.st_dev, status.st_ino) == self._store or self._hides(at, f"{name}/"):
            at.folder.hidden.add(f"{name}/")
            return ""
        if name.casefold() == ".git":
            return "a name of git's"
        if status.st_dev != self._device:
            return "another file system"
        if at.path.count("/") >= MOST_DEPTH:
            return f"more than {MOST_DEPTH} folders deep"
        return None

    def _hides(self, at: _At, name: str) -> bool:
        self._deadline.check()
        path = at.path + name
        hidden = at.folder.sparse or self._policy.hides(path, at.stack)
        return bool(hidden) and not self._policy.keeps(path)

    # --- what is in them --------------------------------------------------------------------------

    def _look_at_file(self, root: int, path: str, listed: Collection[str]) -> None:
        above, slash, name = path.rpartition("/")
        folder = self._tree.find(above + slash)
        if above + slash in listed or folder is None or name not in folder.files:
            return
        try:
            with opened(root, above + slash) as handle:
                status = os.stat(name, dir_fd=handle, follow_symlinks=False)
        except OSError:
            return  # gone, or something else by now: its folder tells
        if not stat.S_ISREG(status.st_mode):
            return  # likewise
        if folder.files[name] != signature_of(status):
            self._see(_At(root, above + slash, folder), name, status)

    def _with_rules(self, at: _At, *, known: bool) -> _At:
        """Read a folder's `.gitignore`, if it is another than before."""
        before = at.folder.rules
        if not (known or before) or not self._policy.obeys:
            return at
        rules = at.folder.rules = _read_rules(at, before) if known else None
        if rules is not before:
            at.folder.judge_anew()
            at = replace(at, deep=True, floor=max(at.floor, rules[0][0] if rules else 0))
        return replace(at, stack=(rules[1], *at.stack)) if rules else at

    def _note_gone(self, at: _At, names: set[str], when: int) -> None:
        for name in at.folder.files.keys() - names:
            self._forget(at, name, when)
        for name in at.folder.folders.keys() - names:
            self._drop(at, name, when)
        at.folder.told &= names

    def _forget(self, at: _At, name: str, when: int) -> None:
        if name in at.folder.files:
            del at.folder.files[name]
            self.count -= 1
            self._found.gone.append((at.path + name, when))

    def _drop(self, at: _At, name: str, when: int) -> None:
        for folder, inner in at.folder.folders.pop(name).below(f"{at.path}{name}/"):
            self._found.gone.extend((inner + file, when) for file in folder.files)
            self.count -= len(folder.files)

    def _leave_out(self, at: _At, name: str, why: str, status: os.stat_result) -> None:
        self._forget(at, name, status.st_ctime_ns)
        if name not in at.folder.told:
            at.folder.told.add(name)
            when = max(status.st_ctime_ns, at.floor)
            self._found.left_out.append((at.path + name, why, when))


def _read_rules(at: _At, before: tuple[Signature, Rules] | None) -> tuple[Signature, Rules] | None:
    try:
        status = os.stat(".gitignore", dir_fd=at.handle, follow_symlinks=False)
        if before and before[0] == signature_of(status):
            return before
        reading = read(at.handle, ".gitignore", MOST_BYTES)
    except (OSError, LeftOutError):
        return None  # a link, a folder, too long: no rules are read from it
    return reading.signature, Rules(reading.data, os.fsencode(at.path).split(b"/")[:-1])


def _identity(path: str) -> tuple[int, int]:
    try:
        status = Path(path).stat() if path else None
    except OSError:
        status = None
    return (status.st_dev, status.st_ino) if status else (0, 0)
