"""A web socket's frames, the server's side. Pure: bytes in, messages out, and the other way round.

What comes is read by wsproto, which the extra `proxy` brings. What goes out is framed here, for a
fragment may end anywhere, also inside a character, which wsproto does not let happen.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from traceproof.proxy.testing.messages import Messages

try:
    from wsproto import connection, events, extensions
except ImportError:  # the base package suffices for all but web sockets
    connection = None  # type: ignore[assignment]

TEXT, CONTINUATION, PING = 1, 0, 9
FIN, COMPRESSED = 0x80, 0x40
SHORT, MEDIUM = 126, 1 << 16
WINDOW = -15
FLUSH_END = b"\x00\x00\xff\xff"
PING_WORDS = b"still there?"


class Frames:
    """One connection's frames, both ways.

    Args:
        parameters: What was agreed on compression, None for none.

    Raises:
        RuntimeError: wsproto is not installed.
    """

    def __init__(self, parameters: Sequence[str] | None) -> None:
        if connection is None:
            raise RuntimeError("web sockets need wsproto: pip install traceproof[proxy]")
        self._incoming = connection.Connection(connection.SERVER, _extensions(parameters))
        self._parts: list[str | bytes] = []
        self._deflates = parameters is not None
        self._forgets = "server_no_context_takeover" in (parameters or ())
        self._compressor: Any = None
        self.replies = b""
        """What the protocol itself wants sent at once: pongs, and the echo of a close."""
        self.started = False
        """Whether a message has begun that has not ended."""
        self.closed = False
        """Whether the client has closed, or sent what is no web socket's."""

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes as they came and return the payloads of the messages they complete."""
        self._incoming.receive_data(data)
        return [payload for event in self._incoming.events() for payload in self._take(event)]

    def _take(self, event: Any) -> Iterator[bytes]:
        if isinstance(event, events.Message):
            self._parts.append(event.data)
            self.started = not event.message_finished
            if event.message_finished:
                parts, self._parts = self._parts, []
                yield b"".join(p.encode() if isinstance(p, str) else bytes(p) for p in parts)
        elif isinstance(event, events.Ping):
            self.replies += self._incoming.send(event.response())
        elif isinstance(event, events.CloseConnection) and not self.closed:
            self.closed = True
            self.replies += self._incoming.send(event.response())

    def writes(self, answer: Messages) -> list[bytes]:
        """Return an answer's frames, one for each of its chunks, with the pings before them.

        A chunk that was cut short breaks off inside its frame.
        """
        framed: list[bytes] = []
        start = 0
        for end in (*answer.ends, len(answer.plan)):
            if end > start:
                framed += self._message(answer.plan[start:end], deflate=answer.deflate)
            start = end
        whole = zip(framed, answer.plan, answer.chunks, strict=False)
        sent = [data[: len(data) - len(plan) + len(chunk)] for data, plan, chunk in whole]
        ping = frame(PING, PING_WORDS)
        return [ping + data if at in answer.pings else data for at, data in enumerate(sent)]

    def _message(self, fragments: Sequence[bytes], *, deflate: bool) -> Iterator[bytes]:
        compressed = deflate and self._deflates
        if compressed:
            fragments = _as_many(self._compressed(b"".join(fragments)), len(fragments))
        last = len(fragments) - 1
        for number, fragment in enumerate(fragments):
            first = number == 0
            bits = FIN * (number == last) | COMPRESSED * (first and compressed)
            yield frame((TEXT if first else CONTINUATION) | bits, fragment, fin=False)

    def _compressed(self, payload: bytes) -> bytes:
        if self._compressor is None or self._forgets:
            self._compressor = zlib.compressobj(wbits=WINDOW)
        data = self._compressor.compress(payload) + self._compressor.flush(zlib.Z_SYNC_FLUSH)
        return bytes(data.removesuffix(FLUSH_END))


def frame(first: int, payload: bytes, *, fin: bool = True) -> bytes:
    """Frame a payload, unmasked as servers do; `first` is the first byte's opcode and bits."""
    first |= FIN * fin
    size = len(payload)
    if size < SHORT:
        return struct.pack("!BB", first, size) + payload
    if size < MEDIUM:
        return struct.pack("!BBH", first, SHORT, size) + payload
    return struct.pack("!BBQ", first, SHORT + 1, size) + payload


def _as_many(data: bytes, count: int) -> list[bytes]:
    """Cut bytes into so many pieces of much the same size; some are empty where bytes are few."""
    cuts = [len(data) * number // count for number in range(count + 1)]
    return [data[start:end] for start, end in pairwise(cuts)]


def _extensions(parameters: Sequence[str] | None) -> list[Any]:
    if parameters is None:
        return []
    deflate = extensions.PerMessageDeflate()
    deflate.finalize("; ".join(["", *parameters]))
    return [deflate]
