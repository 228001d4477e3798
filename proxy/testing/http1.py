"""Reads HTTP/1.1 requests from bytes, the server's side. Pure: bytes in, events out.

Not a general server's parser: enough for the clients that agents use, keeping every byte of the
body as sent.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import NamedTuple, TypeAlias

HEAD_LIMIT = 1 << 20
HEAD_END = b"\r\n\r\n"
LINE_END = b"\r\n"
VERSIONS = ("HTTP/1.1", "HTTP/1.0")


class Head(NamedTuple):
    """A request line and its headers; the body is still to come."""

    method: str
    target: str
    version: str
    headers: list[tuple[str, str]]

    def header(self, name: str) -> str:
        """Return a header's value by its name in lower case, or an empty string."""
        return next((value for key, value in self.headers if key.lower() == name), "")

    @property
    def keep_alive(self) -> bool:
        """Whether the client wants the connection to stay open."""
        options = self.header("connection").lower()
        return "keep-alive" in options if self.version == "HTTP/1.0" else "close" not in options

    @property
    def expects_continue(self) -> bool:
        """Whether the client waits for `100 Continue` before it sends the body."""
        return self.header("expect").lower() == "100-continue"


class Body(NamedTuple):
    """The body of the request whose head came before."""

    data: bytes


Event: TypeAlias = Head | Body
Reading: TypeAlias = Generator[Event | None, None, bytes]


class RequestReader:
    """Reads the requests of one connection, pipelined ones too."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._reading = self._requests()

    def feed(self, data: bytes) -> list[Event]:
        """Take bytes as they came and return the events they complete.

        Raises:
            ValueError: This is no HTTP/1.1.
        """
        self._buffer += data
        events = []
        while (event := next(self._reading)) is not None:
            events.append(event)
        return events

    def _requests(self) -> Generator[Event | None, None, None]:
        """Yield events, and None where more bytes are needed."""
        while True:
            head = parse_head((yield from self._until(HEAD_END)))
            yield head
            if "chunked" in head.header("transfer-encoding").lower():
                body = yield from self._chunked()
            else:
                body = yield from self._exactly(int(head.header("content-length") or 0))
            yield Body(body)

    def _until(self, mark: bytes) -> Reading:
        """Take the bytes up to a mark, and the mark off the buffer."""
        while (end := self._buffer.find(mark)) < 0:
            if len(self._buffer) > HEAD_LIMIT:
                raise ValueError(f"no end of the headers within {HEAD_LIMIT} bytes")
            yield None
        found = bytes(self._buffer[:end])
        del self._buffer[: end + len(mark)]
        return found

    def _exactly(self, count: int) -> Reading:
        while len(self._buffer) < count:
            yield None
        found = bytes(self._buffer[:count])
        del self._buffer[:count]
        return found

    def _chunked(self) -> Reading:
        body = bytearray()
        while size := int((yield from self._until(LINE_END)).split(b";")[0], 16):
            body += yield from self._exactly(size)
            yield from self._exactly(len(LINE_END))
        while (yield from self._until(LINE_END)):
            pass  # trailers
        return bytes(body)


def parse_head(block: bytes) -> Head:
    """Parse a request line and headers, without the blank line that ends them.

    Raises:
        ValueError: This is no HTTP/1.1.
    """
    first, *rest = block.decode("latin-1").lstrip("\r\n").split("\r\n")
    method, _, target = first.partition(" ")
    target, _, version = target.partition(" ")
    if version not in VERSIONS:
        raise ValueError(f"not a request line of HTTP/1.1: {first[:80]!r}")
    named = (line.partition(":") for line in rest)
    return Head(method, target, version, [(name, value.strip()) for name, _, value in named])
