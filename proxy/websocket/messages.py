"""One direction of a web socket: the bytes that passed, as messages. Sans-io.

Any chunking of the same bytes gives the same messages. A direction that breaks the protocol is read
up to there; what is wrong is told in `problem`, and nothing here raises.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple, cast

from wsproto.extensions import Extension
from wsproto.frame_protocol import CloseReason, Frame, FrameDecoder, Opcode, ParseFailed

from traceproof.proxy.exchange import Chunk
from traceproof.proxy.websocket.inflate import LIMIT

_NO_CODE = 1005
"""What the protocol calls the code of a close frame that has none."""


class Message(NamedTuple):
    """A message's payload, decompressed; times in Unix nanoseconds.

    `started` is when its first byte arrived, `time` when its last did. A message that the
    direction's end cut off is not `whole`.
    """

    started: int
    time: int
    data: bytes
    whole: bool = True


class Close(NamedTuple):
    """A close frame: its code (RFC 6455, section 7.4) and reason."""

    code: int
    reason: str


class Direction:
    """Reads what one side sent.

    Args:
        from_client: a client masks its frames, a server does not.
        extensions: what undoes the compression agreed on.
        limit: bytes that a message may have.
    """

    def __init__(
        self, *, from_client: bool, extensions: Sequence[Extension] = (), limit: int = LIMIT
    ) -> None:
        self._decoder = FrameDecoder(client=not from_client, extensions=list(extensions))
        self._limit = limit
        self._parts: list[bytes] = []
        self._size = 0
        self._inside = False
        self._started = self._frame_started = 0
        self._time = 0
        self._over = False
        self.close: Close | None = None
        self.problem = ""

    def feed(self, chunk: Chunk) -> list[Message]:
        """Take bytes as they came, and return the messages they complete."""
        if self._over:
            return []
        self._time = chunk.time
        self._frame_started = self._frame_started or chunk.time
        self._decoder.receive_bytes(chunk.data)
        found: list[Message] = []
        try:
            while not self._over and (frame := self._decoder.process_buffer()) is not None:
                self._take(frame, found)
        except ParseFailed as error:
            self._fail(_told(error, self._limit))
        return found

    def finish(self) -> Message | None:
        """Say that nothing more will come; return what came of a message under way."""
        self._over = True
        if self._inside or (self._frame_started and not self.close):
            self.problem = self.problem or "the connection ended inside a message"
        return self._message(whole=False) if self._inside else None

    def _take(self, frame: Frame, found: list[Message]) -> None:
        begun = self._frame_started
        if frame.frame_finished:
            self._frame_started = self._time if len(self._decoder.buffer) else 0
        if frame.opcode.iscontrol():
            if frame.opcode is Opcode.CLOSE:
                self._take_close(_payload(frame))
            return
        self._begin(frame.opcode, begun)
        self._parts.append(_payload(frame))
        self._size += len(self._parts[-1])
        if self._size > self._limit:
            raise ParseFailed("", CloseReason.MESSAGE_TOO_BIG)
        if frame.frame_finished and frame.message_finished:
            found.append(self._message(whole=True))

    def _begin(self, opcode: Opcode, begun: int) -> None:
        """Begin a message, or go on with one: wsproto calls a frame's further parts so too."""
        goes_on = opcode is Opcode.CONTINUATION
        if goes_on is not self._inside:
            raise ParseFailed(
                "a fragment of no message" if goes_on else "a message within a message"
            )
        if not goes_on:
            self._inside, self._started = True, begun

    def _message(self, *, whole: bool) -> Message:
        message = Message(self._started, self._time, b"".join(self._parts), whole)
        self._parts, self._size, self._inside = [], 0, False
        return message

    def _take_close(self, payload: bytes) -> None:
        self._over = True
        code = struct.unpack("!H", payload[:2])[0] if len(payload) > 1 else _NO_CODE
        self.close = Close(code, payload[2:].decode("utf-8", "replace"))

    def _fail(self, problem: str) -> None:
        self._over = True
        self.problem = f"the frames are broken, and not read any further: {problem}"


def _payload(frame: Frame) -> bytes:
    return bytes(cast("bytes", frame.payload))  # only wsproto's later layers make it anything else


def _told(error: ParseFailed, limit: int) -> str:
    if error.code is CloseReason.MESSAGE_TOO_BIG:
        return f"a message of more than {limit} bytes"
    if error.code is CloseReason.INVALID_FRAME_PAYLOAD_DATA:
        return "its compressed bytes make no sense"
    return str(error)
