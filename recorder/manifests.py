"""Manifests: blobs that say how other blobs make up a list or a body.

A conversation is resent with every model call, a little longer each time. A *list manifest* names
an earlier one, how much of it to keep, and what is new; a *body manifest* strings lists, blobs and
literal text together into the exact bytes of a body. Both are compact JSON, and stored as blobs.

Sans-io: `Resolver` asks a function for blobs by name. Manifests are not trusted: they may name
each other in a circle, keep more than there is, or stand for more bytes than a machine has.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import msgspec

from traceproof.recorder.blobs import Ref

RESOLVE_LIMIT = 1 << 30
"""Bytes that one reference may stand for when it is read in one piece."""


class Spliced(msgspec.Struct, frozen=True):
    """A blob with texts inserted at byte offsets (of the blob as stored, ascending)."""

    blob: str
    insert: tuple[tuple[int, str], ...] = ()


class Literal(msgspec.Struct, frozen=True):
    """Text that stands in the manifest itself."""

    text: str


class Joined(msgspec.Struct, frozen=True):
    """The elements of a list manifest with a separator between them."""

    list: str
    by: str = ","


ListPart: TypeAlias = str | Spliced
BodyPart: TypeAlias = str | Spliced | Literal | Joined


class ListManifest(msgspec.Struct, omit_defaults=True):
    """The first `keep` parts of the list `base`, then `parts`."""

    base: str | None = None
    keep: int = 0
    parts: list[str | Spliced] = []


class _AnyPart(msgspec.Struct):
    """Any part of a body but a bare name: msgspec wants one struct where keys tell kinds apart."""

    blob: str | None = None
    insert: tuple[tuple[int, str], ...] = ()
    text: str | None = None
    list: str | None = None
    by: str = ","


class _BodyManifest(msgspec.Struct):
    parts: list[str | _AnyPart]


_list_decoder = msgspec.json.Decoder(ListManifest)
_body_decoder = msgspec.json.Decoder(_BodyManifest)
_string_decoder = msgspec.json.Decoder(str)


def encode_body(parts: Sequence[BodyPart]) -> bytes:
    """Encode a body manifest."""
    return msgspec.json.encode({"parts": parts})


def decode_body(data: bytes) -> list[BodyPart]:
    """Decode a body manifest.

    Raises:
        ValueError: it is not one.
    """
    return [
        part if isinstance(part, str) else _body_part(part)
        for part in _body_decoder.decode(data).parts
    ]


def _body_part(part: _AnyPart) -> BodyPart:
    if part.text is not None:
        return Literal(part.text)
    if part.list is not None:
        return Joined(part.list, part.by)
    if part.blob is not None:
        return Spliced(part.blob, part.insert)
    raise ValueError("a part of a body manifest is a blob, a text or a list")


class ListEncoder:
    """Encodes lists against the lists before them; remembers the last few."""

    def __init__(self, remember: int = 16) -> None:
        self._remember = remember
        self._lists: OrderedDict[str, Sequence[ListPart]] = OrderedDict()

    def find(self, parts: Sequence[ListPart]) -> str | None:
        """Return the name of a remembered list that equals `parts`."""
        for name, known in reversed(self._lists.items()):
            if len(known) == len(parts) and known == parts:
                self._lists.move_to_end(name)
                return name
        return None

    def encode(self, parts: Sequence[ListPart]) -> bytes:
        """Encode a list as a manifest that keeps what it can of a remembered one."""
        base, keep = None, 0
        for name, known in reversed(self._lists.items()):
            if keep < len(known) and keep < len(parts) and known[keep] == parts[keep]:
                common = _common_prefix(known, parts)
                if common > keep:
                    base, keep = name, common
        return msgspec.json.encode(ListManifest(base, keep, list(parts[keep:])))

    def remember(self, name: str, parts: Sequence[ListPart]) -> None:
        """Let later lists build on this one, which is in the file under `name`."""
        self._lists[name] = parts
        self._lists.move_to_end(name)
        if len(self._lists) > self._remember:
            self._lists.popitem(last=False)


def _common_prefix(a: Sequence[ListPart], b: Sequence[ListPart]) -> int:
    """Count equal parts at the beginning, by halving: slices compare at the speed of C."""
    low, high = 0, min(len(a), len(b))
    if a[:high] == b[:high]:
        return high
    while low < high:
        middle = (low + high + 1) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


class Resolver:
    """Turns references into what they stand for, with blobs from `get`.

    `get` takes a blob's name and returns its bytes, or raises ValueError. What every method raises
    besides is ValueError for a manifest that is broken or hostile.
    """

    def __init__(self, get: Callable[[str], bytes], *, remember: int = 32) -> None:
        self._get = get
        self._remember = remember
        self._lists: OrderedDict[str, list[ListPart]] = OrderedDict()

    def resolve(self, ref: Ref, *, limit: int = RESOLVE_LIMIT) -> str | bytes:
        """Return the value that a reference stands for: text, or bytes for `bytes` and `concat`."""
        pieces, size = [], 0
        for piece in self.pieces(ref):
            pieces.append(piece)
            size += len(piece) or 1
            if size > limit:
                raise ValueError(f"{ref.form} {ref.sha256[:12]} stands for over {limit} bytes")
        data = b"".join(pieces)
        return data if ref.form in ("bytes", "concat") else data.decode()

    def pieces(self, ref: Ref) -> Iterator[bytes]:
        """Yield the bytes that a reference stands for, piece by piece."""
        for part in self.parts(ref):
            match part:
                case str():
                    yield self._get(part)
                case bytes():
                    yield part
                case _:
                    yield from splice(self._get(part.blob), part)

    def parts(self, ref: Ref) -> Iterator[ListPart | bytes]:
        """Yield what a reference is made of: blobs, spliced ones, and bytes between them."""
        match ref.form:
            case "text" | "bytes":
                yield ref.sha256
            case "json":
                yield _string_decoder.decode(self._get(ref.sha256)).encode()
            case "list":
                yield b"["
                yield from _between(self.list_parts(ref.sha256), b",")
                yield b"]"
            case _:
                yield from self._body_parts(ref.sha256)

    def list_parts(self, name: str) -> list[ListPart]:
        """Return the parts of a list; the caller does not change them."""
        chain: list[tuple[str, ListManifest]] = []
        seen: set[str] = set()
        at: str | None = name
        while at is not None and at not in self._lists:
            if at in seen:
                raise ValueError(f"list {name[:12]} is built upon itself")
            seen.add(at)
            manifest = _list_decoder.decode(self._get(at))
            chain.append((at, manifest))
            at = manifest.base
        parts = list(self._lists[at]) if at is not None else []
        for link, manifest in reversed(chain):
            if not 0 <= manifest.keep <= len(parts):
                raise ValueError(f"list {link[:12]} keeps more than its base has")
            parts[manifest.keep :] = manifest.parts
        self._keep(name, parts)
        return parts

    def _keep(self, name: str, parts: list[ListPart]) -> None:
        self._lists[name] = parts
        self._lists.move_to_end(name)
        if len(self._lists) > self._remember:
            self._lists.popitem(last=False)

    def _body_parts(self, name: str) -> Iterator[ListPart | bytes]:
        for part in decode_body(self._get(name)):
            match part:
                case Literal(text):
                    yield text.encode()
                case Joined(list_name, by):
                    yield from _between(self.list_parts(list_name), by.encode())
                case _:
                    yield part


def splice(data: bytes, part: Spliced) -> Iterator[bytes]:
    """Yield a blob's bytes with the texts of `part` inserted.

    Raises:
        ValueError: an offset lies outside the blob or before the one preceding it.
    """
    position = 0
    for offset, text in part.insert:
        if not position <= offset <= len(data):
            raise ValueError(f"an insertion into blob {part.blob[:12]} is out of place")
        yield data[position:offset]
        yield text.encode()
        position = offset
    yield data[position:]


def _between(parts: list[ListPart], by: bytes) -> Iterator[ListPart | bytes]:
    for index, part in enumerate(parts):
        if index:
            yield by
        yield part
