"""What comes by letter: connections, and whatever else somebody may send."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from traceproof.recorder.shell.letters import Letters


@pytest.fixture
def letters(tmp_path: Path) -> Iterator[Letters]:
    box = Letters(tmp_path / "letters")
    yield box
    box.close()


@pytest.fixture
def sender(letters: Letters, tmp_path: Path) -> Iterator[socket.socket]:
    del letters
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as opened:
        opened.connect(str(tmp_path / "letters"))
        yield opened


def test_an_end_of_a_pair_is_a_connection(letters: Letters, sender: socket.socket) -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    socket.send_fds(sender, [b"x"], [theirs.fileno()])
    theirs.close()

    (taken,) = letters.take()

    taken.send(b"a packet")
    assert ours.recv(100) == b"a packet"
    assert not os.get_inheritable(taken.fileno())
    ours.close()
    taken.close()


def test_what_is_none_is_closed(letters: Letters, sender: socket.socket) -> None:
    reads, writes = os.pipe()
    bytes_, other = socket.socketpair()
    socket.send_fds(sender, [b"x"], [writes, other.fileno()])
    os.close(writes)
    other.close()

    assert letters.take() == []

    assert os.read(reads, 1) == b""
    assert bytes_.recv(1) == b""
    os.close(reads)
    bytes_.close()


def test_more_than_there_may_be_is_closed(letters: Letters, sender: socket.socket) -> None:
    reads, writes = os.pipe()
    socket.send_fds(sender, [b"x" * 100], [writes] * 50)
    os.close(writes)

    assert letters.take() == []

    assert os.read(reads, 1) == b""
    os.close(reads)


def test_a_letter_without_anything(letters: Letters, sender: socket.socket) -> None:
    sender.send(b"")

    assert letters.take() == []
    with pytest.raises(BlockingIOError):
        letters.take()


def test_it_is_for_this_user_and_goes_with_its_box(tmp_path: Path) -> None:
    box = Letters(tmp_path / "letters")
    assert (tmp_path / "letters").stat().st_mode & 0o777 == 0o600

    box.close()

    assert list(tmp_path.iterdir()) == []
    with pytest.raises(OSError, match="too long"):
        Letters(tmp_path / ("x" * 200))
