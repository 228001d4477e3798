"""What a snapshot holds, by path, and the hash that git would give it.

No files here: a tree is told what is in it. Its hash is that of a git tree object, so the tree of a
clean checkout is the one its commit names. Folders that hold nothing are not in it, as with git.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, NamedTuple

FILE = "100644"
PROGRAM = "100755"
LINK = "120000"
SUBMODULE = "160000"
MODES = frozenset({FILE, PROGRAM, LINK, SUBMODULE})
_FOLDER = b"40000"
_NOWHERE = frozenset((b"", b".", b".."))


class Leaf(NamedTuple):
    """A file, link or submodule: git's mode for it, and git's hash of what is kept of it.

    `ref` names the content in the trace, `bytes:…` or `concat:…`; it is empty where the content is
    in the commit that the recording began with, and for a submodule, whose hash is its commit.
    """

    mode: str
    oid: str
    ref: str = ""
    size: int = 0

    def same(self, other: Leaf | None) -> bool:
        """Tell whether both are the same in a workspace, wherever their content is kept."""
        return other is not None and (self.mode, self.oid) == (other.mode, other.oid)


class _Folder:
    """The entries of one folder, and its hash while that is known."""

    __slots__ = ("entries", "oid")

    def __init__(self) -> None:
        self.entries: dict[bytes, Leaf | _Folder] = {}
        self.oid: bytes | None = None


class Tree:
    """A tree that changes; asking for its hash costs what changed since it was asked last."""

    def __init__(self, algorithm: str = "sha1") -> None:
        """Begin with nothing; `algorithm` is `sha1` or `sha256`, the repository's."""
        self.algorithm = algorithm
        self._root = _Folder()

    def get(self, path: bytes) -> Leaf | None:
        """Return what is at a path."""
        found: Leaf | _Folder | None = self._root
        for name in path.split(b"/"):
            if not isinstance(found, _Folder):
                return None
            found = found.entries.get(name)
        return found if isinstance(found, Leaf) else None

    def put(self, path: bytes, leaf: Leaf | None) -> None:
        """Put something at a path, in place of all that stands there or in its way.

        None takes out what is a leaf there, and nothing else.

        Raises:
            ValueError: a part of the path is empty, or leads nowhere in a tree.
        """
        *above, name = path.split(b"/")
        if name in _NOWHERE or not _NOWHERE.isdisjoint(above):
            raise ValueError(f"not a path: {path!r}")
        trail = [self._root]
        for part in above:
            found = trail[-1].entries.get(part)
            if not isinstance(found, _Folder):
                if leaf is None:
                    return
                found = trail[-1].entries[part] = _Folder()
            trail.append(found)
        if leaf is not None:
            trail[-1].entries[name] = leaf
        elif isinstance(trail[-1].entries.get(name), Leaf):
            del trail[-1].entries[name]
        _touch(trail, above)

    def leaves(self) -> Iterator[tuple[bytes, Leaf]]:
        """Yield every path with what is at it, folder by folder."""
        waiting: list[tuple[bytes, _Folder]] = [(b"", self._root)]
        while waiting:
            above, folder = waiting.pop()
            for name, found in folder.entries.items():
                if isinstance(found, Leaf):
                    yield above + name, found
                else:
                    waiting.append((above + name + b"/", found))

    def hash(self) -> str:
        """Return the hash of it all, in hex."""
        return self._hash(self._root).hex()

    def objects(self) -> Iterator[bytes]:
        """Yield the body of each folder's tree object; the last is that of the whole."""
        self._hash(self._root)
        yield from self._bodies(self._root)

    def _bodies(self, folder: _Folder) -> Iterator[bytes]:
        for found in folder.entries.values():
            if isinstance(found, _Folder):
                yield from self._bodies(found)
        yield self._body(folder)

    def _hash(self, folder: _Folder) -> bytes:
        if folder.oid is None:
            folder.oid = digest(self.algorithm, b"tree", self._body(folder))
        return folder.oid

    def _body(self, folder: _Folder) -> bytes:
        rows = []
        for name, found in folder.entries.items():
            if isinstance(found, Leaf):
                row = found.mode.encode() + b" " + name + b"\0" + bytes.fromhex(found.oid)
                rows.append((name, row))
            else:
                rows.append((name + b"/", _FOLDER + b" " + name + b"\0" + self._hash(found)))
        return b"".join(row for _, row in sorted(rows))


def _touch(trail: list[_Folder], names: list[bytes]) -> None:
    """Forget the hashes along a path, and take out the folders that are empty now."""
    for folder in trail:
        folder.oid = None
    for at in range(len(trail) - 1, 0, -1):
        if trail[at].entries:
            break
        del trail[at - 1].entries[names[at - 1]]


def is_path(path: bytes) -> bool:
    """Tell whether there can be such a path in a workspace: it leads neither out nor into git's."""
    names = path.split(b"/")
    return _NOWHERE.isdisjoint(names) and not any(
        b"\0" in name or name.lower() == b".git" for name in names
    )


def header(kind: bytes, size: int) -> bytes:
    """Return what git puts before an object's body."""
    return b"%s %d\0" % (kind, size)


def hasher(algorithm: str) -> Any:
    """Return a fresh hash of git's kind; it names content and guards nothing."""
    return hashlib.new(algorithm, usedforsecurity=False)


def digest(algorithm: str, kind: bytes, body: bytes) -> bytes:
    """Return the hash of a git object."""
    hashed = hasher(algorithm)
    hashed.update(header(kind, len(body)))
    hashed.update(body)
    return bytes(hashed.digest())


def blob_id(algorithm: str, data: bytes) -> str:
    """Return the hash that git gives a file's content, in hex."""
    return digest(algorithm, b"blob", data).hex()
