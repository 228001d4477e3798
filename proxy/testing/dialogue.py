"""A web socket's requests: each may continue a response that this connection remembers.

A request is matched by its whole conversation, put together from what is remembered; the bytes of
its call are those of its own message. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from traceproof.proxy.testing.http1 import Head
from traceproof.proxy.testing.messages import perform_messages, plain
from traceproof.proxy.testing.model import MALFORMED, Exchanged, Model, reply_of
from traceproof.proxy.testing.openai_socket import CREATE, OpenAISocket
from traceproof.proxy.testing.request import Request

WIRE = OpenAISocket()
_OF_THE_MESSAGE = ("type", "input", "previous_response_id")


class Dialogue:
    """What is said on one web socket.

    Args:
        model: Who answers.
        head: The request that asked for the web socket.
    """

    def __init__(self, model: Model, head: Head) -> None:
        self._model = model
        self._head = head
        self._known: dict[str, Sequence[Any]] = {}

    def exchange(self, payload: bytes) -> Exchanged:
        """Answer one message; one that asks for no response gets no answer."""
        bare = Request(self._head.method, self._head.target, self._head.headers, payload)
        try:
            message = json.loads(payload)
            if message["type"] != CREATE:
                return Exchanged(bare, plain([]))
            return self._create(bare, message)
        except MALFORMED:
            return Exchanged(bare, plain([WIRE.event(WIRE.error(400, None, None))]), WIRE.name)

    def _create(self, bare: Request, message: dict[str, Any]) -> Exchanged:
        previous = message.get("previous_response_id") or ""
        if previous and previous not in self._known:
            return Exchanged(bare, plain([WIRE.not_found(previous)]), WIRE.name)
        given = message["input"]
        told = [{"role": "user", "content": given}] if isinstance(given, str) else given
        items = [*self._known.get(previous, ()), *told]
        whole = {name: value for name, value in message.items() if name not in _OF_THE_MESSAGE}
        view = WIRE.view({**whole, "input": items})
        request = Request(bare.method, bare.target, bare.headers, bare.body, view, message)
        if message.get("generate") is False:
            return self._warm(request, items)
        return self._answer(request, items)

    def _warm(self, request: Request, items: Sequence[Any]) -> Exchanged:
        mark = sha256(request.body + b"%d" % len(self._known)).hexdigest()[:12]
        self._known[f"resp_warm{mark}"] = items
        answer = plain(WIRE.warm(f"resp_warm{mark}", request.model))
        return Exchanged(request, answer, WIRE.name)

    def _answer(self, request: Request, items: Sequence[Any]) -> Exchanged:
        cue, faults = self._model.cue(request)
        reply = reply_of(request, cue)
        answer = perform_messages(WIRE, reply, faults)
        whole = json.loads(WIRE.whole(reply))
        self._known[whole["id"]] = [*items, *whole["output"]]
        return Exchanged(request, answer, WIRE.name, cue, faults)
