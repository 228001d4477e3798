"""One stream: read, delivered, and as much of it recorded as was delivered."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from traceproof.recorder.shim import sockets, wire
from traceproof.recorder.shim.channel import Channel


class Ends(NamedTuple):
    """What the command writes to, the channel, and what the agent reads from."""

    command: int
    channel: Channel
    agent: int


@pytest.fixture
def ends() -> Iterator[Ends]:
    (source, command), (agent, target) = os.pipe(), os.pipe()
    os.set_blocking(target, False)
    made = Ends(command, Channel(wire.STDOUT, source, target), agent)
    yield made
    made.channel.close()
    os.close(agent)


def test_what_is_written_is_delivered_and_told(ends: Ends) -> None:
    os.write(ends.command, b"some text")

    assert ends.channel.ahead() == 9
    ends.channel.read()
    assert (ends.channel.pending, ends.channel.ahead()) == (b"some text", 9)
    assert ends.channel.write() == b"some text"

    assert os.read(ends.agent, 100) == b"some text"
    assert (ends.channel.pending, ends.channel.ahead()) == (b"", 0)
    os.close(ends.command)


def test_what_the_agent_does_not_take_stays(ends: Ends) -> None:
    taken = 0
    for _ in range(3):
        os.write(ends.command, bytes(60000))
        ends.channel.read()
        while sent := ends.channel.write():
            taken += len(sent)

    assert 60000 <= taken <= 65536
    assert len(ends.channel.pending) > 0
    assert not ends.channel.ended
    os.close(ends.command)


def test_an_end_is_the_end_for_the_agent_too(ends: Ends) -> None:
    os.close(ends.command)

    ends.channel.read()

    assert ends.channel.ended
    assert os.read(ends.agent, 1) == b""
    ends.channel.close()  # again, which changes nothing


def test_nothing_to_read_is_no_end(ends: Ends) -> None:
    ends.channel.read()

    assert not ends.channel.ended
    os.close(ends.command)


def test_an_agent_that_is_gone_ends_the_command(ends: Ends) -> None:
    os.write(ends.command, b"text")
    ends.channel.read()
    spare = os.dup(ends.agent)
    os.close(ends.agent)
    os.close(spare)

    assert ends.channel.write() == b""

    assert ends.channel.ended
    with pytest.raises(BrokenPipeError):
        os.write(ends.command, b"more")
    os.close(ends.command)
    os.dup2(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC), ends.agent)


def test_a_socket_is_closed_for_both() -> None:
    source, command = os.pipe()
    theirs, agent = socket.socketpair()
    target = sockets.Socket(fileno=theirs.detach())
    channel = Channel(wire.MERGED, source, target.fileno(), target)
    os.write(command, b"text")
    channel.read()

    assert channel.write() == b"text"
    os.close(command)
    channel.read()

    assert (agent.recv(10), agent.recv(10)) == (b"text", b"")
    agent.close()
