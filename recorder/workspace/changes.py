"""A changeset: what one step did to a workspace, exactly, as a trace holds it.

It names every path that changed with what is there now, and no more: applied to the tree before, it
gives the tree after. Contents are references to blobs of the trace; those of the commit that the
recording began with are named by their hash alone. How it is written is in docs/trace-format.md.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from traceproof.recorder.blobs import Ref
from traceproof.recorder.workspace.tree import MODES, SUBMODULE, Leaf, Tree, is_path

MOST_NAMES = 256
"""In one path: no recorder goes deeper."""

_OID = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")


class Change(NamedTuple):
    """What became of a path, and `when` at the latest (Unix ns).

    `old` and `new` are what the snapshots before and after hold; None for nothing. Where `why` says
    something, the file changed and is not in the snapshot.
    """

    path: bytes
    old: Leaf | None
    new: Leaf | None
    when: int = 0
    why: str = ""
    masked: bool = False

    @property
    def counts(self) -> bool:
        """Whether the snapshots differ in it."""
        if self.old is None or self.new is None:
            return self.old is not self.new
        return not self.old.same(self.new)

    @property
    def letter(self) -> str:
        """Say it as git does: A added, M changed, D deleted, T of another type; ! not kept."""
        if not self.counts:
            return "!"
        if self.old is None:
            return "A"
        if self.new is None:
            return "D"
        return "M" if self.old.mode[:2] == self.new.mode[:2] else "T"


class Row(msgspec.Struct, omit_defaults=True):
    """A path as a changeset writes it; without a mode it is gone."""

    path: str = ""
    path_base64: str = ""
    """Instead of `path`, where that is no UTF-8."""
    mode: str = ""
    oid: str = ""
    ref: str = ""
    size: int = 0


_decoder = msgspec.json.Decoder(list[Row])


def encode(changes: Iterable[Change]) -> str:
    """Write a changeset; what is not in the snapshots is not in it."""
    rows = [_row(change) for change in changes if change.counts]
    rows.sort(key=lambda row: (row.path, row.path_base64))
    return msgspec.json.encode(rows).decode()


def _row(change: Change) -> Row:
    row = Row()
    try:
        row.path = change.path.decode()
    except UnicodeDecodeError:
        row.path_base64 = base64.b64encode(change.path).decode()
    if change.new is not None:
        row.mode, row.oid, row.ref, row.size = change.new
    return row


def decode(text: str | bytes) -> Iterator[tuple[bytes, Leaf | None]]:
    """Read a changeset: paths, each with what is there now; what is gone comes first.

    Raises:
        ValueError: it is none, or names what no workspace can hold.
    """
    rows = [(_path(row), _leaf(row)) for row in _decoder.decode(text)]
    yield from sorted(rows, key=lambda row: row[1] is not None)


def apply(tree: Tree, rows: Iterable[tuple[bytes, Leaf | None]]) -> None:
    """Change a tree as a changeset says.

    Raises:
        ValueError: it does not fit.
    """
    for path, leaf in rows:
        tree.put(path, leaf)


def _path(row: Row) -> bytes:
    try:
        named = base64.b64decode(row.path_base64, validate=True)
    except binascii.Error:
        raise ValueError(f"not a path: {row.path_base64[:80]!r}") from None
    path = named or row.path.encode(errors="surrogatepass")
    count = path.count(b"/") + 1
    if count > MOST_NAMES:
        raise ValueError(f"a path of {count} names")
    if not is_path(path):
        raise ValueError(f"not a path in a workspace: {os.fsdecode(path)!r}")
    return path


def _leaf(row: Row) -> Leaf | None:
    if not row.mode:
        return None
    if row.mode not in MODES or not _OID.fullmatch(row.oid):
        raise ValueError(f"not an entry of a tree: {row.mode[:20]!r} {row.oid[:80]!r}")
    if row.ref:
        Ref.parse(row.ref)
        if row.mode == SUBMODULE:
            raise ValueError("a submodule has no content")
    return Leaf(row.mode, row.oid, row.ref, row.size)
