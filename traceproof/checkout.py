"""Writing a recorded workspace into a folder, and making sure that it is the one recorded.

Nothing is written outside the folder, whatever a trace says: each path is opened name by name, and
no link on the way is followed. What was written is read again from the disk for its hash.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple, Protocol

from traceproof.recorder.workspace.reading import Deadline, open_folder, open_root, pieces_of
from traceproof.recorder.workspace.tree import (
    FILE,
    LINK,
    PROGRAM,
    SUBMODULE,
    Leaf,
    Tree,
    blob_id,
    hasher,
    header,
)

_LONG = 3600.0
_LONGEST_LINK = 1 << 12


class Source(Protocol):
    """Where contents come from: `traceproof.workspaces.Source`, for one."""

    def read(self, leaf: Leaf) -> Iterator[bytes]:
        """Yield a content piece by piece."""


class Result(NamedTuple):
    """What came of it: the hash of what is on the disk now, and the paths that are not right."""

    tree: str
    files: int
    wrong: list[str]
    submodules: list[str]


def write(tree: Tree, folder: Path, source: Source, *, force: bool) -> None:
    """Write what a tree holds.

    Args:
        tree: what to write.
        folder: where to; it is made, with what is above it.
        source: where contents come from.
        force: write into a folder that is not empty; what is in the way is replaced, but for
            folders that hold something.

    Raises:
        OSError: something is in the way, or the disk is full.
        ValueError: a content is missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if not force and any(folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty: choose another folder, or give --force")
    root = open_root(str(folder))
    try:
        for path, leaf in sorted(tree.leaves()):
            *above, name = os.fsdecode(path).split("/")
            with _made(root, above) as inner:
                _put(inner, name, leaf, source)
    finally:
        os.close(root)


def check(tree: Tree, folder: Path) -> Result:
    """Read back what was written, and all else that is there."""
    found, submodules = Tree(tree.algorithm), []
    expected = dict(tree.leaves())
    root = open_root(str(folder))
    try:
        there = dict(_leaves(root, b"", tree))
    finally:
        os.close(root)
    for path, leaf in expected.items():
        if leaf.mode == SUBMODULE:
            submodules.append(os.fsdecode(path))
            there.setdefault(path, leaf)
    for path, leaf in there.items():
        found.put(path, leaf)
    wrong = [
        os.fsdecode(path)
        for path in sorted({*expected, *there})
        if not _same(expected.get(path), there.get(path))
    ]
    return Result(found.hash(), len(there), wrong, submodules)


def _same(left: Leaf | None, right: Leaf | None) -> bool:
    return left is not None and left.same(right)


@contextmanager
def _made(root: int, names: list[str]) -> Iterator[int]:
    """Open a folder beneath the root, making it and those above it."""
    at = os.dup(root)
    try:
        for name in names:
            _make(at, name)
            inner = open_folder(name, at)
            os.close(at)
            at = inner
        yield at
    finally:
        os.close(at)


def _make(folder: int, name: str) -> None:
    try:
        os.mkdir(name, dir_fd=folder)
    except FileExistsError:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if not stat.S_ISDIR(status.st_mode):
            os.unlink(name, dir_fd=folder)
            os.mkdir(name, dir_fd=folder)


def _put(folder: int, name: str, leaf: Leaf, source: Source) -> None:
    if leaf.mode == SUBMODULE:
        _make(folder, name)
        return
    _clear(folder, name)
    if leaf.mode == LINK:
        os.symlink(b"".join(source.read(leaf)), os.fsencode(name), dir_fd=folder)
        return
    mode = 0o777 if leaf.mode == PROGRAM else 0o666
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with open(os.open(name, flags, mode, dir_fd=folder), "wb") as file:  # noqa: PTH123 - opened so
        file.writelines(source.read(leaf))


def _clear(folder: int, name: str) -> None:
    with suppress(FileNotFoundError):
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if stat.S_ISDIR(status.st_mode):
            os.rmdir(name, dir_fd=folder)
        else:
            os.unlink(name, dir_fd=folder)


def _leaves(folder: int, above: bytes, tree: Tree) -> Iterator[tuple[bytes, Leaf]]:
    """Yield what is on the disk, but for what is in submodules and in a `.git`."""
    with os.scandir(folder) as listing:
        entries = list(listing)
    for entry in entries:
        path = above + os.fsencode(entry.name)
        status = entry.stat(follow_symlinks=False)
        if stat.S_ISDIR(status.st_mode):
            known = tree.get(path)
            if entry.name == ".git" or (known is not None and known.mode == SUBMODULE):
                continue
            inner = open_folder(entry.name, folder)
            try:
                yield from _leaves(inner, path + b"/", tree)
            finally:
                os.close(inner)
        else:
            yield path, leaf_at(folder, entry.name, status, tree.algorithm)


def leaf_at(folder: int, name: str, status: os.stat_result, algorithm: str) -> Leaf:
    """Return a file or link as a tree has it; `folder` is an open one."""
    if stat.S_ISLNK(status.st_mode):
        target = os.fsencode(os.readlink(name, dir_fd=folder))
        return Leaf(LINK, blob_id(algorithm, target))
    hashed = hasher(algorithm)
    hashed.update(header(b"blob", status.st_size))
    for piece in pieces_of(folder, name, Deadline(_LONG)):
        hashed.update(piece)
    return Leaf(PROGRAM if status.st_mode & stat.S_IXUSR else FILE, hashed.hexdigest())
