"""One connection, over a real pair of sockets; the test is the program at the other end."""

from __future__ import annotations

import math
import socket
import time
from collections.abc import Iterator, Sequence

import pytest

from support.shimclient import TOKEN, hello_fields
from traceproof.recorder.shell.connection import Hello, Packet
from traceproof.recorder.shell.link import Link
from traceproof.recorder.shell.peers import PASS, Answer, Peer
from traceproof.recorder.shim import wire


class Listed:
    """A peer that keeps what it is told."""

    def __init__(self, hello: Hello, answer: Answer) -> None:
        self.hello = hello
        self.answer = answer
        self.told: list[str] = []

    def packets(self, packets: Sequence[Packet]) -> bool:
        self.told += [packet.payload.decode() for packet in packets]
        return "last" in self.told

    def look(self) -> None:
        self.told.append("(look)")

    def hung_up(self, why: str) -> None:
        self.told.append(f"(hung up: {why})")

    def close(self) -> None:
        self.told.append("(close)")


class Pair:
    """A link, and the other end of its socket."""

    def __init__(self) -> None:
        self.far, near = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.peers: list[Listed] = []
        self.link = Link(near, TOKEN.encode(), {"shell": self.take, "none": self.take_none})

    def take(self, hello: Hello, answer: Answer) -> Peer:
        self.peers.append(Listed(hello, answer))
        return self.peers[-1]

    def take_none(self, _hello: Hello, answer: Answer) -> None:
        answer(PASS)

    def send(self, kind: bytes, payload: bytes = b"") -> None:
        self.far.send(wire.encode(kind, 1, payload))

    def hello(self, **more: str) -> None:
        self.send(wire.HELLO, wire.encode_fields(hello_fields(**more)))

    def answer(self) -> list[tuple[bytes, bytes]]:
        return wire.decode_fields(wire.decode(self.far.recv(wire.MAX_PACKET))[2])


@pytest.fixture
def pair() -> Iterator[Pair]:
    made = Pair()
    yield made
    made.far.close()
    made.link.close()


def test_packets_reach_who_takes_its_kind(pair: Pair) -> None:
    pair.hello()
    pair.send(wire.STDOUT, b"one")
    assert pair.link.read()
    pair.link.look()
    pair.send(wire.STDOUT, b"last")
    pair.send(wire.STDOUT, b"never read")

    assert not pair.link.read()
    assert pair.peers[0].told == ["one", "(look)", "last", "never read"]
    pair.link.end()
    pair.link.break_off("why")
    assert len(pair.peers[0].told) == 4


def test_nothing_there_is_no_end(pair: Pair) -> None:
    assert pair.link.read()
    assert not pair.link.greeted
    pair.hello()
    assert pair.link.read()
    assert pair.link.greeted
    assert pair.link.read()


def test_a_few_at_a_time(pair: Pair) -> None:
    pair.hello()
    for number in range(40):
        pair.send(wire.STDOUT, b"%d" % number)
    taken = []
    for _ in range(3):
        assert pair.link.read()
        taken.append(len(pair.peers[0].told))

    assert taken == [15, 31, 40]


def test_who_goes_in_the_middle_has_hung_up(pair: Pair) -> None:
    pair.hello()
    pair.send(wire.STDOUT, b"one")
    pair.far.close()

    assert not pair.link.read()
    assert pair.peers[0].told == ["one", "(hung up: the shim has gone)"]


def test_who_goes_and_leaves_our_answer_unread_has_said_all_the_same(pair: Pair) -> None:
    pair.hello()
    assert pair.link.read()
    pair.peers[0].answer()
    pair.send(wire.STDOUT, b"one")
    pair.send(wire.STDOUT, b"last")
    pair.far.close()

    assert not pair.link.read()
    assert pair.peers[0].told == ["one", "last"]


def test_who_goes_in_the_middle_and_leaves_our_answer_unread_has_hung_up(pair: Pair) -> None:
    pair.hello()
    assert pair.link.read()
    pair.peers[0].answer()
    pair.send(wire.STDOUT, b"one")
    pair.far.close()

    assert not pair.link.read()
    assert pair.peers[0].told == ["one", "(hung up: the shim has gone)"]


def test_who_goes_before_a_hello_was_nobody(pair: Pair) -> None:
    pair.far.close()

    assert not pair.link.read()
    assert pair.peers == []


def test_only_the_first_answer_goes_out(pair: Pair) -> None:
    pair.hello()
    pair.link.read()
    pair.peers[0].answer([(b"verdict", b"record"), (b"set.A", b"b")])
    pair.peers[0].answer(PASS)
    pair.link.late()

    assert pair.answer() == [(b"verdict", b"record"), (b"set.A", b"b")]
    assert pair.link.due == math.inf
    with pytest.raises(BlockingIOError):
        pair.far.recv(100, socket.MSG_DONTWAIT)


def test_an_answer_that_does_not_come_is_given(pair: Pair) -> None:
    pair.hello()
    pair.link.read()
    assert pair.link.due < time.monotonic() + 1

    assert pair.link.late()
    assert pair.answer() == [(b"verdict", b"record")]


def test_an_answer_to_someone_who_has_gone_is_nothing(pair: Pair) -> None:
    pair.hello()
    pair.link.read()
    pair.far.close()
    pair.peers[0].answer()
    pair.link.close()
    pair.link.answer()


def test_who_says_nothing_is_late_once(pair: Pair) -> None:
    assert not pair.link.late()


@pytest.mark.parametrize("kind", ["none", "unheard"])
def test_what_nobody_takes_passes(pair: Pair, kind: str) -> None:
    pair.hello(kind=kind)

    assert not pair.link.read()
    assert pair.answer() == [(b"verdict", b"pass")]


@pytest.mark.parametrize("packet", [b"\0", b"?" * 70_000, b"O12345678"])
def test_nonsense_is_an_error(pair: Pair, packet: bytes) -> None:
    pair.far.send(packet)

    with pytest.raises(ValueError, match=r"."):
        pair.link.read()


def test_a_wrong_token_is_an_error(pair: Pair) -> None:
    pair.hello(token="guessed")

    with pytest.raises(ValueError, match="token"):
        pair.link.read()
    assert pair.peers == []
