"""Sockets, and the way around a sandbox that forbids to connect."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from traceproof.recorder.shell.letters import Letters
from traceproof.recorder.shim import sockets


def test_a_descriptor_travels_with_the_first_bytes() -> None:
    ours, theirs = sockets.stream_pair()
    reads, writes = os.pipe()

    sockets.send_all(ours, b"header and the rest", [writes])
    text, (arrived,) = sockets.receive(theirs, 6)

    assert (text, sockets.receive_all(theirs, 13)) == (b"header", b" and the rest")
    os.write(arrived, b"through")
    assert os.read(reads, 100) == b"through"
    assert not os.get_inheritable(arrived)
    for number in (reads, writes, arrived):
        os.close(number)
    ours.close()
    theirs.close()


def test_an_end_before_all_has_come_is_told() -> None:
    ours, theirs = sockets.stream_pair()
    sockets.send_all(ours, b"12", [])
    ours.close()

    with pytest.raises(EOFError):
        sockets.receive_all(theirs, 3)
    theirs.close()


def test_sending_never_waits() -> None:
    ours, theirs = sockets.pair()

    assert sockets.send_now(ours, b"x") == 1
    with pytest.raises(BlockingIOError):
        all(sockets.send_now(ours, bytes(60000)) for _ in range(100))
    theirs.close()
    with pytest.raises(ConnectionError):
        sockets.send_now(ours, b"x")
    ours.close()


def test_where_nobody_may_connect_the_recorder_is_sent_an_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Confined(socket.SocketType):
        def connect(self, _: object) -> None:
            raise PermissionError

    box = Letters(tmp_path / f"socket{sockets.LETTERS}")
    monkeypatch.setattr(sockets, "Socket", Confined)

    ours = sockets.connect(str(tmp_path / "socket"), 5)

    (theirs,) = box.take()
    sockets.send_now(ours, b"hello")
    assert theirs.recv(100) == b"hello"
    theirs.close()
    assert ours.recv(1) == b""
    ours.close()
    box.close()
    with pytest.raises(FileNotFoundError):
        sockets.connect(str(tmp_path / "socket"), 5)


def test_a_stream_is_told_from_packets_and_its_buffer_copied() -> None:
    (one, other), (packets, more) = sockets.stream_pair(), sockets.pair()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 50_000)

    sockets.copy_buffers(one, other)

    sizes = {end.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) for end in (one, other)}
    assert sizes == {100_000}
    assert (sockets.is_stream(one), sockets.is_stream(packets)) == (True, False)
    for end in (one, other, packets, more):
        end.close()
