"""The recorder's end: what it takes at once, later, or never."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from traceproof.recorder.shim import outlet, sockets, wire
from traceproof.recorder.shim.outlet import Outlet

Pair = tuple[Outlet, sockets.Socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = sockets.pair()
    ours.setblocking(False)
    opened = Outlet(ours)
    yield opened, theirs
    opened.give_up()
    theirs.close()


def test_what_is_put_arrives(pair: Pair) -> None:
    out, recorder = pair

    out.put(wire.STDOUT, b"text")

    kind, _, payload = wire.decode(recorder.recv(wire.MAX_PACKET))
    assert (kind, payload) == (wire.STDOUT, b"text")
    assert not out.waits


def test_what_does_not_fit_waits(pair: Pair) -> None:
    out, recorder = pair
    while not out.waits:
        out.put(wire.STDOUT, bytes(60000))

    taken = 0
    while out.waits:
        taken += len(recorder.recv(wire.MAX_PACKET)) > 0
        out.flush()

    assert taken
    assert (out.open, out.lost) == (True, 0)


def test_a_recorder_that_is_gone_is_counted(pair: Pair) -> None:
    out, recorder = pair
    recorder.close()

    out.put(wire.STDOUT, b"text")
    out.put(wire.STDERR, b"more")
    out.put(wire.ENDED, b"not output")

    assert (out.open, out.waits, out.lost) == (False, False, 8)


def test_one_that_takes_nothing_is_given_up(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    out, _ = pair
    while not out.waits:
        out.put(wire.STDOUT, bytes(60000))
    assert out.open

    monkeypatch.setattr(outlet, "PATIENCE", 0.0)
    out.flush()

    assert not out.open
    assert out.lost == 60000


def test_it_is_full_before_memory_is(pair: Pair) -> None:
    out, _ = pair
    for _ in range(100):
        out.put(wire.STDOUT, bytes(60000))

    assert out.full
    assert out.open


def test_a_late_answer_is_read_away(pair: Pair) -> None:
    out, recorder = pair
    recorder.send(b"G")

    out.listen()
    out.listen()

    assert out.open
