"""Splits a request body into pieces that recur: the elements of its arrays, without cache markers.

An agent resends its conversation with every call, and moves a `cache_control` marker along it. So
each element of the arrays that matter is taken with the marker cut out, and what was cut is kept
beside it. A memo makes a call cost what is new in it, apart from one pass over the bytes.

Whatever the bytes are, the pieces put together are the body again: they are slices of it. What is
not the JSON that was hoped for merely gives larger pieces. Storing is not done here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count, pairwise
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

import msgspec

MEMO = 64 << 20
"""Bytes of elements remembered at most; a session's unlike elements are a few MiB."""

# Unrolled loops, not possessive groups: those match wrongly before Python 3.11.5 (gh-106052).
_STRING = rb'"[^"\\]*(?:\\.[^"\\]*)*"'
_FIELDS = rb'[^{}"]*(?:' + _STRING + rb'[^{}"]*)*'
_MARKER = rb'(?<!\\)"cache_control"\s*+:\s*+(?:null|\{' + _FIELDS + rb"\})"
_MARKERS = re.compile(rb",\s*+" + _MARKER + rb"|" + _MARKER + rb"(?:\s*+,)?", re.DOTALL)
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
_KEY = re.compile(rb"[\s{,]*+" + _STRING + rb"\s*+:\s*+", re.DOTALL)
_GAP = re.compile(rb"[\s,]*+")
_T = TypeVar("_T")
_numbers = count()
_object_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
_array_decoder = msgspec.json.Decoder(list[msgspec.Raw])


class Cut(NamedTuple):
    """Text that was cut out, and the offset in what is left at which it stood."""

    offset: int
    text: str


@dataclass(slots=True, eq=False, weakref_slot=True)
class Content:
    """An element's bytes without markers; the same bytes are the same object while remembered.

    So what is worked out from an element need be worked out only once: see `Memo`.
    """

    data: bytes
    worked_out: dict[int, Any] = field(default_factory=dict, repr=False)


class Memo(Generic[_T]):
    """What was worked out from contents: it goes when they do, and must not hold on to them.

    A weak dictionary would do the same. But a conversation has hundreds of elements, each looked up
    several times a call, and this takes a fifth of the time.
    """

    def __init__(self) -> None:
        self._number = next(_numbers)

    def get(self, content: Content) -> _T | None:
        """Return what was worked out from a content."""
        return content.worked_out.get(self._number)

    def __setitem__(self, content: Content, value: _T) -> None:
        """Note what was worked out from a content."""
        content.worked_out[self._number] = value


class Element(NamedTuple):
    """One element of an array in a body, or a value that is no array (then `number` is 0).

    `start` and `end` are offsets in the body. `new` tells that this content was not met before.
    """

    number: int
    content: Content
    cuts: tuple[Cut, ...]
    new: bool
    start: int
    end: int

    @property
    def raw(self) -> bytes:
        """Return the element as it stood in the body."""
        return put_back(self.content.data, self.cuts)


class Array(NamedTuple):
    """The elements of an array, with the same separator between them all.

    Where separators differ, each element is a `Value` and each gap a piece of its own.
    """

    key: str
    elements: list[Element]
    separator: str


class Value(NamedTuple):
    """A value that stands alone: `"system": "…"`, or an element between uneven separators."""

    key: str
    element: Element


BodyPiece: TypeAlias = bytes | Array | Value


@dataclass(slots=True)
class SplitBody:
    """A body in pieces, in order: bytes between them are kept as they are."""

    pieces: list[BodyPiece] = field(default_factory=list)

    def elements(self, key: str) -> list[Element]:
        """Return the elements of one array; a value that is no array is its only element."""
        found: list[Element] = []
        for piece in self.pieces:
            if isinstance(piece, Array) and piece.key == key:
                found.extend(piece.elements)
            elif isinstance(piece, Value) and piece.key == key:
                found.append(piece.element)
        return found

    def join(self) -> bytes:
        """Return the body."""
        return b"".join(self._bytes())

    def head(self) -> bytes:
        """Return the body with null in the place of every piece: its other members, as JSON."""
        return b"".join(piece if isinstance(piece, bytes) else b"null" for piece in self.pieces)

    def _bytes(self) -> Iterator[bytes]:
        for piece in self.pieces:
            match piece:
                case bytes():
                    yield piece
                case Value(_, element):
                    yield element.raw
                case Array(_, elements, separator):
                    yield separator.encode().join(element.raw for element in elements)


