"""An answer as the messages of a web socket: a turn with its faults carried out. Pure.

Of the faults, `Header`, `Frame` and `CrLf` mean nothing here. `Encode`, whatever its coding, is the
socket's own compression, where the client has agreed to that; `Split` cuts messages into fragments;
and a `Status` is an error event with that status, for the connection is long upgraded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from traceproof.proxy.testing import faults as kinds
from traceproof.proxy.testing.answer import Answer
from traceproof.proxy.testing.handshake import ACCEPTED
from traceproof.proxy.testing.perform import broken, edited, padded, pick, scheduled, split_body
from traceproof.proxy.testing.wire import Reply, Wire, encode


@dataclass(frozen=True)
class Messages(Answer):
    """Messages: `chunks` is what of their payloads is sent, a fragment each."""

    plan: Sequence[bytes] = ()
    """The fragments as they would be if nothing cut them short."""
    ends: Sequence[int] = ()
    """After how many fragments each message ends."""
    deflate: bool = False
    pings: frozenset[int] = frozenset()
    """Before which fragments a ping goes out."""


def plain(payloads: Sequence[bytes]) -> Messages:
    """Return messages of one fragment each, with nothing amiss."""
    return _messages([[payload] for payload in payloads])


def perform_messages(wire: Wire, reply: Reply, faults: Sequence[kinds.Fault]) -> Messages:
    """Make the messages of a turn and the faults that hold."""
    status = pick(faults, kinds.Status)
    events = [_refusal(wire, status)] if status else _events(wire, reply, faults)
    split = pick(faults, kinds.Split)
    fragments = [_fragments(event, split) for event in events]
    pings = frozenset(fault.after for fault in faults if isinstance(fault, kinds.Ping))
    deflate = pick(faults, kinds.Encode) is not None
    answer = replace(_messages(fragments), pings=pings, deflate=deflate)
    return scheduled(broken(answer, faults), faults)


def _events(wire: Wire, reply: Reply, faults: Sequence[kinds.Fault]) -> list[bytes]:
    return edited(wire.event, str.encode, wire, padded(reply, faults), faults)


def _refusal(wire: Wire, fault: kinds.Status) -> bytes:
    """Return the error event that stands for a status; headers are told in it."""
    told = wire.error(fault.status, fault.kind, fault.message)
    after = {"retry-after": str(fault.retry_after)} if fault.retry_after is not None else {}
    return encode({**told, "headers": after} if after else told)


def _fragments(payload: bytes, split: kinds.Split | None) -> list[bytes]:
    return list(split_body(payload, split.where, split.size)) if split else [payload]


def _messages(fragments: Sequence[Sequence[bytes]]) -> Messages:
    flat: Iterator[bytes] = (piece for each in fragments for piece in each)
    chunks = list(flat)
    ends = list(accumulate(map(len, fragments)))
    return Messages(ACCEPTED, [], chunks, "none", plan=chunks, ends=ends)
