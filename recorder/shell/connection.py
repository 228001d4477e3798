"""One connection of a program that an agent started, sans-io: packets in, what they say out.

Whoever connects is not trusted: it may say nothing, too much, or nonsense. What a packet means
after the hello is the business of whoever takes connections of its kind.
"""

from __future__ import annotations

from typing import NamedTuple

from traceproof.recorder.shim import wire

MAX_HELLO = 8 << 20
"""Bytes of a hello; Linux takes some 6 MiB of arguments at most."""


class Packet(NamedTuple):
    """A packet: its kind, the time at which it says it was sent (Unix ns), and its payload."""

    kind: bytes
    time: int
    payload: bytes


class Hello:
    """How a connection introduced itself: its kind, and what else it said."""

    def __init__(self, time: int, fields: list[tuple[bytes, bytes]]) -> None:
        self.time = time
        self._fields = fields

    def __repr__(self) -> str:
        return f"<Hello of a {self.kind}>"

    @property
    def kind(self) -> str:
        """What it connects for: `shell`, `mcp`, `tests`."""
        return self.text("kind")

    def bytes(self, name: str) -> bytes:
        """Return the first value of a name, or nothing."""
        return next((value for key, value in self._fields if key == name.encode()), b"")

    def text(self, name: str) -> str:
        """Return the first value of a name as text."""
        return as_text(self.bytes(name))

    def number(self, name: str) -> int:
        """Return the first value of a name as a number, 0 where it is none."""
        return as_number(self.bytes(name))

    def all(self, name: str) -> list[str]:
        """Return every value of a name, in order."""
        return [as_text(value) for key, value in self._fields if key == name.encode()]

    def below(self, prefix: str) -> dict[str, str]:
        """Return the values of the names with a prefix, without it."""
        start = prefix.encode()
        return {
            as_text(key.removeprefix(start)): as_text(value)
            for key, value in self._fields
            if key.startswith(start)
        }


class Connection:
    """The order of packets: first a hello, perhaps in pieces, then anything."""

    def __init__(self) -> None:
        self.greeted = False
        self._pieces: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> Hello | Packet | None:
        """Take a packet and return what it says; None while a hello is not whole.

        Raises:
            ValueError: this is not our protocol; nothing more of it is worth reading.
        """
        packet = Packet(*wire.decode(data))
        if self.greeted:
            return packet
        if packet.kind not in (wire.HELLO, wire.HELLO_PIECE):
            raise ValueError("it did not say hello")
        self._pieces.append(packet.payload)
        self._size += len(packet.payload)
        if self._size > MAX_HELLO:
            raise ValueError("its hello has no end")
        if packet.kind == wire.HELLO_PIECE:
            return None
        self.greeted = True
        whole, self._pieces = b"".join(self._pieces), []
        return Hello(packet.time, wire.decode_fields(whole))


def as_text(value: bytes) -> str:
    """Decode what may be no UTF-8: other bytes become backslash escapes."""
    return value.decode("utf-8", "backslashreplace")


def as_number(value: bytes) -> int:
    """Decode a number below 2⁶³; 0 where it is none."""
    digits = value[:19]
    return min(int(digits), 2**63 - 1) if value == digits and value.isdigit() else 0
