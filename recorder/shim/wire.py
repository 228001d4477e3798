"""The packets between the programs an agent starts and the recorder: bytes in, packets out.

One packet is one byte of kind, eight bytes of Unix time in nanoseconds (big-endian), and the
payload. They travel on AF_UNIX SOCK_SEQPACKET, which keeps their bounds and their order. This
module opens no socket, and imports nothing: every shell of an agent pays for it.
"""

from __future__ import annotations

HELLO = b"H"
"""The last piece of a hello, or all of it: fields."""
HELLO_PIECE = b"h"
GO = b"G"
"""Recorder to program: what to do now, as fields."""
STDOUT = b"O"
STDERR = b"R"
MERGED = b"M"
"""Output where descriptors 1 and 2 are one open file."""
ENDED = b"E"
"""The command ended: fields `code` or `signal`, `utime_us`, `stime_us`, `maxrss_kb`."""
DRAINED = b"Z"
"""The streams ended, nothing follows: fields `outlived`, `lost`."""
FAULT = b"F"
"""What went wrong on the program's side, as text."""
FROM_CLIENT = b"I"
"""A JSON-RPC line to an MCP server; the piece kinds mean that more of it follows."""
FROM_CLIENT_PIECE = b"i"
FROM_SERVER = b"U"
FROM_SERVER_PIECE = b"u"
TEST = b"T"
"""A test event, as JSON."""

MAX_PAYLOAD = 65536
MAX_PACKET = 9 + MAX_PAYLOAD

_HEAD = 9


def encode(kind: bytes, when: int, payload: bytes = b"") -> bytes:
    """Return a packet.

    Args:
        kind: One byte.
        when: Unix time, in nanoseconds.
        payload: At most `MAX_PAYLOAD` bytes.

    Raises:
        ValueError: the payload is too long, or the kind is not one byte.
    """
    if len(kind) != 1:
        raise ValueError("a kind is one byte")
    if len(payload) > MAX_PAYLOAD:
        raise ValueError("the payload is longer than a packet holds")
    return b"".join((kind, when.to_bytes(8, "big"), payload))


def decode(packet: bytes) -> tuple[bytes, int, bytes]:
    """Return a packet's kind, Unix time in nanoseconds and payload.

    Raises:
        ValueError: it is shorter or longer than a packet can be.
    """
    if not _HEAD <= len(packet) <= MAX_PACKET:
        raise ValueError("not a packet of this protocol")
    return packet[:1], int.from_bytes(packet[1:_HEAD], "big"), packet[_HEAD:]


def encode_fields(fields: list[tuple[bytes, bytes]]) -> bytes:
    """Return fields as bytes; a name may repeat, the order is kept.

    Raises:
        ValueError: a name or a value holds a NUL.
    """
    words = [word for field in fields for word in field]
    if any(b"\0" in word for word in words):
        raise ValueError("a field holds no NUL")
    return b"".join(word + b"\0" for word in words)


def decode_fields(payload: bytes) -> list[tuple[bytes, bytes]]:
    """Return the fields in a payload, in order.

    Raises:
        ValueError: a field is cut off.
    """
    if not payload:
        return []
    words = payload.split(b"\0")
    if words.pop() or len(words) % 2:
        raise ValueError("a field is cut off")
    return list(zip(words[::2], words[1::2], strict=True))


def pieces(payload: bytes, last: bytes, piece: bytes, when: int) -> list[bytes]:
    """Return the packets that carry a payload of any length.

    Args:
        payload: What to carry; empty gives one packet.
        last: The kind of the last packet.
        piece: The kind of those before it.
        when: Unix time, in nanoseconds.
    """
    starts = range(0, len(payload), MAX_PAYLOAD) or range(1)
    parts = [payload[start : start + MAX_PAYLOAD] for start in starts]
    packets = [encode(piece, when, part) for part in parts[:-1]]
    return [*packets, encode(last, when, parts[-1])]
