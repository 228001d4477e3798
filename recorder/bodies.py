"""Stores request bodies so that a resent conversation costs only what is new in it.

It joins the splitter, which knows bytes, to the writer, which knows the file. Each element goes in
as a blob without its cache markers, each array as a list, and the body as a manifest over them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from weakref import WeakKeyDictionary

from traceproof.recorder.blobs import Ref
from traceproof.recorder.manifests import BodyPart, Joined, ListPart, Literal, Spliced
from traceproof.recorder.pieces import (
    Array,
    BodyPiece,
    Content,
    Element,
    SplitBody,
    Splitter,
    Value,
)
from traceproof.recorder.redaction import Mask
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
        self._stored: WeakKeyDictionary[Content, _Stored] = WeakKeyDictionary()

    def split(self, body: bytes) -> SplitBody:
        """Take a body apart without storing it."""
        return self._splitter.split(body)

    def store(self, body: bytes, masks: Sequence[Mask] = ()) -> StoredBody:
        """Store a body; `masks` are those that it already holds."""
        split = self._splitter.split(body)
        if any(len(element.content.data) > MAX_BLOB for element in _all_elements(split)):
            return StoredBody(self._writer.blob(body, masks), split)
        parts: list[BodyPart] = []
        position = 0
        for piece in split.pieces:
            end = _end(piece, position)
            inside = [mask for mask in masks if position <= mask.offset < end]
            parts.extend(self._parts(piece, position, inside))
            position = end
        return StoredBody(self._writer.body(parts), split)

    def _parts(self, piece: BodyPiece, start: int, masks: Sequence[Mask]) -> list[BodyPart]:
        match piece:
            case bytes():
                return self._between(piece, [_moved(mask, -start) for mask in masks])
            case Value(_, element):
                return [self._element(element, masks)]
            case Array(key, elements, separator):
                parts = [self._element(element, masks) for element in elements]
                ref = Ref.parse(self._writer.list_(parts, key))
                return [Joined(ref.sha256, separator)]

    def _between(self, data: bytes, masks: Sequence[Mask]) -> list[BodyPart]:
        if len(data) <= _LITERAL and not masks:
            try:
                return [Literal(data.decode())]
            except UnicodeDecodeError:
                pass
        return self._writer.parts(data, masks)

    def _element(self, element: Element, masks: Sequence[Mask]) -> ListPart:
        """Store an element, spliced where markers were cut out of it."""
        if masks:
            inside = [mask for mask in masks if element.start <= mask.offset < element.end]
            if inside:
                return self._element_with(element, inside)
        stored = self._content(element.content)
        if not element.cuts:
            return stored.name
        if stored.masked or any(
            self._writer.masked(cut.text.encode()).masks for cut in element.cuts
        ):
            return self._writer.element(element.raw)
        return Spliced(stored.name, element.cuts)

    def _element_with(self, element: Element, masks: Sequence[Mask]) -> ListPart:
        """Store an element that holds masks: whole, so that their offsets stay true."""
        return self._writer.element(element.raw, [_moved(mask, -element.start) for mask in masks])

    def _content(self, content: Content) -> _Stored:
        stored = self._stored.get(content)
        if stored is None or not self._writer.has(stored.name):
            blob = self._writer.masked(content.data)
            stored = _Stored(self._writer.element(blob.data, blob.masks), bool(blob.masks))
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


def _end(piece: BodyPiece, start: int) -> int:
    match piece:
        case bytes():
            return start + len(piece)
        case Value(_, element):
            return element.end
        case Array(_, elements, _):
            return elements[-1].end


def _moved(mask: Mask, by: int) -> Mask:
    return mask._replace(offset=mask.offset + by)
