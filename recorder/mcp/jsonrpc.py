"""JSON-RPC messages, read as far as the recorder needs: what is large stays as the bytes it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

import msgspec

_T = TypeVar("_T")
_NONE = msgspec.Raw(b"")


class Failure(msgspec.Struct):
    """The error of an answer."""

    code: int = 0
    message: str = ""


class Message(msgspec.Struct):
    """One message. `key` is its id as JSON, "" where it has none."""

    method: str | None = None
    id: msgspec.Raw = _NONE
    params: msgspec.Raw = _NONE
    result: msgspec.Raw = _NONE
    error: Failure | None = None
    jsonrpc: str = ""

    @property
    def key(self) -> str:
        """Return the id as JSON, so that 1 and "1" are two; "" for none."""
        text = bytes(self.id).decode("utf-8", "replace")
        return "" if text == "null" else text

    @property
    def asks(self) -> bool:
        """Whether this is a request, which is to be answered."""
        return self.method is not None and bool(self.key)

    @property
    def answers(self) -> bool:
        """Whether this is an answer."""
        return self.method is None and bool(self.key)


class Call(msgspec.Struct):
    """The parameters of `tools/call`."""

    name: str = ""
    arguments: msgspec.Raw = _NONE
    meta: dict[str, object] = msgspec.field(name="_meta", default_factory=dict)


class Cancelled(msgspec.Struct):
    """The parameters of `notifications/cancelled`."""

    request_id: msgspec.Raw = msgspec.field(name="requestId", default=_NONE)
    reason: str = ""


class CallResult(msgspec.Struct):
    """What of the result of `tools/call` is looked at."""

    is_error: bool = msgspec.field(name="isError", default=False)


class Initialize(msgspec.Struct):
    """What of the result of `initialize` is looked at."""

    protocol: str = msgspec.field(name="protocolVersion", default="")
    server: msgspec.Raw = msgspec.field(name="serverInfo", default=_NONE)
    instructions: str = ""


class Tools(msgspec.Struct):
    """What of the result of `tools/list` is looked at."""

    tools: list[msgspec.Raw] = []
    cursor: str | None = msgspec.field(name="nextCursor", default=None)


_ONE = msgspec.json.Decoder(Message)
_BATCH = msgspec.json.Decoder(list[msgspec.Raw])


def read(line: bytes) -> Iterator[Message]:
    """Yield the messages in a line (or a body): one, a batch, or none where it is no JSON-RPC."""
    batched = line.lstrip()[:1] == b"["
    try:
        parts = _BATCH.decode(line) if batched else [msgspec.Raw(line)]
    except (msgspec.DecodeError, UnicodeDecodeError):
        return
    for part in parts:
        try:
            message = _ONE.decode(part)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
        if message.jsonrpc == "2.0":
            # a Raw is a view of the whole line, which need not be kept for it
            yield message


def parse(raw: msgspec.Raw, kind: type[_T]) -> _T | None:
    """Return what raw JSON holds; None where it is not that."""
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def text(raw: msgspec.Raw) -> str:
    """Return raw JSON as text."""
    return bytes(raw).decode("utf-8", "replace")
