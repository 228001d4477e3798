"""From a request to its answer and its record, without a socket: the whole model but the server."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Sequence
from typing import Any, NamedTuple

from traceproof.proxy.testing import chatgpt, handshake
from traceproof.proxy.testing.answer import Answer
from traceproof.proxy.testing.codings import decode
from traceproof.proxy.testing.director import Cue, Director
from traceproof.proxy.testing.faults import Fault
from traceproof.proxy.testing.formats import wire_for_errors, wire_of
from traceproof.proxy.testing.handshake import ACCEPTED
from traceproof.proxy.testing.http1 import Head
from traceproof.proxy.testing.openai_socket import PATH_END
from traceproof.proxy.testing.perform import JSON_TYPE, for_version, perform
from traceproof.proxy.testing.request import Request, View
from traceproof.proxy.testing.script import Script
from traceproof.proxy.testing.wire import Reply, Wire, encode

CACHE_SIZE = 256
MALFORMED = (TypeError, KeyError, AttributeError, ValueError)


class Exchanged(NamedTuple):
    """A request as understood, its answer, and where in the script that stands."""

    request: Request
    answer: Answer
    wire: str = ""
    cue: Cue | None = None
    faults: Sequence[Fault] = ()


class Model:
    """Answers requests from a script; not thread-safe.

    Args:
        script: The script.
        upgrades: With which status to answer the first requests for a web socket; the last answers
            all further ones. 101 agrees.
        deflate: Whether a web socket may be compressed.
    """

    def __init__(
        self, script: Script, upgrades: Sequence[int] = (ACCEPTED,), *, deflate: bool = True
    ) -> None:
        self.deflate = deflate
        self._director = Director(script)
        self._kept: dict[tuple[Any, ...], Answer] = {}
        self._upgrades = deque(upgrades)

    def exchange(self, head: Head, body: bytes) -> Exchanged:
        """Answer one request."""
        bare = Request(head.method, head.target, head.headers, body)
        if handshake.asks(head):
            return Exchanged(bare, self._upgrade(head, bare.path))
        wire = wire_of(head.method, bare.path)
        if wire is None:
            return Exchanged(bare, for_version(_beside(bare), head.version))
        request = _understood(bare, wire)
        if request is None:
            answer = refusal(400, wire)
            return Exchanged(bare, for_version(answer, head.version), wire.name)
        cue, faults = self.cue(request)
        answer = self._answer(wire, request, cue, faults)
        return Exchanged(request, for_version(answer, head.version), wire.name, cue, faults)

    def cue(self, request: Request) -> tuple[Cue, list[Fault]]:
        """Return the turn that answers a model call, and those of its faults that hold."""
        cue = self._director.cue(request)
        return cue, [fault for fault in cue.turn.faults if fault.holds(cue.attempt)]

    def _upgrade(self, head: Head, path: str) -> Answer:
        """Answer a request for a web socket."""
        wire = wire_for_errors(head.headers)
        status = handshake.fault(head) or (0 if path.endswith(PATH_END) else 404)
        if not status:
            status = self._upgrades.popleft() if len(self._upgrades) > 1 else self._upgrades[0]
        if status == ACCEPTED:
            return handshake.accept(head, deflate=self.deflate)
        return refusal(status, wire)

    def _answer(self, wire: Wire, request: Request, cue: Cue, faults: Sequence[Fault]) -> Answer:
        reply = reply_of(request, cue)
        accepted = request.header("accept-encoding") or "" if faults else ""
        active = tuple(map(id, faults))
        key = (wire.name, *reply[1:], request.view.stream, active, accepted)
        answer = None if cue.computed else self._kept.get(key)
        if answer is None:
            answer = perform(wire, reply, faults, stream=request.view.stream, accepted=accepted)
            if not cue.computed:
                self._keep(key, answer)
        return answer

    def _keep(self, key: tuple[Any, ...], answer: Answer) -> None:
        if len(self._kept) >= CACHE_SIZE:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = answer


def refusal(status: int, wire: Wire) -> Answer:
    """Return an error as one write: some clients leave when they have read the status."""
    return Answer(status, [JSON_TYPE], [encode(wire.error(status, None, None))], burst=0)


def reply_of(request: Request, cue: Cue) -> Reply:
    """Return a turn on its way to a request."""
    view = request.view
    return Reply(
        cue.turn,
        cue.scene,
        cue.step,
        request.conversation,
        view.model,
        view.choices,
        view.include_usage,
        view.array,
    )


def _understood(request: Request, wire: Wire) -> Request | None:
    """Return the request with what the wire format makes of it, or None where it is malformed."""
    try:
        # not msgspec: agents send lone surrogates, which it refuses
        body = json.loads(decode(request.body, request.header("content-encoding")))
        view: View = wire.view(body, request.target)
    except MALFORMED:
        return None
    return Request(request.method, request.target, request.headers, request.body, view, body)


def _beside(request: Request) -> Answer:
    """Answer what is no model call: a greeting, a token count, or what we do not have."""
    wire = wire_for_errors(request.headers)
    if request.method == "HEAD":
        return Answer(200, [], [])
    told = wire.other(request.method, request.path, request.body)
    if told is None:
        told = chatgpt.answer(request.method, request.path)
    if told is not None:
        return Answer(200, [JSON_TYPE], [encode(told)])
    status = 405 if request.method == "CONNECT" else 404
    return refusal(status, wire)
