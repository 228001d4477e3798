"""Hello, and go: as soon as the recorder answers, and at the latest after a while."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from traceproof.recorder.shim import link, sockets, wire
from traceproof.recorder.shim.descriptors import standard

Pair = tuple[sockets.Socket, sockets.Socket]
SETTINGS = {"token": "a-token", "hook": "path", "real": "/bin/sh"}


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = sockets.pair()
    yield ours, theirs
    ours.close()
    theirs.close()


def test_a_hello_tells_what_joins_need_and_nothing_secret() -> None:
    environment = [b"TRACEPARENT=00-1-2-01", b"PATH=/bin", b"API_KEY=secret", b"PATHS=x"]

    fields = wire.decode_fields(
        link.hello(SETTINGS, [b"sh", b"-c", b"\xff"], environment, standard(), [(b"pid", b"7")])
    )

    assert [value for name, value in fields if name == b"arg"] == [b"sh", b"-c", b"\xff"]
    told = dict(fields)
    assert told[b"env.TRACEPARENT"] == b"00-1-2-01"
    assert told[b"pid"] == b"7"
    assert [name for name, _ in fields if name.startswith(b"env.")] == [
        b"env.TRACEPARENT",
        b"env.PATH",
    ]


def test_a_long_hello_goes_in_pieces(pair: Pair) -> None:
    ours, theirs = pair
    payload = bytes(100_000)

    link.say_hello(ours, payload, 5)

    packets = [wire.decode(theirs.recv(wire.MAX_PACKET)) for _ in range(2)]
    assert [kind for kind, _, _ in packets] == [wire.HELLO_PIECE, wire.HELLO]
    assert b"".join(part for _, _, part in packets) == payload


def test_go(pair: Pair) -> None:
    ours, theirs = pair
    fields = [(b"verdict", b"record"), (b"set.A", b"1"), (b"unset.B", b""), (b"else", b"")]
    theirs.send(wire.encode(wire.GO, 0, wire.encode_fields(fields)))

    go = link.wait_for_go(ours, time.monotonic() + 60)

    assert (go.recorded, go.edits) == (True, {b"A": b"1", b"B": None})


def test_pass(pair: Pair) -> None:
    ours, theirs = pair
    theirs.send(wire.encode(wire.GO, 0, wire.encode_fields([(b"verdict", b"pass")])))

    assert not link.wait_for_go(ours, time.monotonic() + 60).recorded


def test_silence_means_go(pair: Pair) -> None:
    ours, _ = pair

    assert link.wait_for_go(ours, time.monotonic()).recorded


def test_a_closed_connection_means_no(pair: Pair) -> None:
    ours, theirs = pair
    theirs.close()

    with pytest.raises(OSError, match="closed"):
        link.wait_for_go(ours, time.monotonic() + 60)


def test_another_answer_means_no(pair: Pair) -> None:
    ours, theirs = pair
    theirs.send(wire.encode(wire.HELLO, 0))

    with pytest.raises(ValueError, match="not an answer"):
        link.wait_for_go(ours, time.monotonic() + 60)
