"""Masking a secret that a model spells out over many events of a stream.

No event holds the secret, so masking bytes finds nothing, and yet whoever reads the stream can put
it together. So the running text of each channel (an answer, a tool's arguments) is watched. Events
whose text may be the start of a secret are held, and with them all later ones, since bytes leave
in stream order. When the secret is whole, its first fragment gets the mask and the others lose
their part; nothing else in the events changes. What leaves here has been through a `StreamMasker`.

What is known of an event is its bytes and the texts it adds; formats are the business of dialects.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

from traceproof.recorder.event_text import Edit, rewrite
from traceproof.recorder.redaction import Mask, Masked, Redactor, token
from traceproof.recorder.running_text import RunningText
from traceproof.recorder.streaming import StreamMasker

FRAGMENTS = "fragments"
"""The encoding that is recorded for a secret that lay in more than one event."""

HARMLESS = 3
PATIENCE = 32
"""A text that ends with at most 3 bytes that might begin a secret holds back 32 events, not all.

Else an answer that ends in `s` would keep a whole session's stream in memory, and lose it with the
process, for a key that begins with `s`. If the secret does come, up to 3 bytes of it remain.
"""


Fragment: TypeAlias = tuple[str, str]
"""A text that an event adds to a channel: the channel, and the text."""


class _Piece(NamedTuple):
    """A fragment at its place in the channel's text (bytes)."""

    channel: RunningText
    text: str
    start: int
    end: int

    @property
    def settled(self) -> bool:
        return self.channel.settled >= self.end

    @property
    def harmless(self) -> bool:
        return self.channel.length - self.channel.settled <= HARMLESS


class _Held(NamedTuple):
    raw: bytes
    pieces: list[_Piece]


class FragmentMasker:
    """Masks one streamed response, event by event; offsets of masks are within what is returned."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._stream = StreamMasker(redactor)
        self._channels: dict[str, RunningText] = {}
        self._held: deque[_Held] = deque()

    @property
    def held(self) -> int:
        """How many bytes wait for what follows."""
        return self._stream.held + sum(len(event.raw) for event in self._held)

    def feed(self, raw: bytes, fragments: Iterable[Fragment] = ()) -> Masked:
        """Take an event, or bytes between events, and return what may be stored.

        Args:
            raw: the next bytes of the stream.
            fragments: channel and text of each text that they add.
        """
        return self.feed_all([(raw, tuple(fragments))])

    def feed_all(self, events: Sequence[tuple[bytes, Sequence[Fragment]]]) -> Masked:
        """Take many events at once, each as `feed` does, for little more than the price of one."""
        starts = self._grow(events)
        if not self._held and all(self._channels[channel].clear for channel in starts):
            return self._stream.feed(b"".join([raw for raw, _ in events]))
        self._held.extend(self._pieces(events, starts))
        return self._release()

    def close(self, channel: str) -> Masked:
        """Say that a channel's text has ended, and return what waited for that alone."""
        if text := self._channels.get(channel):
            text.close()
        return self._release()

    def finish(self) -> Masked:
        """Return the rest: no more events will come."""
        for text in self._channels.values():
            text.close()
        ready, rest = self._release(), self._stream.finish()
        size = len(ready.data)
        later = [mask._replace(offset=mask.offset + size) for mask in rest.masks]
        return Masked(ready.data + rest.data, ready.masks + later)

    def _grow(self, events: Sequence[tuple[bytes, Sequence[Fragment]]]) -> dict[str, int]:
        """Let the channels' texts grow; return where in each of them the new text begins."""
        added: dict[str, list[str]] = {}
        for _, fragments in events:
            for channel, text in fragments:
                added.setdefault(channel, []).append(text)
        starts: dict[str, int] = {}
        for channel, texts in added.items():
            running = self._channels.get(channel)
            if running is None:
                running = self._channels[channel] = RunningText(self._redactor)
            starts[channel] = running.append(_encoded("".join(texts)))[0]
        return starts

    def _pieces(
        self, events: Sequence[tuple[bytes, Sequence[Fragment]]], starts: dict[str, int]
    ) -> Iterator[_Held]:
        """Say of each event where in its channels' texts its fragments lie."""
        for raw, fragments in events:
            pieces = []
            for channel, text in fragments:
                start = starts[channel]
                starts[channel] = end = start + len(_encoded(text))
                pieces.append(_Piece(self._channels[channel], text, start, end))
            yield _Held(raw, pieces)

    def _release(self) -> Masked:
        parts: list[bytes] = []
        masks: list[Mask] = []
        size = 0
        while self._held and self._may_leave(self._held[0]):
            event = self._held.popleft()
            rewritten = self._rewrite(event)
            masks += [mask._replace(offset=mask.offset + size) for mask in rewritten.masks]
            parts.append(rewritten.data)
            size += len(rewritten.data)
        return self._stream.feed(b"".join(parts), masks)

    def _may_leave(self, event: _Held) -> bool:
        patient = len(self._held) <= PATIENCE
        return all(piece.settled or (piece.harmless and not patient) for piece in event.pieces)

    def _rewrite(self, event: _Held) -> Masked:
        if not any(piece.channel.secrets for piece in event.pieces):
            return Masked(event.raw, [])
        edits: dict[str, list[Edit]] = {}
        for piece in event.pieces:
            if found := list(_edits(piece)):
                edits[piece.text] = _joined(edits.get(piece.text, []) + found)
            piece.channel.forget(piece.end)
        if not edits:
            return Masked(event.raw, [])
        return rewrite(event.raw, edits) or self._hidden(event.raw, edits)

    def _hidden(self, raw: bytes, edits: dict[str, list[Edit]]) -> Masked:
        """Deal with an event that holds a part of a secret, nobody knows where.

        If a secret can be seen in its bytes, the stream's own masks will cover it; else the event
        goes, for a mask.
        """
        if self._redactor.matches(raw):
            return Masked(raw, [])
        name = next((edit.name for found in edits.values() for edit in found if edit.name), "PART")
        end = raw[len(raw.rstrip(b"\r\n")) :]
        start = b'data: "' if raw.lstrip().startswith((b"data:", b"event:", b"id:")) else b'"'
        mask = Mask(len(start), name, FRAGMENTS)
        return Masked(start + token(name) + b'"' + end, [mask])


def _encoded(text: str) -> bytes:
    return text.encode(errors="surrogatepass")


def _edits(piece: _Piece) -> Iterator[Edit]:
    data = _encoded(piece.text)
    for secret in piece.channel.within(piece.start, piece.end):
        start, end = max(secret.start, piece.start), min(secret.end, piece.end)
        whole = secret.start >= piece.start and secret.end <= piece.end
        yield Edit(
            _characters(data[: start - piece.start]),
            _characters(data[: end - piece.start]),
            None if secret.named else secret.name,
            secret.encoding if whole else FRAGMENTS,
        )
        secret.named = True


def _joined(edits: list[Edit]) -> list[Edit]:
    """Put edits in order; two channels that got the same text in one event share theirs."""
    joined: list[Edit] = []
    for edit in sorted(edits, key=lambda edit: edit[:2]):
        if joined and edit.start < joined[-1].end:
            joined[-1] = joined[-1]._replace(end=max(edit.end, joined[-1].end))
        else:
            joined.append(edit)
    return joined


def _characters(data: bytes) -> int:
    """Count the characters of UTF-8 bytes: those that do not continue one."""
    return sum(byte & 0xC0 != 0x80 for byte in data)  # noqa: PLR2004 - UTF-8's own numbers
