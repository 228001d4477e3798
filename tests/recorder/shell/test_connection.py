from __future__ import annotations

import pytest

from traceproof.recorder.shell.connection import MAX_HELLO, Connection, Hello, Packet, as_number
from traceproof.recorder.shim import wire

FIELDS = [
    (b"kind", b"shell"),
    (b"arg", b"bash"),
    (b"arg", b"\xff"),
    (b"env.PATH", b"/bin"),
    (b"pid", b"7"),
]


def hello(*packets: bytes) -> Hello:
    connection = Connection()
    *others, last = (connection.feed(packet) for packet in packets)
    assert not any(others)
    assert connection.greeted
    assert isinstance(last, Hello)
    return last


def test_a_hello_and_what_comes_after_it() -> None:
    connection = Connection()

    said = connection.feed(wire.encode(b"H", 5, wire.encode_fields(FIELDS)))
    output = connection.feed(wire.encode(b"O", 6, b"out"))

    assert isinstance(said, Hello)
    assert (said.kind, said.time, said.number("pid")) == ("shell", 5, 7)
    assert said.all("arg") == ["bash", "\\xff"]
    assert said.below("env.") == {"PATH": "/bin"}
    assert (said.text("none"), said.bytes("none"), said.number("kind")) == ("", b"", 0)
    assert output == Packet(b"O", 6, b"out")


def test_a_hello_in_pieces() -> None:
    payload = wire.encode_fields([*FIELDS, (b"arg", b"x" * 200_000)])

    said = hello(*wire.pieces(payload, wire.HELLO, wire.HELLO_PIECE, 5))

    assert said.all("arg")[-1] == "x" * 200_000


def test_an_argument_s_bytes_do_not_show_by_accident() -> None:
    assert "secret" not in repr(
        hello(wire.encode(b"H", 5, wire.encode_fields([(b"a", b"secret")])))
    )


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"H",
        wire.encode(b"O", 5, b"out"),
        wire.encode(b"H", 5, b"no fields"),
        wire.encode(b"H", 5, b"odd\0"),
        bytes(wire.MAX_PACKET + 1),
    ],
)
def test_what_is_no_hello_is_refused(packet: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        Connection().feed(packet)


def test_a_hello_without_end_is_refused() -> None:
    connection = Connection()
    piece = wire.encode(wire.HELLO_PIECE, 5, bytes(wire.MAX_PAYLOAD))
    for _ in range(MAX_HELLO // wire.MAX_PAYLOAD):
        assert connection.feed(piece) is None

    with pytest.raises(ValueError, match="no end"):
        connection.feed(piece)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (b"0", 0),
        (b"12", 12),
        (b"-1", 0),
        (b"", 0),
        (b"1e3", 0),
        ("²".encode(), 0),
        (b"9" * 19, 2**63 - 1),
        (b"9" * 5000, 0),
    ],
)
def test_numbers(text: bytes, number: int) -> None:
    assert as_number(text) == number
