"""Masked bytes on their way into the file, piece by piece; only a little of them waits in memory.

What stays small is kept whole beside that, for it is stored as a text in the end.
"""

from __future__ import annotations

import codecs

from traceproof.recorder.manifests import Joined, ListEncoder
from traceproof.recorder.redaction import Mask, Masked
from traceproof.recorder.writer import PART, TraceWriter

KEPT = 64 << 10
"""Bytes up to which all is kept in memory."""

PIECE = 1 << 20
"""Bytes that wait at most, but for what is added at once."""

_CHARACTER = 4
"""Bytes of the longest UTF-8 character."""

_Decoder = codecs.getincrementaldecoder("utf-8")


class Spool:
    """One row of bytes; used from one thread. `lost` counts bytes that the file did not take."""

    def __init__(self, writer: TraceWriter) -> None:
        self.size = 0
        self.lost = 0
        self._writer = writer
        self._kept: _Gathered | None = _Gathered()
        self._waiting = _Gathered()
        self._names: list[str] = []
        self._lists = ListEncoder(remember=1)

    def add(self, masked: Masked) -> None:
        """Take the next bytes."""
        self.size += len(masked.data)
        if self.size > KEPT:
            self._kept = None
        if self._kept is not None:
            self._kept.add(masked)
        self._waiting.add(masked)
        if len(self._waiting.data) >= PIECE:
            self._store(final=False)

    def whole(self) -> Masked | None:
        """Return all that came, if it is little."""
        return None if self._kept is None else self._kept.masked()

    def ref(self, *, final: bool = True) -> str:
        """Store what waits and return the reference to all that came; "" where nothing did."""
        self._store(final=final)
        if not self._names:
            return ""
        name = self._lists.find(self._names)
        if name is None:
            name = self._writer.store(Masked(self._lists.encode(self._names), []))
            if self._writer.has(name):
                self._lists.remember(name, tuple(self._names))
        return self._writer.body([Joined(name, "")])

    def _store(self, *, final: bool) -> None:
        data = self._waiting.data
        while size := self._cut(min(len(data), PART), final=final):
            self._store_piece(self._waiting.take(size))

    def _cut(self, size: int, *, final: bool) -> int:
        """Move a cut back to where a character begins, unless it is the very end."""
        data = self._waiting.data
        if final and size == len(data):
            return size
        return size - _unfinished(data[max(0, size - _CHARACTER) : size])

    def _store_piece(self, piece: Masked) -> None:
        name = self._writer.store(piece)
        if self._writer.has(name):
            self._names.append(name)
        else:
            self.lost += len(piece.data)


class _Gathered:
    """Masked bytes, one after the other."""

    def __init__(self) -> None:
        self.data = bytearray()
        self._masks: list[Mask] = []

    def add(self, masked: Masked) -> None:
        size = len(self.data)
        self._masks += [mask._replace(offset=mask.offset + size) for mask in masked.masks]
        self.data += masked.data

    def masked(self) -> Masked:
        return Masked(bytes(self.data), list(self._masks))

    def take(self, size: int) -> Masked:
        """Take the first bytes away; a mask goes with the bytes in which it begins."""
        taken = Masked(bytes(self.data[:size]), [m for m in self._masks if m.offset < size])
        rest = self._masks[len(taken.masks) :]
        self._masks = [mask._replace(offset=mask.offset - size) for mask in rest]
        del self.data[:size]
        return taken


def _unfinished(end: bytearray) -> int:
    """Return how many bytes at the end are the beginning of a UTF-8 character."""
    decoder = _Decoder("replace")
    decoder.decode(end)
    return len(decoder.getstate()[0])
