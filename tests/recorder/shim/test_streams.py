"""What stands in for each kind of output."""

from __future__ import annotations

import fcntl
import os
import socket
from pathlib import Path

import pytest

from traceproof.recorder.shim import wire
from traceproof.recorder.shim.descriptors import Descriptor
from traceproof.recorder.shim.streams import Streams

_GET_SIZE, _SET_SIZE = 1032, 1031


def close(streams: Streams, *numbers: int) -> None:
    for stream in streams.inner:
        os.close(stream.inner)
        os.close(stream.source)
    for number in numbers:
        os.close(number)


def test_a_pipe_for_a_pipe_as_large_and_as_patient() -> None:
    reads, writes = os.pipe()
    fcntl.fcntl(writes, _SET_SIZE, 1 << 17)
    os.set_blocking(writes, False)

    streams = Streams(Descriptor(writes), Descriptor(999))

    (stream,) = streams.inner
    assert (stream.kind, stream.numbers, stream.is_socket) == (wire.STDOUT, [writes], False)
    assert fcntl.fcntl(stream.inner, _GET_SIZE) == 1 << 17
    assert not os.get_blocking(stream.inner)
    assert streams.unrecorded == [999]
    close(streams, reads, writes)


def test_one_for_both_where_both_are_one() -> None:
    reads, writes = os.pipe()
    again = os.dup(writes)

    streams = Streams(Descriptor(writes), Descriptor(again))

    (stream,) = streams.inner
    assert (streams.merged, stream.kind, stream.numbers) == (True, wire.MERGED, [writes, again])
    close(streams, reads, writes, again)


def test_a_socket_for_a_socket() -> None:
    one, other = socket.socketpair()
    packets, more = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)

    streams = Streams(Descriptor(one.fileno()), Descriptor(packets.fileno()))

    (stream,) = streams.inner
    assert (stream.kind, stream.is_socket) == (wire.STDOUT, True)
    assert streams.unrecorded == [packets.fileno()]
    close(streams)
    for end in (one, other, packets, more):
        end.close()


@pytest.mark.parametrize(("flags", "start"), [(os.O_WRONLY, 3), (os.O_WRONLY | os.O_APPEND, 6)])
def test_a_file_is_read_from_where_the_command_writes(
    tmp_path: Path, flags: int, start: int
) -> None:
    (tmp_path / "file").write_bytes(b"before")
    file = os.open(tmp_path / "file", flags)
    os.lseek(file, 3, os.SEEK_SET)

    streams = Streams(Descriptor(file), Descriptor(999))

    (tail,) = streams.tails
    assert (tail.start, tail.appends, streams.inner) == (start, start == 6, [])
    os.close(file)


def test_what_nobody_can_write_to_is_not_recorded(tmp_path: Path) -> None:
    reads, writes = os.pipe()
    (tmp_path / "file").touch()
    file = os.open(tmp_path / "file", os.O_RDONLY)

    streams = Streams(Descriptor(reads), Descriptor(file))

    assert (streams.inner, streams.tails, streams.unrecorded) == ([], [], [reads, file])
    close(streams, reads, writes, file)