class Splitter:
    """Splits bodies of one session; remembers elements from one body to the next."""

    def __init__(self, keys: Sequence[str], *, memo: int = MEMO) -> None:
        """Take out the values of these keys of the body's object; `a.b` is one within another."""
        self._keys = frozenset(keys)
        self._outer = frozenset(key.rpartition(".")[0] for key in keys if "." in key)
        self._limit = memo
        self._size = 0
        self._elements: dict[bytes, tuple[Content, tuple[Cut, ...]]] = {}
        self._contents: dict[bytes, Content] = {}
        self._last: dict[tuple[str, int], list[tuple[bytes, Element]]] = {}
        """By an array's key and start: its elements, each after the bytes before it."""

    def split(self, body: bytes) -> SplitBody:
        """Split a body; bytes that are no JSON object are one piece."""
        readable, members = _read(body)
        pieces: list[BodyPiece] = []
        position = 0
        for key, start, end in self._wanted(readable, members):
            for at, upto, piece in self._taken(body, readable, key, start, end):
                pieces += [body[position:at], piece] if at > position else [piece]
                position = upto
        return SplitBody([*pieces, body[position:]] if position < len(body) else pieces)

    def _wanted(
        self, readable: bytes, members: list[tuple[str, int, int]], prefix: str = ""
    ) -> Iterator[tuple[str, int, int]]:
        """Yield the members to take out, those of members too."""
        for name, start, end in members:
            key = prefix + name
            if key in self._keys:
                yield key, start, end
            elif key in self._outer and readable[start : start + 1] == b"{":
                inner = _members(readable[start:end])
                within = [(name, start + at, start + upto) for name, at, upto in inner]
                yield from self._wanted(readable, within, key + ".")

    def _taken(
        self, body: bytes, readable: bytes, key: str, start: int, end: int
    ) -> Iterator[tuple[int, int, Array | Value]]:
        """Yield what is taken out of one member, with its place: an array's brackets stay."""
        if body[start : start + 1] != b"[":
            yield start, end, Value(key, self._element(body, 0, start, end))
            return
        kept, known = self._kept(body, key, start), self._last
        spans = _elements(readable, kept[-1].end if kept else start, end)
        edges = [(each.start, each.end) for each in kept] + spans
        separators = {body[before[1] : after[0]] for before, after in pairwise(edges)}
        new = enumerate(spans, len(kept))
        elements = kept + [self._element(body, number, *span) for number, span in new]
        if len(separators) <= 1 and elements:
            separator = separators.pop() if separators else b","
            if known is self._last:
                self._keep(body, key, start, elements)
            yield edges[0][0], edges[-1][1], Array(key, elements, separator.decode())
            return
        for element in elements:
            yield element.start, element.end, Value(key, element)

    def _kept(self, body: bytes, key: str, start: int) -> list[Element]:
        """Return the elements with which an array begins as the last one of its key did.

        An agent adds to what it sent before. Comparing bytes in place is much faster than taking
        each element out and looking it up.
        """
        kept: list[Element] = []
        at = start + 1
        for text, element in self._last.get((key, start), ()):
            if not body.startswith(text, at):
                break
            kept.append(element)
            at = element.end
        return kept

    def _keep(self, body: bytes, key: str, start: int, elements: list[Element]) -> None:
        """Remember an array's elements."""
        last = self._last.pop((key, start), [])
        same, pairs = 0, zip(last, elements, strict=False)
        while (pair := next(pairs, None)) and pair[0][1] is pair[1]:
            same += 1
        del last[same:]
        at = elements[same - 1].end if same else start + 1
        for element in elements[same:]:
            if body[element.start] not in b'{["':
                break
            met = element._replace(new=False) if element.new else element
            last.append((body[at : element.end], met))
            at = element.end
        for other in [each for each in self._last if each[0] == key]:
            del self._last[other]
        self._last[key, start] = last

    def _element(self, body: bytes, number: int, start: int, end: int) -> Element:
        raw = body[start:end]
        known = self._elements.get(raw)
        if known is not None:
            return Element(number, *known, False, start, end)
        data, cuts = cut_markers(raw)
        content = self._contents.get(data)
        new = content is None
        if content is None:
            content = Content(data)
        self._remember(raw, content, cuts)
        return Element(number, content, cuts, new, start, end)

    def _remember(self, raw: bytes, content: Content, cuts: tuple[Cut, ...]) -> None:
        self._size += len(raw)
        if self._size > self._limit:
            self._elements.clear()
            self._contents.clear()
            self._last = {}
            self._size = len(raw)
        self._elements[raw] = content, cuts
        self._contents[content.data] = content


