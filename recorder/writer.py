"""Writes a trace file while the session runs.

Content goes in as blobs, each once; spans refer to it. Lines are compressed at once and on disk at
the latest a second after they were taken, by a timer that sleeps while there is nothing to do. The
format is in docs/trace-format.md. What a span says is its maker's business, not this module's.
"""

from __future__ import annotations

import re
import threading
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from traceproof.recorder import otlp, semconv
from traceproof.recorder.appender import Appender
from traceproof.recorder.blobs import Ref, encode_blob, sha256
from traceproof.recorder.flushtimer import FlushTimer, TimerThread
from traceproof.recorder.frames import LEVEL, FrameWriter
from traceproof.recorder.manifests import (
    BodyPart,
    ListEncoder,
    ListPart,
    Literal,
    encode_body,
)
from traceproof.recorder.redaction import Mask, Masked
from traceproof.recorder.span import AttributeValue, Span
from traceproof.recorder.spanlines import Envelope, Masking, encode, mask_line

PART = 4 << 20
"""A body is stored in parts of at most this many bytes, so that no frame grows far beyond them."""

MAX_BLOB = 64 << 20
"""The largest blob on one line, in bytes; a text beyond it is stored as a body."""

MAX_ATTRIBUTE = 1 << 20
"""Text or bytes in a span beyond this size are moved to a blob."""

BACKLOG = 64 << 20
"""Compressed bytes kept in memory while they cannot be written, before lines are dropped."""

_TOKEN = re.compile(rb"<SECRET:[^<>]*>")

FLUSH_INTERVAL = 0.5
"""Seconds; the promise is one, and the rest is left to a busy machine."""


