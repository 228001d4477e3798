"""Stores request bodies so that a resent conversation costs only what is new in it.

It joins the splitter, which knows bytes, to the writer, which knows the file. Each element goes in
as a blob without its cache markers, each array as a list, and the body as a manifest over them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from traceproof.recorder.blobs import Ref
from traceproof.recorder.manifests import BodyPart, Joined, ListPart, Literal, Spliced
from traceproof.recorder.pieces import (
    Array,
    BodyPiece,
    Content,
    Element,
    Memo,
    SplitBody,
    Splitter,
    Value,
)
from traceproof.recorder.writer import MAX_BLOB, TraceWriter

_LITERAL = 4096
"""Bytes between elements up to which they stand in the manifest itself."""


class StoredBody(NamedTuple):
    """Where a body is, and its pieces, for whoever reads them too."""

    ref: str
    split: SplitBody


class _Stored(NamedTuple):
    """The name that an element's content has in the file, and whether a mask changed it."""

    name: str
    masked: bool


class BodyStore:
    """Stores the bodies of one session; used from one thread."""

    def __init__(self, writer: TraceWriter, keys: Sequence[str]) -> None:
        """Take `keys` of a body's object apart: messages, system, tools."""
        self._writer = writer
        self._splitter = Splitter(keys)
        self._stored: Memo[_Stored] = Memo()

    def split(self, body: bytes) -> SplitBody:
        """Take a body apart without storing it."""
        return self._splitter.split(body)

    def store(self, body: bytes) -> StoredBody:
        """Store a body."""
        split = self._splitter.split(body)
        if any(len(element.content.data) > MAX_BLOB for element in _all_elements(split)):
            return StoredBody(self._writer.blob(body), split)
        parts = [part for piece in split.pieces for part in self._parts(piece)]
        return StoredBody(self._writer.body(parts), split)

    def _parts(self, piece: BodyPiece) -> list[BodyPart]:
        match piece:
            case bytes():
                return self._between(piece)
            case Value(_, element):
                return [self._element(element)]
            case Array(key, elements, separator):
                parts = [self._element(element) for element in elements]
                ref = Ref.parse(self._writer.list_(parts, key))
                return [Joined(ref.sha256, separator)]

    def _between(self, data: bytes) -> list[BodyPart]:
        if len(data) <= _LITERAL:
            try:
                return [Literal(data.decode())]
            except UnicodeDecodeError:
                pass
        return self._writer.parts(data)

    def _element(self, element: Element) -> ListPart:
        """Store an element, spliced where markers were cut out of it."""
        stored = self._content(element.content)
        if not element.cuts:
            return stored.name
        if stored.masked or any(
            self._writer.masked(cut.text.encode()).masks for cut in element.cuts
        ):
            return self._writer.element(element.raw)
        return Spliced(stored.name, element.cuts)

    def _content(self, content: Content) -> _Stored:
        stored = self._stored.get(content)
        if stored is None or not self._writer.has(stored.name):
            blob = self._writer.masked(content.data)
            stored = _Stored(self._writer.store(blob), bool(blob.masks))
            self._stored[content] = stored
        return stored


def _all_elements(split: SplitBody) -> list[Element]:
    found: list[Element] = []
    for piece in split.pieces:
        if isinstance(piece, Array):
            found.extend(piece.elements)
        elif isinstance(piece, Value):
            found.append(piece.element)
    return found
