from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traceproof.recorder.shim import wire

NAMES = st.binary(max_size=50).map(lambda value: value.replace(b"\0", b""))
WHEN = st.integers(0, 2**64 - 1)


@given(st.binary(min_size=1, max_size=1), WHEN, st.binary(max_size=200))
def test_a_packet_comes_back(kind: bytes, when: int, payload: bytes) -> None:
    assert wire.decode(wire.encode(kind, when, payload)) == (kind, when, payload)


@given(st.lists(st.tuples(NAMES, NAMES)))
def test_fields_come_back_in_order(fields: list[tuple[bytes, bytes]]) -> None:
    assert wire.decode_fields(wire.encode_fields(fields)) == fields


@given(st.integers(0, 3 * wire.MAX_PAYLOAD + 1), WHEN)
def test_pieces_hold_the_whole_payload(size: int, when: int) -> None:
    payload = bytes(range(256)) * (size // 256 + 1)

    packets = [wire.decode(one) for one in wire.pieces(payload[:size], b"H", b"h", when)]

    assert b"".join(part for _, _, part in packets) == payload[:size]
    assert [kind for kind, _, _ in packets] == [b"h"] * (len(packets) - 1) + [b"H"]
    assert {when} == {one for _, one, _ in packets}


@given(st.binary(max_size=300))
def test_noise_is_fields_or_an_error(noise: bytes) -> None:
    try:
        fields = wire.decode_fields(noise)
    except ValueError:
        return
    assert wire.encode_fields(fields) == noise


def test_what_is_on_the_wire() -> None:
    fields = wire.encode_fields([(b"kind", b"shell"), (b"arg", b"")])

    assert wire.encode(wire.HELLO, 258, fields) == b"H\0\0\0\0\0\0\x01\x02kind\0shell\0arg\0\0"


def test_the_longest_payload_fits() -> None:
    packet = wire.encode(b"O", 0, bytes(wire.MAX_PAYLOAD))

    assert len(packet) == wire.MAX_PACKET
    with pytest.raises(ValueError, match="longer"):
        wire.encode(b"O", 0, bytes(wire.MAX_PAYLOAD + 1))


@pytest.mark.parametrize("packet", [b"", b"O1234567", bytes(wire.MAX_PACKET + 1)])
def test_what_is_no_packet(packet: bytes) -> None:
    with pytest.raises(ValueError, match="not a packet"):
        wire.decode(packet)


@pytest.mark.parametrize("payload", [b"name", b"name\0", b"name\0value", b"a\0b\0c\0"])
def test_fields_that_are_cut_off(payload: bytes) -> None:
    with pytest.raises(ValueError, match="cut off"):
        wire.decode_fields(payload)


def test_a_field_with_a_nul() -> None:
    with pytest.raises(ValueError, match="NUL"):
        wire.encode_fields([(b"name", b"a\0b")])


def test_a_kind_is_one_byte() -> None:
    with pytest.raises(ValueError, match="one byte"):
        wire.encode(b"OO", 0)
