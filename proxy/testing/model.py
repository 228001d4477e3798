"""From a request to its answer and its record, without a socket: the whole model but the server."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from traceproof.proxy.testing.answer import Answer
from traceproof.proxy.testing.codings import decode
from traceproof.proxy.testing.director import Cue, Director
from traceproof.proxy.testing.faults import Fault
from traceproof.proxy.testing.formats import wire_for_errors, wire_of
from traceproof.proxy.testing.http1 import Head
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
    """Answers requests from a script; not thread-safe."""

    def __init__(self, script: Script) -> None:
        self._director = Director(script)
        self._kept: dict[tuple[Any, ...], Answer] = {}

    def exchange(self, head: Head, body: bytes) -> Exchanged:
        """Answer one request."""
        bare = Request(head.method, head.target, head.headers, body)
        wire = wire_of(head.method, bare.path)
        if wire is None:
            return Exchanged(bare, for_version(_beside(bare), head.version))
        request = _understood(bare, wire)
        if request is None:
            answer = Answer(400, [JSON_TYPE], [encode(wire.error(400, None, None))])
            return Exchanged(bare, for_version(answer, head.version), wire.name)
        cue = self._director.cue(request)
        faults = [fault for fault in cue.turn.faults if fault.holds(cue.attempt)]
        answer = self._answer(wire, request, cue, faults)
        return Exchanged(request, for_version(answer, head.version), wire.name, cue, faults)

    def _answer(self, wire: Wire, request: Request, cue: Cue, faults: Sequence[Fault]) -> Answer:
        reply = _reply(request, cue)
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


def _reply(request: Request, cue: Cue) -> Reply:
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
    counted = wire.other(request.method, request.path, request.body)
    if counted is not None:
        return Answer(200, [JSON_TYPE], [encode(counted)])
    return Answer(404, [JSON_TYPE], [encode(wire.error(404, None, None))])
