"""Takes in a model's answer as it comes: decoded, parsed, masked, on disk before it is whole.

One for each exchange, used from the recorder's thread. The relay appends chunks; `look` takes what
has come since, and `finish` the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Protocol

from traceproof.proxy.dialects.base import (
    ChatResponse,
    Dialect,
    StreamEvent,
    StreamParser,
    Texts,
)
from traceproof.proxy.encodings import Decoder
from traceproof.proxy.exchange import Exchange, Headers
from traceproof.recorder import semconv
from traceproof.recorder.blobs import Ref
from traceproof.recorder.fragments import FragmentMasker
from traceproof.recorder.manifests import Joined
from traceproof.recorder.redaction import Mask, Masked, Redactor
from traceproof.recorder.span import Attributes
from traceproof.recorder.writer import TraceWriter

_AT_ONCE = 4 << 20
_AT_ONCE_ENCODED = 1 << 17
"""Bytes up to which a body is dealt with in one go, as nearly all are; encoded ones may swell."""

_PIECE = 1 << 20
_DECODED = 64 << 20
"""Bytes that an encoded body may decode to, before the rest of it is left out."""


class AnyAnswer(Protocol):
    """The body of a response as it comes, whatever it comes over."""

    problem: str

    def look(self) -> Attributes:
        """Put what has arrived on disk and return the attributes that say where."""

    def finish(self) -> Attributes:
        """Put the rest on disk and return the attributes that say where the body is."""

    def response(self) -> ChatResponse:
        """Return what the dialect makes of the body, after `finish`."""


class Answer:
    """The body of one response."""

    def __init__(
        self, exchange: Exchange, dialect: Dialect, redactor: Redactor, writer: TraceWriter
    ) -> None:
        """Begin with the response's headers, which must be known."""
        self._exchange = exchange
        self._dialect = dialect
        self._redactor = redactor
        self._writer = writer
        self._taken = 0
        self._encoding = header(exchange.response_headers, "content-encoding")
        self._decoder, self.problem = _decoder(self._encoding)
        self._parser = self._stream_parser()
        self._masker = FragmentMasker(redactor)
        self._bytes = bytearray()
        self._offset = 0
        self._whole: list[bytes] = []
        self._ready: list[Masked] = []
        self._segments: list[str] = []
        self._masked = False
        self._room = _DECODED
        self._stopped = False

    def look(self) -> Attributes:
        """Put what has arrived on disk and return the attributes that say where."""
        self._take()
        return self._store_segments()

    def finish(self) -> Attributes:
        """Put the rest on disk and return the attributes that say where the body is."""
        if self._taken == 0 and self._is_small():
            return self._at_once()
        self._take()
        self._end_of_stream()
        attributes = self._store_segments()
        if self._encoding and not self._masked and not self._stopped:
            return self._as_sent()
        return attributes

    def response(self) -> ChatResponse:
        """Return what the dialect makes of the body, after `finish`."""
        if self._parser is not None:
            return self._parser.close()
        return self._dialect.response(b"".join(self._whole))

    # --- taking in --------------------------------------------------------------------------------

    def _stream_parser(self) -> StreamParser | None:
        kind = header(self._exchange.response_headers, "content-type").lower()
        streams = "event-stream" in kind or (self._dialect.json_streams and "json" in kind)
        return self._dialect.stream() if streams else None

    def _raw(self) -> bytes:
        chunks = self._exchange.response_chunks[self._taken :]
        self._taken += len(chunks)
        return b"".join(chunk.data for chunk in chunks)

    def _is_small(self) -> bool:
        size = sum(len(chunk.data) for chunk in self._exchange.response_chunks)
        return size <= (_AT_ONCE if self._decoder is None else _AT_ONCE_ENCODED)

    def _decode(self, raw: bytes) -> Iterator[bytes]:
        """Yield decoded bytes in pieces of bounded size; what a bomb holds too much is left."""
        if self._decoder is None:
            yield from (raw[at : at + _PIECE] for at in range(0, len(raw), _PIECE))
            return
        for piece in self._decoder.pieces(raw):
            if self._room < len(piece):
                self._stopped = True
                self.problem = f"stopped: the body decodes to more than {_DECODED} bytes"
                return
            self._room -= len(piece)
            yield piece

    def _take(self) -> None:
        for data in self._decode(self._raw()):
            self._take_decoded(data)
            if sum(len(masked.data) for masked in self._ready) > _PIECE:
                self._store_segments()

    def _take_decoded(self, data: bytes) -> None:
        if self._parser is None:
            self._whole.append(data)
            self._release(self._masker.feed(data))
            return
        self._bytes += data
        self._take_events(self._parser.feed(data))

    def _take_events(self, events: Iterable[StreamEvent]) -> None:
        """Mask events, and the bytes before and between them."""
        taken: list[tuple[bytes, list[tuple[str, str]]]] = []
        whole, at = bytes(self._bytes), 0
        for event in events:
            start, end = event.start - self._offset, event.end - self._offset
            if start > at:
                taken.append((whole[at:start], []))
            taken.append((whole[start:end], fragments(event)))
            at = end
        del self._bytes[:at]
        self._offset += at
        self._release(self._masker.feed_all(taken))

    def _end_of_stream(self) -> None:
        if self._parser is not None:
            self._take_events(self._parser.finish())
            self._release(self._masker.feed(bytes(self._bytes)))
            self._bytes.clear()
        self._release(self._masker.finish())
        self._end_of_encoding()

    def _end_of_encoding(self) -> None:
        if self._decoder is not None:
            self._decoder.finish()
            self.problem = self.problem or self._decoder.problem

    def _release(self, masked: Masked) -> None:
        if masked.data:
            self._ready.append(masked)
        self._masked = self._masked or bool(masked.masks)

    def _at_once(self) -> Attributes:
        """Store a body of which nothing is on disk yet; usually nothing in it is secret."""
        raw = self._raw()
        data = b"".join(self._decode(raw))
        self._end_of_encoding()
        texts: Texts = {}
        if self._parser is None:
            self._whole.append(data)
        else:
            texts = self._parser.read(data)
        if self._holds_secret(texts):
            masked = self._mask_events(data)
        elif self._encoding:
            masked = self._redactor.mask(data)
        else:
            return self._attributes(self._writer.blob(data))  # where all is masked
        if not masked.masks and not self._stopped and self._encoding:
            return self._as_sent()
        self._masked = bool(masked.masks)
        return self._attributes(self._writer.blob(masked.data, masked.masks))

    def _holds_secret(self, texts: Texts) -> bool:
        return any(
            self._redactor.matches("".join(parts).encode(errors="surrogatepass"))
            for parts in texts.values()
        )

    def _mask_events(self, data: bytes) -> Masked:
        """Mask a whole stream event by event."""
        self._bytes += data
        parser = self._dialect.stream()
        self._take_events(chain(parser.feed(data), parser.finish()))
        self._release(self._masker.feed(bytes(self._bytes)))
        self._release(self._masker.finish())
        return joined(self._ready)

    # --- storing ----------------------------------------------------------------------------------

    def _store_segments(self) -> Attributes:
        if self._ready:
            masked = joined(self._ready)
            self._ready = []
            self._segments += [
                name
                for name in self._writer.parts(masked.data, masked.masks)
                if isinstance(name, str)
            ]
        if not self._segments:
            return {}
        segments = Ref.parse(self._writer.list_(self._segments, "segments"))
        return self._attributes(self._writer.body([Joined(segments.sha256, "")]))

    def _attributes(self, ref: str) -> Attributes:
        attributes: Attributes = {semconv.REF + semconv.RESPONSE_BODY: ref}
        if self._encoding:
            attributes[semconv.RESPONSE_ENCODING] = self._encoding
            attributes[semconv.BODY_KEPT_DECODED] = "response"
        return attributes

    def _as_sent(self) -> Attributes:
        raw = b"".join(chunk.data for chunk in self._exchange.response_chunks)
        return {
            semconv.REF + semconv.RESPONSE_BODY: self._writer.blob(raw),
            semconv.RESPONSE_ENCODING: self._encoding,
        }


def fragments(event: StreamEvent) -> list[tuple[str, str]]:
    """Return the texts that an event adds, each to its channel."""
    first = [] if event.channel is None else [(event.channel, event.text)]
    return [*first, *event.more]


def header(headers: Headers, name: str) -> str:
    """Return a header's value, the values of repeated ones joined by commas, or ""."""
    return ", ".join(value for key, value in headers if key.lower() == name)


def _decoder(encoding: str) -> tuple[Decoder | None, str]:
    if not encoding or encoding.strip().lower() == "identity":
        return None, ""
    try:
        return Decoder(encoding), ""
    except (LookupError, ValueError) as error:
        return None, str(error)


def joined(pieces: list[Masked]) -> Masked:
    """Join masked bytes; the offsets of masks become those in the whole."""
    masks: list[Mask] = []
    size = 0
    for piece in pieces:
        masks += [mask._replace(offset=mask.offset + size) for mask in piece.masks]
        size += len(piece.data)
    return Masked(b"".join(piece.data for piece in pieces), masks)
