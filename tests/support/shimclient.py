"""A program that speaks to the recorder as a shell's shim does, one packet at a time."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from traceproof.recorder.shim import wire

TOKEN = "the token of the folder"
Pairs = list[tuple[bytes, bytes]]


def hello_fields(script: str = "true", **more: str) -> Pairs:
    """Return the fields of a shell's hello; further ones may replace them."""
    fields = {
        "kind": "shell",
        "token": TOKEN,
        "hook": "path",
        "real": "/usr/bin/bash",
        "cwd": "/srv",
        "pid": "42",
        "ppid": "41",
        "sid": "40",
        "pgid": "42",
        "fd0": "null",
        "fd1": "pipe",
        "fd2": "pipe",
        **more,
    }
    args = [(b"arg", word.encode()) for word in ("bash", "-c", script)]
    return [*((name.encode(), value.encode()) for name, value in fields.items()), *args]


class ShimClient:
    """One connection."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(30)
        self.socket.connect(str(path))

    @classmethod
    def over(cls, connected: socket.socket) -> Self:
        """Return one over a socket that is connected already."""
        made = cls.__new__(cls)
        made.socket = connected
        connected.settimeout(30)
        return made

    def send(self, kind: bytes, payload: bytes = b"", at: int = 0) -> None:
        """Send one packet."""
        self.socket.send(wire.encode(kind, at or time.time_ns(), payload))

    def hello(self, script: str = "true", **more: str) -> Pairs:
        """Say hello and return the answer's fields."""
        payload = wire.encode_fields(hello_fields(script, **more))
        for packet in wire.pieces(payload, wire.HELLO, wire.HELLO_PIECE, time.time_ns()):
            self.socket.send(packet)
        return self.answer()

    def answer(self) -> Pairs:
        """Wait for the answer; nothing where the recorder hung up."""
        packet = self.socket.recv(wire.MAX_PACKET)
        if not packet:
            return []
        kind, _, payload = wire.decode(packet)
        assert kind == wire.GO
        return wire.decode_fields(payload)

    def ended(self, **said: str) -> None:
        """Say how the shell ended: `code="0"` unless told otherwise."""
        pairs = {name.encode(): value.encode() for name, value in (said or {"code": "0"}).items()}
        self.send(wire.ENDED, wire.encode_fields(list(pairs.items())))

    def drained(self, outlived: str = "0", lost: str = "0") -> None:
        """Say that no more output will come."""
        fields = [(b"outlived", outlived.encode()), (b"lost", lost.encode())]
        self.send(wire.DRAINED, wire.encode_fields(fields))

    def close(self) -> None:
        """Hang up."""
        self.socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
