from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator

import pytest

from traceproof.sandbox.local.keeper import wire


@pytest.fixture
def line() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, other = socket.socketpair()
    with one, other:
        yield one, other


def test_a_message_arrives_with_its_files(line: tuple[socket.socket, socket.socket]) -> None:
    reader, writer = os.pipe()
    wire.send(line[0], {"argv": ["a\udc80", "ü"], "seconds": 0.5}, [writer])
    os.close(writer)

    message, (file,) = wire.receive(line[1])

    assert message == {"argv": ["a\udc80", "ü"], "seconds": 0.5}
    assert not os.get_inheritable(file)
    os.write(file, b"through it")
    assert os.read(reader, 100) == b"through it"
    os.close(file)
    os.close(reader)


def test_a_large_message_arrives(line: tuple[socket.socket, socket.socket]) -> None:
    large = {"environment": {"X": "x" * 5_000_000}}
    sender = threading.Thread(target=wire.send, args=(line[0], large))
    sender.start()

    assert wire.receive(line[1]) == (large, [])
    sender.join()


@pytest.mark.parametrize("beginning", [b"", b"\0\0", b"\0\0\0\5{}"])
def test_the_end_is_none(line: tuple[socket.socket, socket.socket], beginning: bytes) -> None:
    line[0].sendall(beginning)
    line[0].shutdown(socket.SHUT_WR)

    assert wire.receive(line[1]) == (None, [])
