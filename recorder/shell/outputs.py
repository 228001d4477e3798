"""One stream of a command on its way into the file: masked, stored as it comes, and timed.

Bytes that are not masked yet wait in memory only, and few of them. Nothing is reordered: where two
streams came apart, their times tell what came first.
"""

from __future__ import annotations

from collections.abc import Callable

from traceproof.recorder.blobs import Ref
from traceproof.recorder.manifests import BodyPart
from traceproof.recorder.redaction import Masked, Redactor
from traceproof.recorder.shell.command import Output
from traceproof.recorder.shell.commandspan import INLINE
from traceproof.recorder.shell.spool import PIECE, Spool
from traceproof.recorder.streaming import StreamMasker
from traceproof.recorder.writer import TraceWriter

_AT_ONCE = 256 << 10
"""Bytes that are masked at once, unless a look comes first: less would cost more a byte."""

_INLINE_TIMES = 512
"""Times up to this many characters stand in the span, longer ones in a blob."""


class Stream:
    """One stream; used from one thread."""

    def __init__(
        self,
        start: int,
        redactor: Redactor,
        writer: TraceWriter,
        also: Callable[[bytes], None] | None = None,
    ) -> None:
        """Count times from `start` (Unix nanoseconds); `also` is given the masked bytes too."""
        self.size = 0
        self._also = also
        self._writer = writer
        self._masker = StreamMasker(redactor)
        self._spool = Spool(writer)
        self._raw: list[bytes] = []
        self._raw_size = 0
        self._times = _Times(start, writer)

    @property
    def lost(self) -> int:
        """Return how many bytes the file did not take: too much waited for the disk."""
        return self._spool.lost

    def add(self, time: int, data: bytes) -> None:
        """Take the next bytes, which came at `time` (Unix nanoseconds)."""
        self.size += len(data)
        self._times.add(time, len(data))
        self._raw.append(data)
        self._raw_size += len(data)
        if self._raw_size >= _AT_ONCE:
            self._mask()

    def look(self) -> Output:
        """Put what has come on disk, and return where it is."""
        self._mask()
        return self._output(final=False)

    def finish(self) -> Output:
        """Put the rest on disk; nothing more will come."""
        self._mask()
        self._keep(self._masker.finish())
        output = self._output(final=True)
        output.chunks, output.chunks_ref = self._times.finish()
        return output

    def _mask(self) -> None:
        if self._raw:
            raw, self._raw, self._raw_size = b"".join(self._raw), [], 0
            for at in range(0, len(raw), PIECE):
                self._keep(self._masker.feed(raw[at : at + PIECE]))

    def _keep(self, masked: Masked) -> None:
        self._spool.add(masked)
        if self._also is not None and masked.data:
            self._also(masked.data)

    def _output(self, *, final: bool) -> Output:
        whole = self._spool.whole()
        if whole is not None and len(whole.data) <= INLINE:
            return Output(value=_text(whole.data), size=self.size)
        if whole is None or not final:
            return Output(ref=self._spool.ref(final=final), size=self.size)
        return Output(ref=self._small(whole), size=self.size)

    def _small(self, whole: Masked) -> str:
        """Store what is small as a text, if it is one: so it is where a tool's result is the same.

        Pieces of it that were stored before take little room in the file.
        """
        value = _text(whole.data)
        if isinstance(value, str) and not whole.masks:
            return self._writer.text(value)
        form = "text" if isinstance(value, str) else "bytes"
        return str(Ref(form, self._writer.store(whole)))


class _Times:
    """The arrivals of a stream, as `traceproof.recorder.chunks` writes them; any number of them."""

    def __init__(self, start: int, writer: TraceWriter) -> None:
        self._last = start // 1000
        self._writer = writer
        self._before = b"["
        self._text = bytearray()
        self._stored: list[BodyPart] = []

    def add(self, time: int, size: int) -> None:
        now = time // 1000
        self._text += b"%b%d,%d" % (self._before, now - self._last, size)
        self._before, self._last = b",", now
        if len(self._text) >= PIECE:
            self._stored += self._writer.parts(bytes(self._text))
            self._text.clear()

    def finish(self) -> tuple[str, str]:
        """Return the list, or the reference to it; nothing where nothing came."""
        self._text += b"]"
        if self._stored:
            rest = self._writer.parts(bytes(self._text))
            return "", self._writer.body([*self._stored, *rest])
        text = self._text.decode()
        if len(text) <= _INLINE_TIMES:
            return text.removeprefix("]"), ""
        return "", self._writer.text(text)


def _text(data: bytes) -> str | bytes:
    """Return bytes as text if they are UTF-8."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data
