"""Reads a trace file: spans in order, and the content they refer to.

Nothing is read before it is asked for, and no more is kept than a few frames, a cache of blobs of
fixed size, and an index of where blobs lie. What is damaged is noted in `problems`, and the rest is
read. The file may still be growing: what was in it when it was opened is read.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import msgspec

from traceproof.recorder import conventions, otlp, semconv
from traceproof.recorder.blobs import Ref, decode_blob
from traceproof.recorder.errors import DamagedTrace, ForeignFile, FutureFormat
from traceproof.recorder.framefile import FrameFile
from traceproof.recorder.lineindex import LineIndex, Place
from traceproof.recorder.manifests import Resolver, Spliced
from traceproof.recorder.redaction import Mask, Masked
from traceproof.recorder.seektable import MAGIC
from traceproof.recorder.span import Attributes, Span, decode_attributes, decode_span

CACHE = 32 << 20
"""Bytes of blobs kept in memory at most."""

_decoder = msgspec.json.Decoder(otlp.TracesData)


class Record(NamedTuple):
    """A span with who made it; `pending` when its end never came."""

    span: Span
    resource: Attributes
    scope: otlp.Scope
    pending: bool = False

    @property
    def from_agent(self) -> bool:
        """Whether the agent sent this span of itself, rather than the recorder."""
        return self.resource.get(semconv.SOURCE) == "agent"


class _Found(NamedTuple):
    """A span as a line holds it, with what stands around it."""

    resource: otlp.Resource
    scope: otlp.Scope
    span: otlp.Span

    @property
    def id(self) -> tuple[str, str]:
        return self.span.trace_id, self.span.span_id


class TraceReader:
    """One open trace file; use `open`, as a context manager. For one thread."""

    def __init__(self, path: Path, file: FrameFile) -> None:
        self.path = path
        self._file = file
        self._lines = LineIndex(file)
        self._cache: OrderedDict[str, Masked] = OrderedDict()
        self._cached = 0
        self._resolver = Resolver(self.blob)
        self._envelopes: list[tuple[otlp.Resource, Attributes]] = []
        self.resource = self._read_resource()
        self.format_version = int(str(self.resource[semconv.FORMAT]))

    @classmethod
    def open(cls, path: Path | str) -> Self:
        """Open a trace file.

        Raises:
            OSError: it cannot be opened or read.
            ForeignFile: it is not a trace file.
            FutureFormat: its format is newer than this reader.
            DamagedTrace: not one line of it can be read.
        """
        file = FrameFile(Path(path))
        try:
            return cls(Path(path), file)
        except BaseException:
            file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    @property
    def closed_properly(self) -> bool:
        """Whether the recorder ended the file; if not, `repair` can."""
        return self._file.closed

    @property
    def problems(self) -> list[str]:
        """What could not be read so far, one line each; complete once all spans were read."""
        if self._file.closed:
            return list(self._file.problems)
        unended = "the file was not closed: `traceproof repair` ends it"
        return [unended, *self._file.problems]

    # --- spans ------------------------------------------------------------------------------------

    def records(self, *, inline: bool = False) -> Iterator[Record]:
        """Yield spans that ended, in the order of the file, then those that never did.

        With `inline`, what a span refers to stands in it.
        """
        latest: dict[tuple[str, str], _Found | None] = {}
        for place in self._lines.others():
            line = self._decode(place)
            for found in _spans(line.resource_spans):
                latest[found.id] = None
                yield from self._record(found, inline=inline)
            for found in _spans(_pending(line)):
                if latest.get(found.id, found) is not None:
                    latest[found.id] = found
        for pending in latest.values():
            if pending is not None:
                yield from self._record(pending, inline=inline, pending=True)

    def spans(self, *, inline: bool = False) -> Iterator[Span]:
        """Yield the spans of `records` alone."""
        return (record.span for record in self.records(inline=inline))

    def root(self) -> Record:
        """Return the session's root span, pending if its end never came.

        Raises:
            DamagedTrace: it is not in what can be read.
        """
        for record in self.records():
            if not record.span.parent_id and not record.from_agent:
                return record
        raise DamagedTrace(f"{self.path}: the root span is not in what can be read")

    def _record(self, found: _Found, *, inline: bool, pending: bool = False) -> Iterator[Record]:
        try:
            span = decode_span(found.span)
        except ValueError as error:
            self._file.note(f"span {found.span.span_id}: {error}")
            return
        record = Record(span, self._attributes(found.resource), found.scope, pending)
        if not record.from_agent:  # what the agent said of itself stays as it said it
            span.attributes = conventions.pinned(span.attributes)
        yield record._replace(span=self.inline(span)) if inline else record

    def _attributes(self, resource: otlp.Resource) -> Attributes:
        """Decode a resource; nearly every line repeats one of the last few."""
        for known, attributes in self._envelopes:
            if known == resource:
                return attributes
        attributes = decode_attributes(resource.attributes)
        self._envelopes = [(resource, attributes), *self._envelopes[:3]]
        return attributes

    # --- content ----------------------------------------------------------------------------------

    def blob(self, name: str) -> bytes:
        """Return a blob's bytes.

        Raises:
            DamagedTrace: it is not in what can be read, or is not what its hash says.
        """
        known = self._cache.get(name)
        if known is None:
            return self._load(name).data
        self._cache.move_to_end(name)
        return known.data

    def resolve(self, ref: Ref | str) -> str | bytes:
        """Return what a reference stands for: text, or bytes for `bytes` and `concat`.

        Raises:
            ValueError: it is no reference, or what it names is missing, broken or too large.
        """
        return self._resolver.resolve(Ref.parse(ref) if isinstance(ref, str) else ref)

    def iter_body(self, ref: Ref | str) -> Iterator[bytes]:
        """Yield what a reference stands for piece by piece, however large it is.

        Raises:
            ValueError: as for `resolve`.
        """
        return self._resolver.pieces(Ref.parse(ref) if isinstance(ref, str) else ref)

    def masks(self, ref: Ref | str) -> list[Mask]:
        """Return the masks in what a reference stands for, by their offsets in it (in bytes).

        Raises:
            ValueError: as for `resolve`.
        """
        masks: list[Mask] = []
        position = 0
        for part in self._resolver.parts(Ref.parse(ref) if isinstance(ref, str) else ref):
            match part:
                case bytes():
                    position += len(part)
                    continue
                case str():
                    whole = Spliced(part)
                case _:
                    whole = part
            blob = self._load(whole.blob)
            masks += [_moved(mask, whole, position) for mask in blob.masks]
            position += len(blob.data) + sum(len(text.encode()) for _, text in whole.insert)
        return masks

    def inline(self, span: Span, limits: Mapping[str, int] | None = None) -> Span:
        """Return a span with its content in the place of references to it, in its events too.

        With `limits`, only for the attributes that it names, and of each the first so many bytes;
        the reference stays beside a value that was cut. A reference that leads nowhere stays, and
        is noted in `problems`.
        """
        where = f"span {span.span_id}"
        events = [
            msgspec.structs.replace(
                event, attributes=self._inlined(event.attributes, where, limits)
            )
            for event in span.events
        ]
        attributes = self._inlined(span.attributes, where, limits)
        return msgspec.structs.replace(span, attributes=attributes, events=events)

    def _inlined(
        self, attributes: Attributes, where: str, limits: Mapping[str, int] | None
    ) -> Attributes:
        inlined: Attributes = {}
        for name, value in attributes.items():
            of = name.removeprefix(semconv.REF)
            if of == name or (limits is not None and of not in limits):
                inlined[name] = value
                continue
            try:
                inlined[of], whole = self._read(str(value), limits[of] if limits else None)
            except ValueError as error:
                self._file.note(f"{where}: {name}: {error}")
                whole = False
            if not whole:
                inlined[name] = value
        return inlined

    def _read(self, text: str, limit: int | None) -> tuple[str | bytes, bool]:
        """Return what a reference stands for, or its beginning, and whether that is all of it."""
        ref = Ref.parse(text)
        if limit is None:
            return self._resolver.resolve(ref), True
        data = bytearray()
        for piece in self._resolver.pieces(ref):
            data += piece
            if len(data) > limit:
                return _value(ref, bytes(data[:limit]), "ignore"), False
        return _value(ref, bytes(data)), True

    def _load(self, name: str) -> Masked:
        known = self._cache.get(name)
        if known is not None:
            return known
        place = self._lines.blob(name)
        try:
            blob = decode_blob(self._lines.read(place), name)
        except ValueError as error:
            raise DamagedTrace(str(error)) from error
        self._remember(name, blob)
        return blob

    def _remember(self, name: str, blob: Masked) -> None:
        self._cache[name] = blob
        self._cached += len(blob.data)
        while self._cached > CACHE and len(self._cache) > 1:
            _, dropped = self._cache.popitem(last=False)
            self._cached -= len(dropped.data)

    # --- lines ------------------------------------------------------------------------------------

    def _decode(self, place: Place) -> otlp.TracesData:
        try:
            return _decoder.decode(self._lines.read(place))
        except (ValueError, RecursionError) as error:
            where = f"frame {place.frame + 1}, byte {place.start}"
            self._file.note(f"a line is not OTLP ({where}): {error}")
            return otlp.TracesData()

    def _read_resource(self) -> Attributes:
        """Find the recorder's resource, which the first line carries, and check the version."""
        if not self._file.size:
            raise DamagedTrace(f"{self.path} is empty: the recorder stopped before its first line")
        head = self._file.read_at(0, len(MAGIC))
        if not (self._file.frames or self._file.closed) and head != MAGIC[: len(head)]:
            raise ForeignFile(f"{self.path} is not a trace file: it is not zstd data")
        for place in self._lines.others():
            line = self._decode(place)
            for resource in line.resource_spans + _pending(line):
                attributes = self._attributes(resource.resource)
                if semconv.FORMAT in attributes:
                    return self._checked(attributes)
            if place.frame:
                break
        raise self._nothing_found()

    def _checked(self, attributes: Attributes) -> Attributes:
        version = attributes[semconv.FORMAT]
        if not isinstance(version, int):
            raise ForeignFile(f"{self.path} is not a trace file: its format version is no number")
        if version > semconv.FORMAT_VERSION:
            raise FutureFormat(
                f"{self.path} has trace format {version}, and this traceproof reads up to "
                f"{semconv.FORMAT_VERSION}: use a newer one"
            )
        return attributes

    def _nothing_found(self) -> ValueError:
        damaged = [note for note in self._file.problems if not note.startswith("a line is not")]
        if damaged or not any(self._lines.others()):
            why = damaged[0] if damaged else "no line of it can be read"
            return DamagedTrace(f"{self.path} is damaged: {why}")
        return ForeignFile(f"{self.path} is not a trace file: no line names a trace format")


def _value(ref: Ref, data: bytes, errors: str = "strict") -> str | bytes:
    return data if ref.form in ("bytes", "concat") else data.decode(errors=errors)


def _spans(groups: list[otlp.ResourceSpans]) -> Iterator[_Found]:
    for group in groups:
        for scope in group.scope_spans:
            for span in scope.spans:
                yield _Found(group.resource, scope.scope, span)


def _pending(line: otlp.TracesData) -> list[otlp.ResourceSpans]:
    found = line.traceproof_pending
    return [] if isinstance(found, msgspec.UnsetType) else found


def _moved(mask: Mask, part: Spliced, start: int) -> Mask:
    """Move a mask to where its part stands, past the texts inserted before it."""
    inserted = sum(len(text.encode()) for offset, text in part.insert if offset <= mask.offset)
    return mask._replace(offset=start + mask.offset + inserted)
