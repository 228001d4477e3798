"""What can go wrong, or merely differ, with an answer. Pure data; `answer.py` carries them out.

Any number of faults may be combined on one turn. A fault holds for every request of its turn unless
`times` says for how many; `skip` lets that many requests of the turn pass unharmed first. So
`[Status(529, times=2), Cut(events=3, skip=2, times=1)]` is two refusals, a cut stream, and then
the real answer.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec


class Fault(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag=str.lower):
    """The base of all faults; `type` in the file form is the class name in lower case."""

    times: int | None = None
    skip: int = 0

    def holds(self, attempt: int) -> bool:
        """Tell whether the fault holds for the request number `attempt` (from 0) of its turn."""
        return self.skip <= attempt and (self.times is None or attempt < self.skip + self.times)


class Status(Fault, frozen=True):
    """An error response in the provider's own JSON shape instead of an answer."""

    status: int
    kind: str | None = None
    """The error's type; without it the provider's usual one for this status."""
    message: str | None = None
    retry_after: int | None = None
    """Seconds, sent as `retry-after`."""


class ErrorEvent(Fault, frozen=True):
    """An error event after `after` events; the stream then ends as if nothing were amiss."""

    after: int = 3
    kind: str = "overloaded_error"
    message: str = "Overloaded"


class Cut(Fault, frozen=True):
    """The connection closes after `events` events (all, if not given), with no end mark of HTTP."""

    events: int | None = None


class Drop(Fault, frozen=True):
    """The connection breaks after `after` bytes of the body; without, before any byte at all.

    `reset` sends RST instead of FIN.
    """

    after: int | None = None
    reset: bool = False


class Delay(Fault, frozen=True):
    """Seconds to wait before the first byte of the response, and before each further write."""

    first: float = 0.0
    each: float = 0.0


class Hold(Fault, frozen=True):
    """Stop after `after` writes until the test calls `ScriptedModel.release`."""

    after: int = 0


class Split(Fault, frozen=True):
    """Cut the body into writes elsewhere than at the ends of events.

    `bytes` cuts every `size` bytes; `characters` inside every character of more than one byte;
    `lines` inside every line, `size` bytes after its start.
    """

    where: Literal["bytes", "characters", "lines"] = "bytes"
    size: int = 1


class Burst(Fault, frozen=True):
    """`chunks` chunks of HTTP in one write; the whole response if not given."""

    chunks: int | None = None


class Encode(Fault, frozen=True):
    """Content-encoding, flushed after each event; only if the request allows it, or `force`."""

    coding: Literal["gzip", "deflate", "br", "zstd"] = "gzip"
    force: bool = False


class Frame(Fault, frozen=True):
    """How the body's end is told: chunked, by content-length, or by closing the connection."""

    by: Literal["chunked", "length", "close"] = "close"


class Header(Fault, frozen=True):
    """A further response header; repeat the fault for several of one name."""

    name: str
    value: str


class Huge(Fault, frozen=True):
    """So many MiB of text before what the turn says."""

    megabytes: int = 1


class Insert(Fault, frozen=True):
    """Something more after `after` events of the stream.

    `event` is JSON to frame as an event (a kind nobody knows, a ping), `data` the text of an event
    that need not be JSON, `raw` goes out as it stands.
    """

    after: int = 1
    event: dict[str, Any] | None = None
    data: str | None = None
    raw: str | None = None


class CrLf(Fault, frozen=True):
    """Lines of the stream end in CR LF."""


class Ping(Fault, frozen=True):
    """A ping before the frame `after` of a web socket, also between the fragments of a message."""

    after: int = 0


AnyFault: TypeAlias = (
    Status
    | ErrorEvent
    | Cut
    | Drop
    | Delay
    | Hold
    | Split
    | Burst
    | Encode
    | Frame
    | Header
    | Huge
    | Insert
    | CrLf
    | Ping
)
