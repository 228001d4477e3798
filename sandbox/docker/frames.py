"""The frames in which the engine sends stdout and stderr over one connection. No sockets here.

Each has 8 bytes before it: the stream (1 stdout, 2 stderr), three zeros, and the length, big-endian
(Docker Engine API, "Attach to a container", stream format).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Literal, NamedTuple

Name = Literal["stdout", "stderr"]

_HEAD = struct.Struct(">BxxxL")
_NAMES: dict[int, Name] = {0: "stdout", 1: "stdout", 2: "stderr"}


class Piece(NamedTuple):
    """Bytes that arrived of one stream."""

    name: Name
    data: bytes


class Frames:
    """Takes bytes as they arrive and gives them apart again; a frame is not waited for whole."""

    def __init__(self) -> None:
        self._head = b""
        self._name: Name = "stdout"
        self._left = 0

    @property
    def whole(self) -> bool:
        """Whether what has arrived ends where a frame ends."""
        return not self._left and not self._head

    def feed(self, data: bytes) -> Iterator[Piece]:
        """Take bytes.

        Raises:
            ValueError: they are no such frames.
        """
        view = memoryview(data)
        while view:
            if self._left:
                part, view = view[: self._left], view[self._left :]
                self._left -= len(part)
                yield Piece(self._name, bytes(part))
            else:
                view = self._begin(view)

    def _begin(self, view: memoryview) -> memoryview:
        need = _HEAD.size - len(self._head)
        self._head += bytes(view[:need])
        if len(self._head) == _HEAD.size:
            stream, self._left = _HEAD.unpack(self._head)
            if stream not in _NAMES:
                raise ValueError(f"not a frame of the engine: {self._head!r}")
            self._name, self._head = _NAMES[stream], b""
        return view[need:]
