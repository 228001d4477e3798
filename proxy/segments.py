"""A body that is stored as it comes, piece by piece, each time as much as waits."""

from __future__ import annotations

from traceproof.proxy.answers import joined
from traceproof.recorder.blobs import Ref
from traceproof.recorder.manifests import Joined
from traceproof.recorder.redaction import Masked
from traceproof.recorder.writer import TraceWriter

PIECE = 1 << 20
"""Bytes that wait at most."""


class Segments:
    """The pieces of one body."""

    def __init__(self, writer: TraceWriter) -> None:
        self._writer = writer
        self._waiting: list[Masked] = []
        self._size = 0
        self._stored: list[str] = []

    def add(self, masked: Masked) -> None:
        """Take bytes that may be stored."""
        if masked.data:
            self._waiting.append(masked)
            self._size += len(masked.data)
        if self._size > PIECE:
            self._store()

    def ref(self) -> str:
        """Store what waits, and return the reference to all that came; "" where nothing did."""
        self._store()
        if not self._stored:
            return ""
        segments = Ref.parse(self._writer.list_(self._stored, "segments"))
        return self._writer.body([Joined(segments.sha256, "")])

    def _store(self) -> None:
        if self._waiting:
            masked = joined(self._waiting)
            self._waiting, self._size = [], 0
            parts = self._writer.parts(masked.data, masked.masks)
            self._stored += [name for name in parts if isinstance(name, str)]
