"""What a scan knows of a workspace, folder by folder, and what it tells of a look.

Plain values and what they say of themselves; looking is `traceproof.recorder.workspace.scan`'s
business.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from typing import NamedTuple

from traceproof.recorder.workspace.ignore import Rules
from traceproof.recorder.workspace.reading import Signature
from traceproof.recorder.workspace.submodules import Submodule


class Seen(NamedTuple):
    """A file or link that is new or changed, or a submodule; `when` it changed, by the disk."""

    path: str
    signature: Signature
    when: int
    submodule: Submodule | None = None

    @property
    def is_link(self) -> bool:
        """Whether it is a symbolic link."""
        return stat.S_ISLNK(self.signature[4])


class Found(NamedTuple):
    """What a look found."""

    seen: list[Seen]
    gone: list[tuple[str, int]]
    """Paths that are no more, and when they went at the latest."""
    left_out: list[tuple[str, str, int]]
    """Paths that are not looked at, why, and since when; each is told once."""


MOST_SHALLOW = 8


class Parts(NamedTuple):
    """A workspace in parts, for several to look at: folders (`a/b/`; "" is the root)."""

    shallow: list[str]
    """Of these only what is right in them."""
    deep: list[list[str]]
    """Of these everything, group by group."""


class Folder:
    """What is known of one folder."""

    __slots__ = ("files", "folders", "hidden", "inode", "rules", "sparse", "told")

    def __init__(self, inode: int = 0) -> None:
        self.inode = inode
        self.files: dict[str, Signature | Submodule | None] = {}
        """None: to be looked at again, whatever its marks."""
        self.folders: dict[str, Folder] = {}
        self.hidden: set[str] = set()
        """What the rules leave out: `name`, or `name/` of a folder."""
        self.rules: tuple[Signature, Rules] | None = None
        self.sparse: bool | None = None
        """It is ignored, and looked at for what is kept all the same; None: not judged yet."""
        self.told: set[str] = set()

    def below(self, path: str) -> Iterator[tuple[Folder, str]]:
        """Yield this folder, which is at `path`, and all in it, each with where it is."""
        waiting = [(self, path)]
        while waiting:
            at, inner = waiting.pop()
            yield at, inner
            waiting += [(below, f"{inner}{name}/") for name, below in at.folders.items()]

    def find(self, path: str) -> Folder | None:
        """Return the folder at a path: `a/b/`, or nothing for this one."""
        folder: Folder | None = self
        for name in path.split("/")[:-1]:
            folder = folder.folders.get(name) if folder is not None else None
        return folder

    def stack(self, path: str) -> tuple[Rules, ...]:
        """Return the rules of the folders above the one at `path`, the nearest first."""
        stack: tuple[Rules, ...] = ()
        folder: Folder | None = self
        for name in path.split("/")[:-1]:
            if folder is not None:
                stack = (folder.rules[1], *stack) if folder.rules else stack
                folder = folder.folders.get(name)
        return stack

    def judge_anew(self) -> None:
        """Forget what the rules left out in here: they have changed."""
        for at, _ in self.below(""):
            at.hidden.clear()
            if at is not self:
                at.sparse = None

    def parts(self, most: int) -> Parts:
        """Divide what is in here into parts of about the same size."""
        shallow, units = [""], self._units("")
        total = sum(size for size, _ in units)
        while units and len(shallow) <= MOST_SHALLOW:
            size, path = max(units)
            folder = self.find(path)
            if size * most <= total or folder is None or not folder.folders:
                break
            units.remove((size, path))
            units += folder._units(path)  # noqa: SLF001 - it is one of us
            shallow.append(path)
        groups: list[tuple[int, list[str]]] = [(0, []) for _ in range(most)]
        for size, path in sorted(units, reverse=True):
            least = min(range(most), key=lambda number: groups[number][0])
            groups[least] = (groups[least][0] + size, [*groups[least][1], path])
        return Parts(shallow, [paths for _, paths in groups if paths])

    def _units(self, path: str) -> list[tuple[int, str]]:
        """Return the folders in here, at `path`, each with how many files are below it."""
        return [
            (sum(len(at.files) for at, _ in folder.below("")), f"{path}{name}/")
            for name, folder in self.folders.items()
        ]

    def hidden_folders(self, most: int) -> list[str]:
        """Return folders that are left out, those near the root first."""
        found: list[str] = []
        level = [("", self)]
        while level and len(found) < most:
            found += [above + name for above, at in level for name in at.hidden if name[-1] == "/"]
            level = [(f"{above}{n}/", at) for above, f in level for n, at in f.folders.items()]
        return found[:most]
