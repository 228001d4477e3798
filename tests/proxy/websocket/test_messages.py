from __future__ import annotations

import os
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.frames import DEFLATE, Peer
from traceproof.proxy.exchange import Chunk
from traceproof.proxy.websocket.inflate import agreed
from traceproof.proxy.websocket.messages import Close, Direction, Message

PARAMETERS = (
    "",
    DEFLATE,
    f"{DEFLATE}; client_no_context_takeover; server_no_context_takeover",
    f"{DEFLATE}; client_max_window_bits=9; server_max_window_bits=9",
)


def direction(*, client: bool, deflate: str = "", limit: int = 1 << 20) -> Direction:
    extensions = agreed([("Sec-WebSocket-Extensions", deflate)], from_client=client, limit=limit)
    return Direction(from_client=client, extensions=extensions, limit=limit)


def read(side: Direction, data: bytes, size: int) -> list[Message]:
    """Read bytes in chunks of a size, each at the time that is the offset of its end."""
    pieces = [(at, data[at : at + size]) for at in range(0, len(data), size)]
    return [found for at, piece in pieces for found in side.feed(Chunk(at + len(piece), piece))]


messages = st.lists(
    st.tuples(
        st.text(max_size=300) | st.binary(max_size=300) | st.just("a" * 70_000),
        st.lists(st.integers(0, 300), max_size=3).map(sorted),
    ),
    max_size=5,
)


@given(messages, st.integers(1, 500), st.sampled_from(PARAMETERS), st.booleans(), st.booleans())
def test_any_chunking_and_any_fragments_give_the_messages(
    sent: list[tuple[str | bytes, list[int]]],
    size: int,
    deflate: str,
    client: bool,
    ping: bool,
) -> None:
    peer = Peer(client=client, deflate=deflate)
    framed = b"".join(
        peer.message(payload, *[min(cut, len(payload)) for cut in cuts], ping=ping)
        for payload, cuts in sent
    )
    side = direction(client=client, deflate=deflate)

    found = read(side, framed, size)

    payloads = [part.encode() if isinstance(part, str) else part for part, _ in sent]
    assert [message.data for message in found] == payloads
    assert (side.finish(), side.problem) == (None, "")


def test_a_message_knows_when_it_began_and_when_it_was_whole() -> None:
    peer = Peer(client=False)
    first, second = peer.message("one"), peer.message("four")
    side = direction(client=False)

    found = read(side, first + second, 3)

    assert [(at.started, at.time) for at in found] == [(3, 6), (6, 11)]


def test_a_ping_between_fragments_begins_no_message() -> None:
    peer = Peer(client=True, deflate=DEFLATE)
    framed = peer.message("hello, hello, hello", 4, 9, ping=True)

    (message,) = read(direction(client=True, deflate=DEFLATE), framed, 1)

    assert message.data == b"hello, hello, hello"


@pytest.mark.parametrize(
    ("framed", "close"),
    [
        (Peer(client=False).close(1000, "bye"), Close(1000, "bye")),
        (Peer(client=False).close(4001, "éé"), Close(4001, "éé")),
        (Peer(client=False).close(), Close(1005, "")),
        (b"\x88\x01\x03", Close(1005, "")),
        (b"\x88\x03" + struct.pack("!H", 1011) + b"\xff", Close(1011, "�")),
    ],
)
def test_a_close_frame_is_told_and_nothing_after_it_is_read(framed: bytes, close: Close) -> None:
    peer, side = Peer(client=False), direction(client=False)

    found = read(side, peer.message("last words") + framed + peer.message("more"), 5)

    assert [message.data for message in found] == [b"last words"]
    assert (side.close, side.finish(), side.problem) == (close, None, "")


@pytest.mark.parametrize(
    ("broken", "problem"),
    [
        (b"\x83\x00", "Invalid opcode"),
        (b"\x80\x00", "a fragment of no message"),
        (b"\x01\x01a\x01\x01b", "a message within a message"),
        (b"\x09\x00", "Invalid attempt to fragment control frame"),
        (b"\x89\x7e\x01\x00", "Control frame with payload len > 125"),
        (b"\x81\x80\x00\x00\x00\x00", "client received unexpected masked frame"),
        (b"\xc1\x01a", "Reserved bit set unexpectedly"),
        (b"GET / HTTP/1.1\r\n", ""),
    ],
)
@pytest.mark.parametrize("size", [1, 64])
def test_broken_frames_are_read_up_to_where_they_break(
    broken: bytes, problem: str, size: int
) -> None:
    peer, side = Peer(client=False), direction(client=False)

    found = read(side, peer.message("before") + broken + peer.message("after"), size)

    assert [message.data for message in found] == [b"before"]
    assert "the frames are broken, and not read any further" in side.problem
    assert problem in side.problem


@pytest.mark.parametrize("deflate", PARAMETERS)
def test_a_bomb_is_not_let_off(deflate: str) -> None:
    peer = Peer(client=True, deflate=deflate)
    framed = peer.message("before") + peer.message(b"\x00" * 2_000_000) + peer.message("after")
    side = direction(client=True, deflate=deflate, limit=1_000_000)

    found = read(side, framed, 1000)

    assert [message.data for message in found] == [b"before"]
    assert "a message of more than 1000000 bytes" in side.problem


def test_compressed_bytes_that_make_no_sense_are_said_to_be_so() -> None:
    side = direction(client=False, deflate=DEFLATE)

    assert read(side, b"\xc1\x04\xff\xff\xff\xff", 2) == []
    assert "its compressed bytes make no sense" in side.problem


def test_a_message_that_is_cut_off_is_told_as_far_as_it_came() -> None:
    peer, side = Peer(client=False), direction(client=False)
    framed = peer.message("whole") + peer.message("hello there", 5)

    found = read(side, framed[:-3], 4)
    rest = side.finish()

    assert [message.data for message in found] == [b"whole"]
    assert rest is not None
    assert (rest.data, rest.whole) == (b"hello th", False)
    assert side.problem == "the connection ended inside a message"


def test_a_header_that_is_cut_off_is_told_too() -> None:
    side = direction(client=False)

    assert read(side, Peer(client=False).message("x" * 200)[:3], 1) == []
    assert side.finish() is None
    assert side.problem == "the connection ended inside a message"


@given(st.binary(max_size=400), st.integers(1, 100), st.sampled_from(PARAMETERS), st.booleans())
def test_no_bytes_at_all_raise(data: bytes, size: int, deflate: str, client: bool) -> None:
    side = direction(client=client, deflate=deflate)
    read(side, data, size)
    side.finish()


def test_noise_in_a_compressed_message_does_not_raise() -> None:
    for number in range(200):
        noise = os.urandom(number)
        side = direction(client=False, deflate=DEFLATE)
        read(side, b"\xc2\x7e" + struct.pack("!H", 126 + number) + noise + bytes(126), 17)
        side.finish()
