"""The messages in one direction of a connection: bytes in, heads and bodies out.

What comes out is what came in, whatever the pieces it came in; nothing is decoded or re-framed.
A reader never blocks, and holds no more than a head that is not whole.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from traceproof.proxy.relay.body import Chunked, Framer, Sized, UntilClosed
from traceproof.proxy.relay.head import (
    HEAD_LIMIT,
    SWITCHING,
    Head,
    Malformed,
    RequestHead,
    ResponseHead,
    parse_request,
    parse_response,
)

HeadT = TypeVar("HeadT", bound=Head)

_BODILESS = (204, 304)
_EMPTY_LINE = b"\r\n\r\n"
_BLANK = b"\r\n"


@dataclass(slots=True)
class Read(Generic[HeadT]):
    """What one feeding brought."""

    heads: list[HeadT] = field(default_factory=list)
    wire: bytes = b""
    """The bytes that followed the heads, as they came."""
    body: bytes = b""
    """Those of them that are body."""
    ended: bool = False
    """Whether the message is over."""
    problem: Malformed | None = None
    """Why it cannot go on; what came before is in the other fields."""


class _Reader(ABC, Generic[HeadT]):
    """What both directions have in common: find the head, then frame the body."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._framer: Framer | None = None
        self._ended = False

    @property
    def begun(self) -> bool:
        """Whether any byte of the message has come."""
        return self._framer is not None or bool(self._held)

    @property
    def rest(self) -> bytes:
        """What came after the message's end."""
        return bytes(self._held) if self._ended else b""

    def feed(self, data: bytes) -> Read[HeadT]:
        """Take bytes; after the message's end they wait in `rest`."""
        read: Read[HeadT] = Read()
        try:
            self._feed(data, read)
        except Malformed as problem:
            read.problem = problem
        return read

    def _feed(self, data: bytes, read: Read[HeadT]) -> None:
        if self._ended:
            self._held += data
            return
        if self._held:
            searched = max(0, len(self._held) + 1 - len(_EMPTY_LINE))
            self._held += data
            if len(self._held) <= HEAD_LIMIT and self._held.find(_EMPTY_LINE, searched) < 0:
                return
            data, self._held = bytes(self._held), bytearray()
        start = 0
        while self._framer is None and start >= 0:
            start = self._take_head(data, start, read)
        if start >= 0:
            self._take_body(data, start, read)

    def _take_head(self, data: bytes, start: int, read: Read[HeadT]) -> int:
        """Take a head from `start` on; return where it ends, -1 if it is not whole."""
        end = data.find(_EMPTY_LINE, start) + len(_EMPTY_LINE)
        whole = end >= len(_EMPTY_LINE)
        if (end if whole else len(data)) - start > HEAD_LIMIT:
            raise Malformed(f"the headers are longer than {HEAD_LIMIT // 1024} KiB", 431)
        if not whole:
            self._held += data[start:]
            return -1
        head, self._framer = self._open(data[start:end])
        read.heads.append(head)
        return end

    def _take_body(self, data: bytes, start: int, read: Read[HeadT]) -> None:
        framer = self._framer
        if framer is not None and not framer.ended and start < len(data):
            part = framer.feed(data, start)
            read.body = part.body
            unframed = len(part.body) == part.end - start
            read.wire = part.body if unframed else _between(data, start, part.end)
            read.problem = part.problem
            start = part.end
        self._ended = read.ended = framer is not None and framer.ended
        if self._ended:
            self._held += data[start:]

    @abstractmethod
    def _open(self, raw: bytes) -> tuple[HeadT, Framer | None]:
        """Read a head, and tell how its body is framed; None if another head follows."""


class RequestReader(_Reader[RequestHead]):
    """What a client sends, one request at a time."""

    def proceed(self) -> bytes:
        """Make ready for the next request; return what has come of it, to be fed again."""
        rest = self.rest
        self._held = bytearray()
        self._framer, self._ended = None, False
        return rest

    def _feed(self, data: bytes, read: Read[RequestHead]) -> None:
        if self._framer is None and len(self._held) < len(_BLANK):
            # Old clients send an empty line after a body, perhaps in two pieces.
            data = (bytes(self._held) + data).removeprefix(_BLANK)
            self._held.clear()
        super()._feed(data, read)

    def _open(self, raw: bytes) -> tuple[RequestHead, Framer]:
        head = parse_request(raw)
        if head.method == "CONNECT":
            return head, Sized(0)  # what follows is the tunnel's
        length = head.length()
        coding = head.items(b"transfer-encoding")
        if not coding and not head.values(b"transfer-encoding"):
            return head, Sized(length or 0)
        if length is not None:
            raise Malformed("both Content-Length and Transfer-Encoding")
        if coding != [b"chunked"] or not head.minor:
            raise Malformed("Transfer-Encoding is not just chunked")
        if len(head.values(b"transfer-encoding")) > 1:
            raise Malformed("more than one Transfer-Encoding")
        return head, Chunked()


class ResponseReader(_Reader[ResponseHead]):
    """What a server answers to one request."""

    def __init__(self, method: str) -> None:
        super().__init__()
        self._method = method

    def eof(self) -> bool:
        """Tell whether the answer is whole now that the server has ended."""
        return self._framer is not None and self._framer.eof()

    @property
    def delimited(self) -> bool:
        """Whether its end was told by something else than the connection's end."""
        return not isinstance(self._framer, UntilClosed)

    def _open(self, raw: bytes) -> tuple[ResponseHead, Framer | None]:
        head = parse_response(raw)
        if head.interim:
            return head, None
        length = head.length()
        coding = head.items(b"transfer-encoding")
        if self._method == "HEAD" or head.status in (*_BODILESS, SWITCHING):
            return head, Sized(0)
        if coding and length is not None:
            raise Malformed("both Content-Length and Transfer-Encoding")
        if coding:
            return head, Chunked() if coding[-1] == b"chunked" else UntilClosed()
        return head, UntilClosed() if length is None else Sized(length)


def _between(data: bytes, start: int, end: int) -> bytes:
    return data if end - start == len(data) else data[start:end]