class TraceWriter:
    """Writes one trace file; every method may be called from any thread, and none raises OSError.

    `problem` is the error that keeps bytes from the disk at present, or the first that lost some
    for good; None when all is well.
    `lost` counts spans that were dropped because too much waited, or because the file was closed.
    """

    def __init__(
        self,
        path: Path,
        *,
        resource: Mapping[str, AttributeValue],
        mask: Masking | None = None,
        scope: otlp.Scope | None = None,
        flush_interval: float = FLUSH_INTERVAL,
        level: int = LEVEL,
        backlog: int = BACKLOG,
        on_problem: Callable[[OSError], None] | None = None,
        compact: bool = False,
        timers: TimerThread | None = None,
    ) -> None:
        """Create the file; the caller's first span should be the pending root.

        `resource` goes with every span, with the format's version added. `on_problem` is called
        once each time writing begins to fail, from whichever thread noticed. `compact` is for one
        of many writers in a process (see `FrameWriter`), which may share their `timers` too.

        Raises:
            OSError: the file exists already, or cannot be made.
        """
        self.path = path
        self.lost = 0
        self._file = Appender(path)
        self._frames = FrameWriter(level, compact=compact)
        self._resource = {semconv.FORMAT: semconv.FORMAT_VERSION, **resource}
        self._scope = scope or otlp.Scope("traceproof")
        self._envelope = Envelope.of(self._resource, self._scope)
        self._mask = mask
        self._interval = flush_interval
        self._backlog_limit = backlog
        self._on_problem = on_problem
        self._stored: set[str] = set()
        self._lists: dict[str, ListEncoder] = {}
        self._synced_frames = 0
        self._failing = False
        self._closed = False
        self._lock = threading.RLock()
        self._timer = FlushTimer(flush_interval, self.flush, timers)

    # --- content ----------------------------------------------------------------------------------

    def text(self, value: str) -> str:
        """Store a text and return the reference to it.

        Tool output stands in messages as a JSON string. Stored as one here too, it compresses to
        next to nothing; escaped one level less it would cost a sixth of the whole file. What may
        be JSON itself stands in messages as it is.
        """
        data = value.encode("utf-8", "backslashreplace")
        if len(data) > MAX_BLOB:
            return self.blob(data)
        blob = self.masked(data)
        if blob.masks or data.startswith((b"{", b"[")):
            return str(Ref("text", self.store(blob)))
        quoted = msgspec.json.encode(data.decode())
        return str(Ref("json", self.store(Masked(quoted, []))))

    def blob(self, data: bytes, masks: Sequence[Mask] = ()) -> str:
        """Store bytes and return the reference to them; large ones are stored in parts.

        `masks` are those that `data` already holds.
        """
        parts = self.parts(data, masks)
        if len(parts) == 1 and isinstance(parts[0], str):
            return str(Ref("bytes", parts[0]))
        return self.body(parts)

    def parts(self, data: bytes, masks: Sequence[Mask] = ()) -> list[BodyPart]:
        """Store bytes as one blob or several, and return their names, for a body's manifest.

        A mask is listed with the blob in which it begins.
        """
        blob = self.masked(data, masks)
        names: list[BodyPart] = []
        start = 0
        while start < len(blob.data) or not names:
            end = _cut(blob.data, start + PART)
            first, last = (bisect_left(blob.masks, at, key=_offset) for at in (start, end))
            inside = [mask._replace(offset=mask.offset - start) for mask in blob.masks[first:last]]
            names.append(self.store(Masked(blob.data[start:end], inside)))
            start = end
        return names

    def element(self, data: bytes, masks: Sequence[Mask] = ()) -> str:
        """Store bytes (at most `MAX_BLOB`) and return their bare name."""
        return self.store(self.masked(data, masks))

    def store(self, blob: Masked) -> str:
        """Store what `masked` returned and return its bare name."""
        name = sha256(blob.data)
        with self._lock:
            if name not in self._stored and self._write(encode_blob(name, blob)):
                self._stored.add(name)
        return name

    def has(self, name: str) -> bool:
        """Tell whether a blob is in the file already."""
        return name in self._stored

    def list_(self, parts: Sequence[ListPart], kind: str = "") -> str:
        """Store a list and return the reference to it.

        It is stored as what is new in it against the lists of the same `kind` before it.
        """
        with self._lock:
            encoder = self._lists.setdefault(kind, ListEncoder())
            parts = tuple(parts)
            name = encoder.find(parts)
            if name is None:
                name = self.store(Masked(encoder.encode(parts), []))
                if self.has(name):
                    encoder.remember(name, parts)
            return str(Ref("list", name))

    def body(self, parts: Sequence[BodyPart]) -> str:
        """Store a body that is made of other blobs and return the reference to it.

        A secret in a literal is masked, and the literal becomes a blob that lists the mask.
        """
        safe = [self._safe(part) if isinstance(part, Literal) else part for part in parts]
        return str(Ref("concat", self.store(Masked(encode_body(safe), []))))

    def masked(self, data: bytes, masks: Sequence[Mask] = ()) -> Masked:
        """Return bytes as they would be stored, with `masks` (already in them) and new ones."""
        if self._mask is None:
            return Masked(data, list(masks))
        masked = self._mask(data)
        if not masks:
            return masked
        known = _moved(masks, data, masked) if masked.masks else masks
        return Masked(masked.data, sorted([*known, *masked.masks]))

    def _safe(self, part: Literal) -> BodyPart:
        blob = self.masked(part.text.encode())
        return self.store(blob) if blob.masks else part

    # --- spans ------------------------------------------------------------------------------------

    def span(
        self,
        span: Span,
        *,
        resource: Mapping[str, AttributeValue] | None = None,
        scope: otlp.Scope | None = None,
    ) -> None:
        """Write a span that has ended; `resource` and `scope` are for spans that others made."""
        envelope = self._envelope
        if resource is not None or scope is not None:
            attributes = self._resource if resource is None else resource
            envelope = Envelope.of(attributes, scope or self._scope)
        self._write_span(envelope.line(encode(self._with_blobs(span))))

    def pending(self, span: Span) -> None:
        """Write a span in flight, as far as it is known; a later one with its id replaces it."""
        self._write_span(self._envelope.pending_line(encode(self._with_blobs(span))))

    def _with_blobs(self, span: Span) -> Span:
        """Move what would make a line too long out of a span."""
        large = {
            name: self.text(value) if isinstance(value, str) else self.blob(value)
            for name, value in span.attributes.items()
            if isinstance(value, str | bytes) and len(value) > MAX_ATTRIBUTE
        }
        if not large:
            return span
        kept = {name: value for name, value in span.attributes.items() if name not in large}
        refs = {semconv.REF + name: ref for name, ref in large.items()}
        return msgspec.structs.replace(span, attributes={**kept, **refs})

    def _write_span(self, line: bytes) -> None:
        safe = mask_line(line, self._mask) if self._mask else line
        with self._lock:
            if not self._write(safe):
                self.lost += 1

    # --- the file ---------------------------------------------------------------------------------

    @property
    def problem(self) -> OSError | None:
        """What keeps bytes from the disk at present, or has lost some."""
        return self._file.problem

    @property
    def blocked(self) -> OSError | None:
        """What keeps bytes from the disk at present; they may get there yet."""
        return self._file.blocked

    def flush(self) -> bool:
        """Bring everything taken so far to the file; False when some of it still waits."""
        with self._lock:
            if self._closed:
                return self._file.backlog == 0
            self._file.append(self._frames.flush())
            done = self._drain()
        if not done:
            self._timer.arm()
        return done

    def rest(self) -> None:
        """Give memory back while nothing comes; the next line begins a frame."""
        with self._lock:
            if self._closed:
                return
            self._file.append(self._frames.rest())
            if not self._drain():
                self._timer.arm()

    def close(self) -> bool:
        """End the file with its seek table; returns whether everything got to the disk.

        May be called again, which changes nothing.
        """
        self._timer.stop()
        with self._lock:
            if not self._closed:
                self._file.append(self._frames.finish())
                self._drain()
                self._file.sync()
                self._file.close()
                self._closed = True
            return self._file.backlog == 0 and self.problem is None

    def _write(self, line: bytes) -> bool:
        """Compress a line; False when it was dropped: the file is closed, or too much waits.

        Lines are dropped whole and before they are compressed, so that what does get to the file
        can be read as far as it goes.
        """
        if self._closed or (self._file.backlog > self._backlog_limit and not self._drain()):
            return False
        self._file.append(self._frames.write(line + b"\n"))
        if self._frames.ended_frames > self._synced_frames and self._drain():
            self._synced_frames = self._frames.ended_frames
            self._file.sync()
            self._tell()
        self._timer.arm()
        return True

    def _drain(self) -> bool:
        done = self._file.drain()
        self._tell()
        return done

    def _tell(self) -> None:
        problem = self.problem
        if problem and not self._failing and self._on_problem:
            self._on_problem(problem)
        self._failing = problem is not None


def _moved(masks: Sequence[Mask], data: bytes, again: Masked) -> Iterator[Mask]:
    """Yield the masks in `data` as they stand once more secrets in it have been masked.

    Masks are put where a secret was and nowhere else, so those of before keep their order. One that
    a new mask covers is gone.
    """
    new = {mask.offset for mask in again.masks}
    before = _TOKEN.finditer(data)
    after = (found for found in _TOKEN.finditer(again.data) if found.start() not in new)
    moved = {
        old.start(): found.start()
        for old, found in zip(before, after, strict=False)
        if old.group() == found.group()
    }
    return (mask._replace(offset=moved[mask.offset]) for mask in masks if mask.offset in moved)


def _offset(mask: Mask) -> int:
    return mask.offset


def _cut(data: bytes, end: int) -> int:
    """Move a cut at `end` back to where a UTF-8 character begins, if one is near."""
    if end >= len(data):
        return len(data)
    near = (cut for cut in range(end, end - 4, -1) if data[cut] & 0xC0 != 0x80)  # noqa: PLR2004 - 10xxxxxx continues one
    return next(near, end)
