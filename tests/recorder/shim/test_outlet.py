"""The recorder's end: what it takes at once, later, or never."""

from __future__ import annotations

import time
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


def test_what_comes_together_is_one_packet(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    out, recorder = pair
    monkeypatch.setattr(time, "time_ns", lambda: 5)
    for word in (b"one ", b"two ", b"three"):
        out.join(wire.STDOUT, word)
        out.settle()
    assert (out.holds, out.waits) == (True, False)

    monkeypatch.setattr(time, "time_ns", lambda: 1_000_005)
    out.settle()

    assert wire.decode(recorder.recv(wire.MAX_PACKET)) == (wire.STDOUT, 5, b"one two three")
    assert not out.holds


def test_what_is_joined_keeps_its_place_and_fits_a_packet(pair: Pair) -> None:
    out, recorder = pair

    out.join(wire.STDOUT, b"out")
    out.join(wire.STDERR, b"error")
    out.join(wire.STDOUT, bytes(wire.MAX_PAYLOAD - 1))
    out.join(wire.STDOUT, b"xy")
    out.put(wire.ENDED, b"")

    packets = [wire.decode(recorder.recv(wire.MAX_PACKET)) for _ in range(5)]
    assert [(kind, len(payload)) for kind, _, payload in packets] == [
        (wire.STDOUT, 3),
        (wire.STDERR, 5),
        (wire.STDOUT, wire.MAX_PAYLOAD - 1),
        (wire.STDOUT, 2),
        (wire.ENDED, 0),
    ]


def test_what_is_held_of_one_that_is_gone_is_counted(pair: Pair) -> None:
    out, recorder = pair
    recorder.close()

    out.join(wire.STDOUT, b"text")
    out.put(wire.ENDED, b"")

    assert (out.open, out.lost) == (False, 4)


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
