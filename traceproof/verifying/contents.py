"""Where the contents of a tree's files come from: folders, git, a trace, memory.

Each source is asked for a leaf and yields its bytes. Which leaf is at which path is the tree's
business (`traceproof.recorder.workspace.tree`).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from traceproof.checkout import leaf_at
from traceproof.recorder.workspace.objects import Objects
from traceproof.recorder.workspace.reading import (
    Deadline,
    open_folder,
    open_root,
    opened,
    pieces_of,
)
from traceproof.recorder.workspace.tree import LINK, SUBMODULE, Leaf, Tree

_LONG = 3600.0
_LEFT_OUT = frozenset(
    (
        ".git", ".hg", ".svn", ".traceproof", "__pycache__", ".venv", "venv", ".tox", ".nox",
        "node_modules", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".DS_Store",
    )
)  # fmt: skip
"""What version control and tools put into a folder."""


class Contents(Protocol):
    """A place that has contents."""

    def read(self, leaf: Leaf) -> Iterator[bytes]:
        """Yield a content piece by piece.

        Raises:
            LookupError: it is not here.
        """


class FromGit:
    """Contents that a repository has."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def read(self, leaf: Leaf) -> Iterator[bytes]:
        """Yield a content; of a submodule there is none."""
        if leaf.mode != SUBMODULE:
            yield self._objects.read(leaf.oid)


class FromMemory:
    """Contents at hand, by their hash."""

    def __init__(self, contents: dict[str, bytes]) -> None:
        self._contents = contents

    def read(self, leaf: Leaf) -> Iterator[bytes]:
        """Yield a content."""
        yield self._contents[leaf.oid]


class FromFolder:
    """A folder, and the tree that it holds; what is no file or link is left out."""

    def __init__(self, folder: Path, algorithm: str = "sha1", *, whole: bool = False) -> None:
        """Read it all once, for the hashes.

        Args:
            folder: the folder.
            algorithm: of the hashes.
            whole: do not leave out what version control and tools put there.

        Raises:
            OSError: it cannot be read.
        """
        self._folder = folder
        self._whole = whole
        self._paths: dict[tuple[bool, str], str] = {}
        self.tree = Tree(algorithm)
        self.newest = 0.0
        """When the file that changed last did, in Unix seconds."""
        root = open_root(str(folder))
        try:
            self._scan(root, "")
        finally:
            os.close(root)

    def read(self, leaf: Leaf) -> Iterator[bytes]:
        """Yield a content."""
        above, slash, name = self._paths[leaf.mode == LINK, leaf.oid].rpartition("/")
        root = open_root(str(self._folder))
        try:
            with opened(root, above + slash) as folder:
                if leaf.mode == LINK:
                    yield os.fsencode(os.readlink(name, dir_fd=folder))
                else:
                    yield from pieces_of(folder, name, Deadline(_LONG))
        finally:
            os.close(root)

    def _scan(self, folder: int, above: str) -> None:
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
        for entry in entries:
            if entry.name == ".git" or (not self._whole and entry.name in _LEFT_OUT):
                continue
            status = entry.stat(follow_symlinks=False)
            if stat.S_ISDIR(status.st_mode):
                inner = open_folder(entry.name, folder)
                try:
                    self._scan(inner, f"{above}{entry.name}/")
                finally:
                    os.close(inner)
            elif stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode):
                self._take(folder, entry.name, above, status)

    def _take(self, folder: int, name: str, above: str, status: os.stat_result) -> None:
        leaf = leaf_at(folder, name, status, self.tree.algorithm)
        self._paths[leaf.mode == LINK, leaf.oid] = above + name
        self.tree.put(os.fsencode(above + name), leaf)
        self.newest = max(self.newest, status.st_mtime)


class First:
    """Several places; the first that has a content gives it."""

    def __init__(self, *places: Callable[[Leaf], Iterator[bytes]]) -> None:
        self._places = places

    def read(self, leaf: Leaf) -> Iterator[bytes]:
        """Yield a content.

        Raises:
            LookupError: none has it.
        """
        for place in self._places[:-1]:
            try:
                return iter(list(place(leaf)))
            except LookupError:
                continue
        return self._places[-1](leaf)
