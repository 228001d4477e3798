"""One HTTP request and its response, as they passed: what the relay hands to the recorder.

The relay appends, the recorder reads; nothing here parses or copies. Appending to a list is atomic
in CPython, so no lock is needed between the relay's loop and the recorder's thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, TypeAlias

Headers: TypeAlias = Sequence[tuple[str, str]]


class Chunk(NamedTuple):
    """Bytes as they arrived; `time` in Unix nanoseconds."""

    time: int
    data: bytes


@dataclass(slots=True, eq=False)
class Exchange:
    """A request and its response; times in Unix nanoseconds, 0 until they happen."""

    method: str
    scheme: str
    host: str
    port: int
    path: str
    """Path and query, exactly as sent."""
    http_version: str
    request_headers: Headers
    started: int
    upstream: str = ""
    """Where a route sent it instead (`http://127.0.0.1:8080`), else empty."""
    request_chunks: list[Chunk] = field(default_factory=list)
    request_ended: int = 0
    status: int = 0
    response_headers: Headers = ()
    response_started: int = 0
    response_chunks: list[Chunk] = field(default_factory=list)
    ended: int = 0
    error: str = ""
    """Why it ended, where that was not the end of the response; one line, no secrets' place."""
    request_taken: int = 0
    response_taken: int = 0
    """Bytes of a web socket that were read while it was open: their chunks are gone."""
    user: str = ""
    """The proxy's user that was admitted; empty where nobody has to name himself."""


class Sink(Protocol):
    """Takes exchanges off the relay's hands. Each call returns at once and never raises."""

    def request_started(self, exchange: Exchange) -> None:
        """The request's headers are known."""

    def request_ended(self, exchange: Exchange) -> None:
        """The request's body is whole; the response may already have begun."""

    def response_started(self, exchange: Exchange) -> None:
        """The response's status and headers are known."""

    def ended(self, exchange: Exchange) -> None:
        """Nothing more will come: the response is whole, or `exchange.error` says why not."""

    def refuses(self) -> bool | str:
        """Return whether recording failed and the user asked for `--on-failure closed`.

        A text says why, for the agent's user.
        """


class Discard:
    """A sink that keeps nothing, for a relay without a recording."""

    def request_started(self, exchange: Exchange) -> None:
        """Do nothing."""

    def request_ended(self, exchange: Exchange) -> None:
        """Do nothing."""

    def response_started(self, exchange: Exchange) -> None:
        """Do nothing."""

    def ended(self, exchange: Exchange) -> None:
        """Do nothing."""

    def refuses(self) -> bool:
        """Never refuse."""
        return False
