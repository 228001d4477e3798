"""Storing what files hold, masked: what is in the trace is what a snapshot's hash is of.

A file that holds a known secret is kept with the secret masked, and the hash in the tree is that of
the masked content: so a workspace can be rebuilt with the very hash that was recorded, and no
secret is stored. What is in the commit that the recording began with is not stored again: it is
named by its hash alone. Long contents are stored in pieces that later versions of them share.
"""

from __future__ import annotations

import os
import zlib
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol, TypeAlias

from traceproof.recorder.blobs import Ref
from traceproof.recorder.manifests import BodyPart
from traceproof.recorder.redaction import Mask, Masked
from traceproof.recorder.secret_files import is_private_key
from traceproof.recorder.workspace.folders import Seen
from traceproof.recorder.workspace.reading import (
    Deadline,
    LeftOutError,
    Reading,
    pieces_of,
    read,
    signature_of,
    too_long,
)
from traceproof.recorder.workspace.tree import (
    FILE,
    LINK,
    PROGRAM,
    Leaf,
    Tree,
    blob_id,
    hasher,
    header,
)

MOST_FILE = 32 << 20
"""Bytes of a file that is kept; a longer one is left out, unless the commit has it just so."""

MOST_ALL = 1 << 30
"""Bytes that one recording keeps of files in all."""

_WHOLE = 256 << 10
_LEAST = 32 << 10
_BLOCK = 64 << 10
_LONGEST = 1 << 20
_WINDOW = 48
_ONE_IN = 0x1FF


class Blobs(Protocol):
    """Where contents go: `traceproof.recorder.writer.TraceWriter`."""

    def masked(self, data: bytes, masks: Sequence[Mask] = ()) -> Masked:
        """Return bytes as they may be stored."""

    def store(self, blob: Masked) -> str:
        """Store what `masked` returned and return its name."""

    def body(self, parts: Sequence[BodyPart]) -> str:
        """Store a content that is made of pieces and return the reference to it."""

    def text(self, value: str) -> str:
        """Store a text and return the reference to it."""


Learn: TypeAlias = Callable[[str, bytes], None]


def _nothing(_path: str, _data: bytes) -> None:
    """Learn nothing."""


class Kept(NamedTuple):
    """What became of a file."""

    leaf: Leaf | None
    """None: it is not in the snapshot."""
    marks: tuple[int, int, int, int, int] | None
    """As it was read; None if it changed meanwhile."""
    why: str = ""
    """Why it is not in the snapshot."""
    masked: bool = False
    data: bytes | None = None
    """What was stored, where it was."""


class Contents:
    """Reads files and stores what they hold."""

    def __init__(
        self, blobs: Blobs, base: Tree, *, learn: Learn = _nothing, most: int = MOST_FILE
    ) -> None:
        """`base` has what the commit holds, which need not be stored.

        `learn` is shown what is about to be stored, by path: a file that is made to hold secrets
        makes them known.
        """
        self._blobs = blobs
        self._learn = learn
        self._base = base
        self._known = {leaf.oid for _, leaf in base.leaves()}
        self._refs: dict[str, str] = {}
        self._most = most
        self._room = MOST_ALL

    def keep(self, folder: int, seen: Seen, deadline: Deadline) -> Kept:
        """Keep a file or link that is in a folder.

        Raises:
            OSError: it is not there any more, or cannot be read.
            TooSlowError: it took too long.
        """
        name = seen.path.rpartition("/")[2]
        path = os.fsencode(seen.path)
        if self._blobs.masked(path).masks:
            return Kept(None, seen.signature, "its name holds a secret")
        if seen.is_link:
            target = os.fsencode(os.readlink(name, dir_fd=folder))
            return self._store(path, LINK, Reading(target, seen.signature, steady=True))
        mode = PROGRAM if seen.signature[4] & 0o100 else FILE
        try:
            if seen.signature[2] > self._most:
                return self._keep_long(folder, seen, mode, deadline)
            reading = read(folder, name, self._most)
        except LeftOutError as error:
            return Kept(None, seen.signature, str(error))
        return self._store(path, mode, reading)

    def _keep_long(self, folder: int, seen: Seen, mode: str, deadline: Deadline) -> Kept:
        """Keep the hash of a long file that is as in the commit."""
        size = seen.signature[2]
        was = self._base.get(os.fsencode(seen.path))
        if was is not None:
            hashed = hasher(self._base.algorithm)
            hashed.update(header(b"blob", size))
            name = seen.path.rpartition("/")[2]
            for piece in pieces_of(folder, name, deadline):
                hashed.update(piece)
            if hashed.hexdigest() == was.oid:
                now = signature_of(os.stat(name, dir_fd=folder, follow_symlinks=False))
                marks = now if now == seen.signature else None
                return Kept(Leaf(mode, was.oid, "", size), marks)
        return Kept(None, seen.signature, too_long(size, self._most))

    def _store(self, path: bytes, mode: str, reading: Reading) -> Kept:
        data, algorithm = reading.data, self._base.algorithm
        marks = reading.signature if reading.steady else None
        oid = blob_id(algorithm, data)
        if oid in self._known:
            return Kept(Leaf(mode, oid, "", len(data)), marks)
        if mode != LINK and is_private_key(os.fsdecode(path), data):
            return Kept(None, marks, "a private key")
        self._learn(os.fsdecode(path), data)
        kept = self._blobs.masked(data)
        oid = blob_id(algorithm, kept.data) if kept.masks else oid
        if oid not in self._refs:
            if len(kept.data) > self._room:
                return Kept(None, marks, f"over the {MOST_ALL} bytes kept of one recording")
            self._refs[oid] = self._put(kept)
            self._room -= len(kept.data)
        leaf = Leaf(mode, oid, self._refs[oid], len(kept.data))
        return Kept(leaf, marks, masked=bool(kept.masks), data=kept.data)

    def _put(self, kept: Masked) -> str:
        names: list[str] = []
        start = 0
        for piece in cut(kept.data):
            end = start + len(piece)
            first, last = (bisect_left(kept.masks, at, key=_offset) for at in (start, end))
            inside = [mask._replace(offset=mask.offset - start) for mask in kept.masks[first:last]]
            names.append(self._blobs.store(Masked(piece, inside)))
            start = end
        return str(Ref("bytes", names[0])) if len(names) == 1 else self._blobs.body(names)


def cut(data: bytes) -> Iterator[bytes]:
    """Cut a content into pieces such that a change of it leaves most of them as they were.

    A text is cut at line ends, at which ones the line itself decides; else all blocks are as long,
    since what grows or changes in place is most often a database or an image.
    """
    if len(data) <= _WHOLE:
        yield data
        return
    is_text = b"\0" not in data[:8192]
    start = 0
    while start < len(data):
        end = _line_cut(data, start) if is_text else start + _BLOCK
        yield data[start:end]
        start = end


def _line_cut(data: bytes, start: int) -> int:
    at = start + _LEAST
    while at < min(len(data), start + _LONGEST):
        at = data.find(b"\n", at) + 1
        if not at:
            break
        if zlib.crc32(data[max(0, at - _WINDOW) : at]) & _ONE_IN == 0:
            return at
    return min(len(data), start + _LONGEST)


def _offset(mask: Mask) -> int:
    return mask.offset
