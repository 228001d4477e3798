"""The OpenAI Responses API over a web socket: which messages ask, and which end an answer.

One message of the client's, `response.create`, is a request as it would be posted, and asks for one
response after the other; the server's messages are the events of a stream. What they say is the
business of `openai_responses` and `openai_responses_stream`.

Source: https://platform.openai.com/docs/guides/websocket-mode
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from traceproof.proxy.dialects import wire
from traceproof.proxy.dialects.base import Dialect
from traceproof.proxy.dialects.openai_responses import OpenAIResponses
from traceproof.proxy.dialects.openai_responses_stream import ENDS, ResponseAssembler

_HEADER = "ws_request_header_"
"""Metadata of a request that begins so stands for a header, which a message cannot have."""

_REFUSED = 400


class Asked(NamedTuple):
    """A message that asks for a response: the one it goes on from, and its purpose where told.

    `headers` are those that its metadata stands for, names in lower case.
    """

    previous: str
    purpose: str
    headers: dict[str, str] = {}  # noqa: RUF012 - never changed


class Event(NamedTuple):
    """A server's message: whether it is of a response, or is the last of one.

    `status` is an error's, as HTTP would have it, else 0; `headers` are those it has in it.
    """

    of_response: bool = False
    last: bool = False
    status: int = 0
    headers: dict[str, str] = {}  # noqa: RUF012 - never changed


class _Create(msgspec.Struct):
    type: Any = None
    previous_response_id: Any = None
    generate: Any = None
    client_metadata: Any = None


class _Event(msgspec.Struct):
    type: Any = None
    status: Any = None
    headers: Any = None


_create_decoder = msgspec.json.Decoder(_Create)
_event_decoder = msgspec.json.Decoder(_Event)


class ResponsesSocket:
    """`GET …/responses` with an upgrade, on any host and below any gateway's prefix."""

    dialect: Dialect = OpenAIResponses()

    def matches(self, path: str) -> bool:
        """Tell whether an upgrade at a path (without its query) opens such a socket."""
        return path.rstrip("/").endswith("/responses")

    def asked(self, message: bytes) -> Asked | None:
        """Read a client's message; None where it asks for no response."""
        try:
            create = _create_decoder.decode(message)
        except (ValueError, RecursionError):
            return None
        if create.type != "response.create":
            return None
        purpose = "warm_up" if create.generate is False else ""
        headers = dict(_headers(create.client_metadata))
        return Asked(wire.text(create.previous_response_id), purpose, headers)

    def event(self, message: bytes) -> Event:
        """Read a server's message."""
        try:
            event = _event_decoder.decode(message)
        except (ValueError, RecursionError):
            return Event()
        told = wire.record(event.headers).items()
        headers = {name: value for name, value in told if isinstance(value, str)}
        if event.type == "error":
            status = wire.count(event.status) or 0
            return Event(last=True, status=status if status >= _REFUSED else 0, headers=headers)
        kind = wire.text(event.type)
        return Event(kind.startswith("response."), kind in ENDS, headers=headers)

    def assembler(self) -> ResponseAssembler:
        """Return what puts one response together."""
        return ResponseAssembler()


def _headers(metadata: object) -> Iterator[tuple[str, str]]:
    for name, value in wire.record(metadata).items():
        if name.startswith(_HEADER) and isinstance(value, str):
            yield name.removeprefix(_HEADER).replace("_", "-").lower(), value
