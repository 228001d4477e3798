"""Carries a turn's faults out: from a turn to an answer. Pure; `faults.py` says what each means."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, TypeVar

import msgspec

from traceproof.proxy.testing import faults as kinds
from traceproof.proxy.testing.answer import Answer, Ending, Framing
from traceproof.proxy.testing.codings import accepts, encode_pieces
from traceproof.proxy.testing.parts import Say
from traceproof.proxy.testing.wire import Reply, Wire, encode, sse

F = TypeVar("F", bound=kinds.Fault)
A = TypeVar("A", bound=Answer)

JSON_TYPE = ("content-type", "application/json")
STREAM_TYPE = ("content-type", "text/event-stream; charset=utf-8")
HUGE_LINE = "All work and no play makes a dull model; so says the script\n" + "0" * 3 + "\n"
HUGE_PIECE = 1 << 16
MEBIBYTE = 1 << 20


def pick(faults: Sequence[kinds.Fault], kind: type[F]) -> F | None:
    """Return the first fault of a kind."""
    return next((fault for fault in faults if isinstance(fault, kind)), None)


def perform(
    wire: Wire, reply: Reply, faults: Sequence[kinds.Fault], *, stream: bool, accepted: str = ""
) -> Answer:
    """Make the answer of a turn and the faults that hold; `accepted` is the Accept-Encoding."""
    status = pick(faults, kinds.Status)
    if status:
        answer = _refusal(wire, status)
    else:
        answer = _body(wire, padded(reply, faults), faults, stream=stream)
    headers = [*answer.headers, (wire.id_header, "req_" + reply.mark("m"))]
    headers += [(f.name, f.value) for f in faults if isinstance(f, kinds.Header)]
    answer = replace(answer, headers=headers)
    return scheduled(broken(_reshaped(answer, faults, accepted), faults), faults)


def _refusal(wire: Wire, fault: kinds.Status) -> Answer:
    body = encode(wire.error(fault.status, fault.kind, fault.message))
    after = [("retry-after", str(fault.retry_after))] if fault.retry_after is not None else []
    return Answer(fault.status, [JSON_TYPE, *after], [body], burst=0)


def padded(reply: Reply, faults: Sequence[kinds.Fault]) -> Reply:
    """Return a reply with the text that `Huge` puts before it."""
    huge = pick(faults, kinds.Huge)
    if not huge:
        return reply
    text = HUGE_LINE * (huge.megabytes * MEBIBYTE // len(HUGE_LINE))
    parts = [Say(text), *reply.turn.parts]
    return reply._replace(turn=msgspec.structs.replace(reply.turn, parts=parts, piece=HUGE_PIECE))


def _body(wire: Wire, reply: Reply, faults: Sequence[kinds.Fault], *, stream: bool) -> Answer:
    if not stream:
        return Answer(200, [JSON_TYPE], [wire.whole(reply)])
    events = edited(wire.element if reply.array else wire.event, sse, wire, reply, faults)
    kind = JSON_TYPE if reply.array else STREAM_TYPE
    return Answer(200, [kind, ("cache-control", "no-cache")], events, "chunked")


def edited(
    frame: Callable[[Any], bytes],
    text: Callable[[str], bytes],
    wire: Wire,
    reply: Reply,
    faults: Sequence[kinds.Fault],
) -> list[bytes]:
    """Return a turn's events with what faults do to them; `frame` frames JSON, `text` a text."""
    events = wire.events(reply)
    error = pick(faults, kinds.ErrorEvent)
    if error:
        events = [*events[: error.after], frame(wire.error(0, error.kind, error.message))]
    inserts = [fault for fault in faults if isinstance(fault, kinds.Insert)]
    for insert in sorted(inserts, key=lambda fault: -fault.after):
        events = [*events[: insert.after], _inserted(frame, text, insert), *events[insert.after :]]
    crlf = pick(faults, kinds.CrLf)
    return [_crlf(event) for event in events] if crlf else events


def _crlf(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def _inserted(
    frame: Callable[[Any], bytes], text: Callable[[str], bytes], fault: kinds.Insert
) -> bytes:
    if fault.raw is not None:
        return fault.raw.encode()
    return text(fault.data) if fault.data is not None else frame(fault.event or {})


def _reshaped(answer: Answer, faults: Sequence[kinds.Fault], accepted: str) -> Answer:
    coding = pick(faults, kinds.Encode)
    if coding and (coding.force or accepts(accepted, coding.coding)):
        headers = [*answer.headers, ("content-encoding", coding.coding)]
        chunks = encode_pieces(answer.chunks, coding.coding)
        answer = replace(answer, headers=headers, chunks=chunks)
    split = pick(faults, kinds.Split)
    if split:
        answer = replace(answer, chunks=list(split_body(answer.body, split.where, split.size)))
    frame = pick(faults, kinds.Frame)
    return replace(answer, framing=frame.by) if frame else answer


def split_body(body: bytes, where: str, size: int = 1) -> Iterator[bytes]:
    """Cut bytes every `size` bytes, or inside every character or line."""
    cuts: Sequence[int]
    if where == "characters":
        cuts = [found.start() + 1 for found in re.finditer(rb"[\xc0-\xff]", body)]
    elif where == "lines":
        cuts = [min(found.start() + size, found.end()) for found in re.finditer(rb"[^\n]+", body)]
    else:
        cuts = range(size, len(body), size)
    ends = [0, *cuts, len(body)]
    return (body[start:end] for start, end in pairwise(ends) if end > start)


def broken(answer: A, faults: Sequence[kinds.Fault]) -> A:
    """Take away what a cut or a drop keeps from being sent."""
    drop, cut = pick(faults, kinds.Drop), pick(faults, kinds.Cut)
    told = answer.size
    if drop:
        ending: Ending = "reset" if drop.reset else "closed"
        chunks = list(_first_bytes(answer.chunks, drop.after or 0))
        silent = drop.after is None
        return replace(answer, chunks=chunks, ending=ending, silent=silent, length=told)
    if cut:
        chunks = list(answer.chunks[: cut.events])
        more = int(answer.framing == "length" and len(chunks) == len(answer.chunks))
        return replace(answer, chunks=chunks, ending="closed", length=told + more)
    return answer


def _first_bytes(chunks: Sequence[bytes], count: int) -> Iterator[bytes]:
    for chunk in chunks:
        if count <= 0:
            return
        yield chunk[:count]
        count -= len(chunk)


def scheduled(answer: A, faults: Sequence[kinds.Fault]) -> A:
    """Return an answer with the times at which its chunks go out."""
    delay, hold = pick(faults, kinds.Delay) or kinds.Delay(), pick(faults, kinds.Hold)
    burst = pick(faults, kinds.Burst)
    return replace(
        answer,
        chunks=[chunk for chunk in answer.chunks if chunk],
        first_delay=delay.first,
        each_delay=delay.each,
        hold=hold.after if hold else None,
        burst=burst.chunks or 0 if burst else answer.burst,
    )


def for_version(answer: Answer, version: str) -> Answer:
    """Return the answer as a client of HTTP/1.0 can take it."""
    framing: Framing = "close"
    return replace(answer, framing=framing) if version == "HTTP/1.0" else answer
