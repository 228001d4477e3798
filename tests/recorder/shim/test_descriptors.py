"""What a descriptor is, told without touching it."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from traceproof.recorder.shim import descriptors
from traceproof.recorder.shim.descriptors import Descriptor


def test_each_kind_is_told(tmp_path: Path) -> None:
    reads, writes = os.pipe()
    file = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    null, zero = (os.open(path, os.O_RDWR) for path in (os.devnull, "/dev/zero"))
    master, slave = os.openpty()
    one, other = socket.socketpair()
    folder = os.open(tmp_path, os.O_RDONLY)
    numbers = [reads, writes, file, null, zero, slave, one.fileno(), folder]

    found = [Descriptor(number).kind for number in numbers]

    assert found == ["pipe", "pipe", "file", "null", "other", "tty", "socket", "other"]
    one.close()
    other.close()
    for number in {*numbers, master} - {numbers[6]}:
        os.close(number)
    assert Descriptor(reads).kind == descriptors.CLOSED


def test_two_of_one_pipe_are_told_to_be_one() -> None:
    reads, writes = os.pipe()
    again = os.dup(writes)

    assert Descriptor(writes).identity == Descriptor(again).identity
    assert (Descriptor(reads).writable(), Descriptor(writes).writable()) == (False, True)
    for number in (reads, writes, again):
        os.close(number)


def test_the_standard_ones_are_three() -> None:
    assert [one.number for one in descriptors.standard()] == [0, 1, 2]
