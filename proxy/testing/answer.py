"""An answer as the bytes of HTTP/1.1, and when to send them: a turn with its faults carried out.

Pure: no socket, no clock. `server.py` sends what stands here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from typing import Literal, TypeAlias

Framing: TypeAlias = Literal["chunked", "length", "close", "none"]
Ending: TypeAlias = Literal["complete", "closed", "reset"]

LAST_CHUNK = b"0\r\n\r\n"


@dataclass(frozen=True)
class Answer:
    """A response: `chunks` is its body, content-encoded but not framed, a write each."""

    status: int
    headers: Sequence[tuple[str, str]]
    chunks: Sequence[bytes]
    framing: Framing = "length"
    ending: Ending = "complete"
    """Whether it ends as HTTP wants, or by the connection closing or being reset."""
    silent: bool = False
    """The connection ends before any byte."""
    length: int | None = None
    """The content-length told, where that is not the length of `chunks`."""
    first_delay: float = 0.0
    each_delay: float = 0.0
    hold: int | None = None
    """After how many chunks to wait for the test's leave."""
    burst: int = 1
    """How many chunks go into one write; 0: the whole response does."""

    @property
    def at_once(self) -> bool:
        """Whether sending waits for nothing; a reset waits for the bytes before it."""
        waits = self.first_delay or self.each_delay or self.ending == "reset"
        return not waits and self.hold is None

    @cached_property
    def body(self) -> bytes:
        """The body as sent, without the framing of HTTP."""
        return b"".join(self.chunks)

    @cached_property
    def size(self) -> int:
        """The length of the body in bytes."""
        return sum(map(len, self.chunks))

    @cached_property
    def head(self) -> bytes:
        """The status line and the headers."""
        lines = [f"HTTP/1.1 {self.status} {reason(self.status)}"]
        lines += [f"{name}: {value}" for name, value in self.sent_headers]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    @cached_property
    def sent_headers(self) -> Sequence[tuple[str, str]]:
        """The headers, those that frame the body included."""
        if self.framing == "chunked":
            return [*self.headers, ("transfer-encoding", "chunked")]
        if self.framing == "close":
            return [*self.headers, ("connection", "close")]
        if self.framing == "none":
            return self.headers
        length = self.size if self.length is None else self.length
        return [*self.headers, ("content-length", str(length))]

    @cached_property
    def script(self) -> Sequence[bytes]:
        """All that goes out where nothing has to be waited for, one item a write."""
        if self.silent:
            return [b""]
        if self.burst == 1:
            return [self.head, *self.writes]
        step = self.burst or max(len(self.writes), 1)
        starts = range(0, len(self.writes), step)
        joined = [b"".join(self.writes[start : start + step]) for start in starts]
        return [self.head, *joined] if self.burst else [self.head + b"".join(joined)]

    @cached_property
    def writes(self) -> Sequence[bytes]:
        """The framed body, one item a write; the end mark of HTTP goes with the last."""
        if self.framing != "chunked":
            return self.chunks
        framed = [b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in self.chunks if chunk]
        if self.ending == "complete":
            framed = [*framed[:-1], framed[-1] + LAST_CHUNK] if framed else [LAST_CHUNK]
        return framed


def reason(status: int) -> str:
    """Return a status line's words."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Overloaded" if status == 529 else "Unknown"  # noqa: PLR2004
