"""Both directions of an upgraded exchange: its messages in the order in which they passed.

The relay appends chunks to the exchange; they are taken out of it here, so that a socket that is
open for hours does not keep in memory what has been read.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import merge
from itertools import repeat, takewhile
from typing import NamedTuple

from traceproof.proxy.exchange import Chunk, Exchange
from traceproof.proxy.websocket.inflate import LIMIT, agreed
from traceproof.proxy.websocket.messages import Direction, Message


class Passed(NamedTuple):
    """A message and who sent it."""

    from_client: bool
    message: Message


class Socket:
    """The messages of one exchange whose upgrade was accepted."""

    def __init__(self, exchange: Exchange, *, limit: int = LIMIT) -> None:
        headers = exchange.response_headers
        self._exchange = exchange
        self._chunks = {True: exchange.request_chunks, False: exchange.response_chunks}
        self.directions = {
            from_client: Direction(
                from_client=from_client,
                extensions=agreed(headers, from_client=from_client, limit=limit),
                limit=limit,
            )
            for from_client in (True, False)
        }
        """By whether the client is who speaks."""

    @property
    def problem(self) -> str:
        """What was wrong with the frames, in one line."""
        sides = ((self.directions[True], "client"), (self.directions[False], "server"))
        return "; ".join(f"the {name}: {side.problem}" for side, name in sides if side.problem)

    @property
    def closed(self) -> str:
        """How the socket was closed, in one line; empty where it was not."""
        for side, name in ((self.directions[True], "client"), (self.directions[False], "server")):
            if side.close is not None:
                code, reason = side.close
                return f"the {name} closed the web socket: {code} {reason}".rstrip()
        return ""

    def read(self) -> Iterator[Passed]:
        """Take what has come since, as far as its order is certain."""
        known = len(self._chunks[True])
        server = self._chunks[False][:]
        client = self._chunks[True][:]
        # What the client sent while we looked at the server's chunks may have come after others of
        # those: it waits, unless the server has spoken since.
        latest = max([chunk.time for chunk in (*client[:known], *server)], default=0)
        client[known:] = takewhile(lambda chunk: chunk.time <= latest, client[known:])
        yield from self._taken(client, server)

    def skip(self) -> None:
        """Drop what has come since, unread."""
        self._drop(self._chunks[True][:], self._chunks[False][:])

    def finish(self) -> Iterator[Passed]:
        """Take the rest; messages that were under way are returned as far as they came."""
        yield from self._taken(self._chunks[True][:], self._chunks[False][:])
        for from_client, side in self.directions.items():
            message = side.finish()
            if message is not None:
                yield Passed(from_client, message)

    def _drop(self, client: list[Chunk], server: list[Chunk]) -> None:
        self._exchange.request_taken += sum(len(chunk.data) for chunk in client)
        self._exchange.response_taken += sum(len(chunk.data) for chunk in server)
        del self._chunks[True][: len(client)]
        del self._chunks[False][: len(server)]

    def _taken(self, client: list[Chunk], server: list[Chunk]) -> Iterator[Passed]:
        self._drop(client, server)
        asks = zip(repeat(True), client, strict=False)
        answers = zip(repeat(False), server, strict=False)
        for from_client, chunk in merge(asks, answers, key=_time):
            for message in self.directions[from_client].feed(chunk):
                yield Passed(from_client, message)


def _time(entry: tuple[bool, Chunk]) -> int:
    return entry[1].time
