"""Heads of HTTP/1 messages: parsed strictly, kept as they came.

What two parsers could read in two ways (bare line feeds, folded lines, two lengths) is refused: a
message must not end elsewhere for us than for the server. Nothing here knows sockets or bodies.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

HEAD_LIMIT = 128 * 1024
"""Bytes of a head; the largest that a model API is known to take."""

Fields: TypeAlias = list[tuple[bytes, bytes]]

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_REQUEST = re.compile(rb"(%b) ([\x21-\x7e\x80-\xff]+) HTTP/1\.([01])" % _TOKEN)
_TEXT = rb"[\t\x20-\x7e\x80-\xff]*"
_STATUS = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: %b)?" % _TEXT)
_FIELD = re.compile(rb"(%b):(%b)" % (_TOKEN, _TEXT))
_LENGTH = re.compile(rb"[0-9]{1,18}")


class Malformed(ValueError):  # noqa: N818 (what it is, as the answer says)
    """Bytes that are not HTTP/1, or not so that everybody would read them alike."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status
        """What a client that sent it is answered."""


@dataclass
class Head:
    """A message's head; `lines` are its header lines as they came, one for each field."""

    raw: bytes
    minor: int
    """The version's second number: HTTP/1.0 or HTTP/1.1."""
    fields: Fields
    lines: list[bytes]

    def values(self, name: bytes) -> list[bytes]:
        """Return the values of a field; the name in lower case."""
        return [value for key, value in self.fields if key.lower() == name]

    def items(self, name: bytes) -> list[bytes]:
        """Return the comma-separated items of a field, in lower case."""
        parts = b",".join(self.values(name)).lower().split(b",")
        return [item for item in (part.strip(b" \t") for part in parts) if item]

    @cached_property
    def persists(self) -> bool:
        """Whether the connection outlives the message, as far as its sender is concerned."""
        options = self.items(b"connection")
        return b"close" not in options if self.minor else b"keep-alive" in options

    def length(self) -> int | None:
        """Return the Content-Length; None if there is none.

        Raises:
            Malformed: It is no number, or there are several that differ.
        """
        values = set(self.values(b"content-length"))
        if not values:
            return None
        value = values.pop()
        if values or not _LENGTH.fullmatch(value):
            raise Malformed("malformed Content-Length")
        return int(value)


@dataclass
class RequestHead(Head):
    """What a client asks."""

    method: str
    target: bytes

    @property
    def upgrades(self) -> bool:
        """Whether it asks for another protocol (a web socket)."""
        return b"upgrade" in self.items(b"connection") and bool(self.values(b"upgrade"))

    @property
    def waits(self) -> bool:
        """Whether the client waits to be told to send its body."""
        return bool(self.minor) and self.items(b"expect") == [b"100-continue"]


@dataclass
class ResponseHead(Head):
    """What a server answers."""

    status: int

    @property
    def interim(self) -> bool:
        """Whether another head follows."""
        return self.status < 200 and self.status != SWITCHING  # noqa: PLR2004 (as HTTP has it)


SWITCHING = 101


def parse_request(raw: bytes) -> RequestHead:
    r"""Read a request's head, with its empty line.

    >>> parse_request(b"GET /v1 HTTP/1.1\r\nHost: a\r\n\r\n").target
    b'/v1'

    Raises:
        Malformed: It is none.
    """
    first, fields, lines = _split(raw)
    found = _REQUEST.fullmatch(first)
    if found is None:
        raise Malformed("malformed request line")
    method, target, minor = found.groups()
    head = RequestHead(raw, int(minor), fields, lines, method.decode(), target)
    if len(head.values(b"host")) > 1:
        raise Malformed("more than one Host header")
    return head


def parse_response(raw: bytes) -> ResponseHead:
    """Read a response's head, with its empty line.

    Raises:
        Malformed: It is none.
    """
    first, fields, lines = _split(raw)
    found = _STATUS.fullmatch(first)
    if found is None:
        raise Malformed("malformed status line")
    return ResponseHead(raw, int(found[1]), fields, lines, int(found[2]))


def parse_trailers(raw: bytes) -> None:
    """Check the trailers of a chunked body, with their empty line.

    Raises:
        Malformed: They are none.
    """
    if raw != b"\r\n":
        _split(b"\r\n" + raw)


def _split(raw: bytes) -> tuple[bytes, Fields, list[bytes]]:
    first, *lines = raw[:-4].split(b"\r\n")
    if b"\n" in first or b"\r" in first:
        raise Malformed("a line does not end with CR LF")
    return first, list(map(_field, lines)), lines


def _field(line: bytes) -> tuple[bytes, bytes]:
    if b"\n" in line or b"\r" in line:
        raise Malformed("a line does not end with CR LF")
    if line[:1] in (b" ", b"\t"):
        raise Malformed("a header is folded over two lines")
    found = _FIELD.fullmatch(line)
    if found is None:
        raise Malformed("malformed header line")
    return found[1], found[2].strip(b" \t")
