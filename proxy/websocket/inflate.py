"""Undoes a web socket's compression (RFC 7692), for one direction, within bounds.

wsproto's own extension makes as many bytes of a frame as it stands for, and forgets in the middle
of a message that it is compressed when a ping comes between two fragments. What was agreed on is
read from the server's answer to the upgrade.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from wsproto.extensions import Extension
from wsproto.frame_protocol import CloseReason, FrameDecoder, FrameProtocol, Opcode, RsvBits

from traceproof.proxy.answers import header
from traceproof.proxy.exchange import Headers

LIMIT = 64 << 20
"""Bytes of one message, decompressed, before the rest of its direction is left unread."""

_DEFLATE = "permessage-deflate"
_WINDOW = -15
"""Raw deflate with the largest window, which reads what was made with any smaller one too."""

_FLUSH_END = b"\x00\x00\xff\xff"
"""What a sender cuts off the end of each message."""


class Inflate(Extension):
    """Decompresses the frames of one direction.

    Args:
        forgets: whether the sender begins anew with each message.
        limit: bytes that a message may be decompressed to.
    """

    name = _DEFLATE

    def __init__(self, *, forgets: bool, limit: int = LIMIT) -> None:
        self._forgets = forgets
        self._limit = limit
        self._room = limit
        self._compressed = False
        self._control = False
        self._inflater = zlib.decompressobj(_WINDOW)

    def enabled(self) -> bool:
        """Return True: it is made where compression was agreed on."""
        return True

    def offer(self) -> bool | str:
        """Return False: nothing is negotiated here."""
        return False

    def frame_inbound_header(
        self,
        proto: FrameDecoder | FrameProtocol,  # noqa: ARG002
        opcode: Opcode,
        rsv: RsvBits,
        payload_length: int,  # noqa: ARG002
    ) -> CloseReason | RsvBits:
        """Note whether a message is compressed; wsproto may show the same header twice."""
        self._control = opcode.iscontrol()
        begins = not self._control and opcode is not Opcode.CONTINUATION
        if begins:
            self._compressed, self._room = rsv.rsv1, self._limit
        elif rsv.rsv1:
            return CloseReason.PROTOCOL_ERROR
        return RsvBits(rsv1=True, rsv2=False, rsv3=False)

    def frame_inbound_payload_data(
        self,
        proto: FrameDecoder | FrameProtocol,  # noqa: ARG002
        data: bytes,
    ) -> bytes | CloseReason:
        """Decompress a part of a frame."""
        return data if self._control or not self._compressed else self._inflated(data)

    def frame_inbound_complete(
        self,
        proto: FrameDecoder | FrameProtocol,  # noqa: ARG002
        fin: bool,
    ) -> bytes | CloseReason | None:
        """Decompress what a message's last frame leaves."""
        if self._control or not self._compressed or not fin:
            return None
        rest = self._inflated(_FLUSH_END)
        if self._forgets:
            self._inflater = zlib.decompressobj(_WINDOW)
        return rest

    def _inflated(self, data: bytes) -> bytes | CloseReason:
        try:
            made = b"".join(self._pieces(bytes(data)))
        except zlib.error:
            return CloseReason.INVALID_FRAME_PAYLOAD_DATA
        return made if self._room >= 0 else CloseReason.MESSAGE_TOO_BIG

    def _pieces(self, data: bytes) -> Iterator[bytes]:
        """Decompress; a sender may end a block for good, after which another stream begins."""
        while data and self._room >= 0:
            piece = self._inflater.decompress(data, self._room + 1)
            self._room -= len(piece)
            yield piece
            data = self._inflater.unconsumed_tail
            if self._inflater.eof:
                data = self._inflater.unused_data
                self._inflater = zlib.decompressobj(_WINDOW)


def agreed(headers: Headers, *, from_client: bool, limit: int = LIMIT) -> list[Extension]:
    """Return what undoes the compression of one direction, if any was agreed on.

    Args:
        headers: of the response that accepted the upgrade.
        from_client: the direction.
        limit: bytes that a message may be decompressed to.
    """
    side = "client" if from_client else "server"
    for told in header(headers, "sec-websocket-extensions").split(","):
        name, *parameters = (word.strip().lower() for word in told.split(";"))
        if name == _DEFLATE:
            return [Inflate(forgets=f"{side}_no_context_takeover" in parameters, limit=limit)]
    return []
