"""What a wire format is: pure functions from a turn to bytes. Each has its file; this is shared.

To add a format, write a module with a class of this protocol and name it in `WIRES`
(`formats.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any, NamedTuple, Protocol

import msgspec

from traceproof.proxy.testing.parts import (
    AnyPart,
    Cite,
    Custom,
    Redacted,
    Refuse,
    Say,
    ServerTool,
    Think,
    Use,
)
from traceproof.proxy.testing.request import View
from traceproof.proxy.testing.script import Turn

CHARACTERS_PER_TOKEN = 4
CREATED = 1_750_000_000
"""Unix seconds; constant, so that the same turn gives the same bytes."""


class Reply(NamedTuple):
    """A turn on its way to one conversation: all that its bytes depend on."""

    turn: Turn
    scene: int
    step: int
    conversation: str
    model: str
    choices: int = 1
    include_usage: bool = True
    array: bool = False

    def mark(self, what: str) -> str:
        """Return the end of an id: it tells scene, step and `what`, and differs by conversation."""
        place = f"s{self.scene}t{self.step}{what}" if self.scene >= 0 else what
        return place + sha256(f"{self.conversation}{place}".encode()).hexdigest()[:12]


class Wire(Protocol):
    """One provider wire format, from the provider's side."""

    name: str
    id_header: str
    """The response header that carries the request's id."""

    def matches(self, method: str, path: str) -> bool:
        """Tell whether a request is a model call of this format."""

    def speaks(self, headers: Sequence[tuple[str, str]]) -> bool:
        """Tell by its headers whether a client expects this format's errors."""

    def view(self, body: dict[str, Any], target: str = "") -> View:
        """Say in no provider's terms what is asked; raise TypeError where it is malformed.

        `target` is the request's, for the formats in which it says a part.
        """

    def events(self, reply: Reply) -> list[bytes]:
        """Return the events of the streamed answer, each with its end."""

    def whole(self, reply: Reply) -> bytes:
        """Return the body of the answer that is not streamed."""

    def event(self, data: Any) -> bytes:
        """Frame JSON as one event of a stream."""

    def element(self, data: Any) -> bytes:
        """Frame JSON as a further element, in a stream that is one JSON array."""

    def error(self, status: int, kind: str | None, message: str | None) -> dict[str, Any]:
        """Return an error in this provider's shape."""

    def other(self, method: str, path: str, body: bytes) -> dict[str, Any] | None:
        """Answer a request beside model calls (a token count), or None."""


def encode(value: Any) -> bytes:
    """Encode as compact JSON."""
    return msgspec.json.encode(value)


def sse(data: bytes | str, name: str | None = None) -> bytes:
    """Frame one server-sent event."""
    payload = data.encode() if isinstance(data, str) else data
    head = b"" if name is None else b"event: %s\n" % name.encode()
    return b"%sdata: %s\n\n" % (head, payload)


def pieces(text: str, size: int) -> Iterator[str]:
    """Cut a text into pieces of `size` characters; an empty text is one empty piece."""
    for start in range(0, len(text) or 1, size):
        yield text[start : start + size]


def spoken(part: AnyPart) -> str:
    """Return what of a part counts as output."""
    match part:
        case Say() | Think() | Cite() | Refuse():
            return part.text
        case Use() | ServerTool():
            return part.name + encode(part.input).decode()
        case Custom():
            return part.name + part.text
        case Redacted():
            return part.data
        case _:
            return ""


def output_tokens(turn: Turn) -> int:
    """Return the turn's count of output tokens: as scripted, or one for four characters."""
    if turn.usage.output is not None:
        return turn.usage.output
    return sum(len(spoken(part)) for part in turn.parts) // CHARACTERS_PER_TOKEN + 1
