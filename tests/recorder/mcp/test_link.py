"""A recorder that listens, one that has gone, one that is stuck."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from traceproof.recorder.mcp import link as module
from traceproof.recorder.mcp.link import Link
from traceproof.recorder.shim import wire


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[socket.socket]:
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listening.bind(str(tmp_path / "s"))
    listening.listen()
    yield listening
    listening.close()


def opened(recorder: socket.socket) -> tuple[Link, socket.socket]:
    link = Link.open(recorder.getsockname(), [b"hello"])
    assert link is not None
    connection, _ = recorder.accept()
    assert connection.recv(100) == b"hello"
    return link, connection


def test_packets_arrive_one_by_one(recorder: socket.socket) -> None:
    link, connection = opened(recorder)
    with connection:
        link.put(b"one")
        link.put(b"two")

        assert [connection.recv(100), connection.recv(100)] == [b"one", b"two"]
    link.drop()


def test_without_a_recorder_there_is_no_link(tmp_path: Path) -> None:
    assert Link.open(str(tmp_path / "nobody"), [b"hello"]) is None


def test_a_recorder_that_goes_is_forgotten(recorder: socket.socket) -> None:
    link, connection = opened(recorder)
    connection.close()

    link.put(b"one")
    link.put(b"two")

    assert (link.alive, link.waits, link.number) == (False, False, -1)


def test_a_recorder_that_takes_nothing_is_given_up(
    recorder: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MOST", 1 << 20)
    link, connection = opened(recorder)
    with connection:
        packet = wire.encode(wire.STDERR, 0, b"x" * wire.MAX_PAYLOAD)
        for _ in range(100):
            link.put(packet)

        assert not link.alive


def test_what_waits_goes_when_there_is_room(recorder: socket.socket) -> None:
    link, connection = opened(recorder)
    with connection:
        packet = wire.encode(wire.STDERR, 0, b"x" * wire.MAX_PAYLOAD)
        for _ in range(20):
            link.put(packet)
        assert link.waits
        got = 0
        while got < 20:
            assert connection.recv(wire.MAX_PACKET) == packet
            got += 1
            link.push()
        assert link.alive
        assert not link.waits
    link.drop()


def test_what_the_recorder_says_is_taken_and_its_end_noticed(recorder: socket.socket) -> None:
    link, connection = opened(recorder)
    connection.send(b"go")
    link.listen()
    link.listen()
    assert link.alive

    connection.close()
    link.listen()
    assert not link.alive