def put_back(data: bytes, cuts: Sequence[Cut]) -> bytes:
    """Undo `cut_markers`."""
    if not cuts:
        return data
    pieces, position = [], 0
    for offset, text in cuts:
        pieces += [data[position:offset], text.encode()]
        position = offset
    return b"".join([*pieces, data[position:]])


def cut_markers(raw: bytes) -> tuple[bytes, tuple[Cut, ...]]:
    """Cut the `cache_control` markers out of an element.

    Only where the provider reads them: on the element and on the blocks of its `content`, two
    levels deep. A tool's argument that happens to have this name is left where it is.
    """
    if b'"cache_control"' not in raw:
        return raw, ()
    kept, cuts, position, size = [], [], 0, 0
    try:
        for match in _MARKERS.finditer(raw):
            kept.append(raw[position : match.start()])
            size += len(kept[-1])
            cuts.append(Cut(size, match.group().decode()))
            position = match.end()
        data = b"".join([*kept, raw[position:]])
        same = _decoded(data) == _unmarked(_decoded(raw))
    except (ValueError, RecursionError):
        same = False
    return (data, tuple(cuts)) if same else (raw, ())


def _unmarked(value: Any, depth: int = 2) -> Any:
    """Return an element without the markers that a provider reads."""
    if not isinstance(value, dict):
        return value
    rest = {name: item for name, item in value.items() if name != "cache_control"}
    blocks = rest.get("content")
    if depth and isinstance(blocks, list):
        rest["content"] = [_unmarked(block, depth - 1) for block in blocks]
    return rest


def _read(body: bytes) -> tuple[bytes, list[tuple[str, int, int]]]:
    """Find an object's members; return them with the bytes in which they could be found.

    `JSON.stringify` writes half an emoji, as is left where a tool's output was cut, as a lone
    surrogate, which no strict decoder takes. So offsets are then those of a copy of equal length.
    """
    for change in (bytes, _without_surrogates):
        try:
            readable = change(body)
            return readable, _members(readable)
        except (ValueError, RecursionError):
            continue
    return body, []


def _without_surrogates(data: bytes) -> bytes:
    return _SURROGATE.sub(rb"\\ufffd", data)


def _decoded(data: bytes) -> Any:
    return msgspec.json.decode(_without_surrogates(data))


def _members(body: bytes) -> list[tuple[str, int, int]]:
    """Find the values of an object's members; empty where they cannot all be told apart.

    Raises:
        ValueError: it is no JSON object.
    """
    found, position = [], 0
    for key, value in _object_decoder.decode(body).items():
        match = _KEY.match(body, position)
        if match is None or not body.startswith(value, match.end()):
            return []
        position = match.end() + len(memoryview(value))
        found.append((key, match.end(), position))
    return found if body[position:].strip() in (b"}", b"{}") else []


def _elements(body: bytes, start: int, end: int) -> list[tuple[int, int]]:
    """Find the elements of the array at `body[start:end]`, or of its rest after an element."""
    spans, position = [], start + 1
    inner = memoryview(body)[start:end]
    if body[start : start + 1] != b"[":
        gap = _GAP.match(body, start)
        position = gap.end() if gap else start
        inner = memoryview(b"[" + inner[position - start :])
    for value in _array_decoder.decode(inner):
        gap = _GAP.match(body, position)
        at = gap.end() if gap else position
        position = at + len(memoryview(value))
        spans.append((at, position))
    return spans
