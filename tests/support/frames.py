"""Web-socket frames as wsproto makes them, and exchanges that carry them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from wsproto.extensions import PerMessageDeflate
from wsproto.frame_protocol import FrameProtocol

from traceproof.proxy.exchange import Chunk, Exchange

DEFLATE = "permessage-deflate"


class Peer:
    """One side of a web socket, which only sends.

    Args:
        client: Whether it is the client, which masks what it sends.
        deflate: The extension as the server agreed to it; "" for none.
    """

    def __init__(self, *, client: bool, deflate: str = "") -> None:
        extension = PerMessageDeflate()
        if deflate:
            extension.finalize(deflate)
        self._protocol = FrameProtocol(client=client, extensions=[extension])

    def message(self, payload: str | bytes, *cuts: int, ping: bool = False) -> bytes:
        """Frame a message, in fragments that end at the cuts; a ping may follow each fragment."""
        edges = [0, *cuts, len(payload)]
        made = b""
        for number, (start, end) in enumerate(pairwise(edges)):
            made += self._protocol.send_data(payload[start:end], fin=number == len(cuts))
            made += self._protocol.ping(b"there?") if ping else b""
        return made

    def close(self, code: int | None = None, reason: str | None = None) -> bytes:
        return self._protocol.close(code, reason)


class Tape:
    """A socket's exchange as the relay makes it: what each side says, a millisecond apart."""

    def __init__(self, *, deflate: str = "", path: str = "/v1/responses", **more: Any) -> None:
        offered = [("sec-websocket-extensions", deflate)] if deflate else []
        headers = [("connection", "Upgrade"), ("upgrade", "websocket")]
        fields: dict[str, Any] = {
            "method": "GET",
            "scheme": "https",
            "host": "api.openai.com",
            "port": 443,
            "path": path,
            "http_version": "HTTP/1.1",
            "request_headers": headers,
            "started": 10**9,
            "request_ended": 10**9,
            "status": 101,
            "response_headers": [*headers, *offered],
            "response_started": 10**9 + 1,
        }
        self.exchange = Exchange(**{**fields, **more})
        self.client = Peer(client=True, deflate=deflate)
        self.server = Peer(client=False, deflate=deflate)
        self.sent: list[bytes] = []
        self.told: list[bytes] = []
        self._now = 10**9

    def send(self, **request: Any) -> bytes:
        """Let the client ask for a response."""
        text = json.dumps({"type": "response.create", "model": "m-1", **request})
        self.asks(self.client.message(text))
        self.sent.append(text.encode())
        return self.sent[-1]

    def tell(self, *events: Any) -> None:
        """Let the server send events."""
        for event in events:
            text = json.dumps(event)
            self.says(self.server.message(text))
            self.told.append(text.encode())

    def asks(self, frames: bytes) -> None:
        self.exchange.request_chunks.append(Chunk(self.tick(), frames))

    def says(self, frames: bytes) -> None:
        self.exchange.response_chunks.append(Chunk(self.tick(), frames))

    def answer(self, response_id: str, *items: dict[str, Any]) -> None:
        """Let the server answer with these items."""
        self.begin(response_id)
        for number, item in enumerate(items):
            self.tell({"type": "response.output_item.done", "output_index": number, "item": item})
        self.complete(response_id)

    def begin(self, response_id: str) -> None:
        response = {"id": response_id, "status": "in_progress", "model": "m-1-2026"}
        self.tell({"type": "response.created", "response": response})

    def complete(self, response_id: str) -> None:
        usage = {"input_tokens": 7, "output_tokens": 2, "total_tokens": 9}
        response = {"id": response_id, "status": "completed", "usage": usage, "output": []}
        self.tell({"type": "response.completed", "response": response})

    def end(self, error: str = "") -> Exchange:
        self.exchange.ended, self.exchange.error = self.tick(), error
        return self.exchange

    def tick(self) -> int:
        self._now += 10**6
        return self._now


def said(text: str) -> dict[str, Any]:
    """Return a message item of the model's."""
    part = {"type": "output_text", "text": text, "annotations": []}
    return {"type": "message", "id": "msg_1", "role": "assistant", "content": [part]}


def called(call_id: str, name: str, arguments: str) -> dict[str, Any]:
    """Return a function call of the model's."""
    call = {"type": "function_call", "id": f"fc_{call_id}", "call_id": call_id}
    return {**call, "name": name, "arguments": arguments}


def user(text: str) -> dict[str, Any]:
    """Return a message of the user's."""
    content = [{"type": "input_text", "text": text}]
    return {"type": "message", "role": "user", "content": content}


def deltas(text: str, size: int) -> Sequence[dict[str, Any]]:
    """Return the events that spell out a text."""
    where = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    kind = "response.output_text.delta"
    return [
        {"type": kind, **where, "delta": text[at : at + size]} for at in range(0, len(text), size)
    ]
