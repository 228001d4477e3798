from __future__ import annotations

import struct
import zlib

import pytest

from support.frames import DEFLATE
from traceproof.proxy.exchange import Chunk
from traceproof.proxy.websocket.inflate import Inflate, agreed
from traceproof.proxy.websocket.messages import Direction


def inflated(*payloads: bytes) -> list[bytes]:
    """Return what a server's compressed messages say."""
    side = Direction(from_client=False, extensions=[Inflate(forgets=False)])
    framed = b"".join(struct.pack("!BB", 0xC1, len(payload)) + payload for payload in payloads)
    found = [message.data for message in side.feed(Chunk(1, framed))]
    assert side.problem == ""
    return found


@pytest.mark.parametrize(
    ("told", "count"),
    [
        ("", 0),
        ("x-webkit-deflate-frame", 0),
        (DEFLATE, 1),
        (f"Permessage-Deflate; client_max_window_bits=8, {DEFLATE}", 1),
        (f"unknown; a=b, {DEFLATE};server_no_context_takeover", 1),
    ],
)
def test_compression_is_what_the_server_agreed_to(told: str, count: int) -> None:
    headers = [("Sec-WebSocket-Extensions", told)]

    assert [len(agreed(headers, from_client=side)) for side in (True, False)] == [count, count]


def test_the_examples_of_the_standard() -> None:
    # RFC 7692, sections 7.2.3.1 to 7.2.3.5
    assert inflated(b"\xf2\x48\xcd\xc9\xc9\x07\x00", b"\xf2\x00\x11\x00\x00") == [b"Hello"] * 2
    assert inflated(b"\x00\x05\x00\xfa\xffHello\x00") == [b"Hello"]
    assert inflated(b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00") == [b"Hello"]
    assert inflated(b"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00") == [b"Hello"]


def test_a_message_goes_on_after_a_block_that_ends_for_good() -> None:
    blocks = [zlib.compressobj(wbits=-15) for _ in range(2)]
    first, second = (each.compress(b"hello ") + each.flush() for each in blocks)

    assert inflated(first + second + b"\x00") == [b"hello hello "]
