"""The exchanges under way, told to the sink as they go; and what else the relay counts.

Opens nothing and relays nothing. Whatever the sink raises is logged and counted: the agent's call
goes on.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable

from traceproof.proxy.exchange import Chunk, Exchange, Headers, Sink
from traceproof.proxy.hosts import is_loopback

log = logging.getLogger("traceproof.proxy")

CLIENT_DISCONNECTED = "the client disconnected"
STOPPED = "the proxy was stopped"
CRASHED = "the relay failed on it"
REFUSED = "recording failed and --on-failure is closed, so the call was not made"


class Journal:
    """Used on the proxy's loop alone; its counts may be read from anywhere."""

    def __init__(self, sink: Sink) -> None:
        self.tunnelled: Counter[str] = Counter()
        """Connections, and plain requests, that passed unread, by host."""
        self.faults: Counter[str] = Counter()
        """Exceptions of the sink, which may have cost it something, by their text."""
        self.own: set[tuple[str, int]] = set()
        """The addresses we listen on."""
        self.on_idle: Callable[[], None] = lambda: None
        """Called when the last exchange under way has ended."""
        self._sink = sink
        self._live: dict[Exchange, None] = {}

    @property
    def live(self) -> int:
        """How many exchanges are under way."""
        return len(self._live)

    def has(self, exchange: Exchange) -> bool:
        """Tell whether an exchange is under way."""
        return exchange in self._live

    def begin(self, exchange: Exchange) -> None:
        """Note that an exchange's request has begun."""
        self._live[exchange] = None
        self._tell(self._sink.request_started, exchange)

    def request_ended(self, exchange: Exchange, body: bytes) -> None:
        """Note that a request is whole."""
        exchange.request_ended = time.time_ns()
        if body:
            exchange.request_chunks.append(Chunk(exchange.request_ended, body))
        self._tell(self._sink.request_ended, exchange)

    def response_started(self, exchange: Exchange, status: int, headers: Headers) -> None:
        """Note a response's head."""
        exchange.status = status
        exchange.response_headers = headers
        exchange.response_started = time.time_ns()
        self._tell(self._sink.response_started, exchange)

    def end(self, exchange: Exchange, error: str = "") -> None:
        """Note the end of an exchange; what has ended already stays as it is."""
        if exchange not in self._live:
            return
        del self._live[exchange]
        exchange.error = error
        exchange.ended = time.time_ns()
        self._tell(self._sink.ended, exchange)
        if not self._live:
            self.on_idle()

    def abandon(self) -> None:
        """End every exchange under way: the proxy stops."""
        for exchange in list(self._live):
            self.end(exchange, STOPPED)

    def refusal(self) -> str:
        """Return why calls must not be made, where recording failed; else empty."""
        try:
            refuses = self._sink.refuses()
        except Exception as error:  # noqa: BLE001 (see _tell)
            self._fault(error)
            return ""
        return REFUSED if refuses is True else refuses or ""

    def check_address(self, host: str, port: int) -> None:
        """Check that an address can be dialled.

        Raises:
            OSError: It is our own, so that we would go round for ever, or no name at all.
        """
        here = is_loopback(host)
        if any(port == own and (here or host == name) for name, own in self.own):
            raise OSError("that is traceproof itself")
        try:
            host.encode("idna")
        except UnicodeError:
            raise OSError("that is not a host name") from None

    def _tell(self, call: Callable[[Exchange], None], exchange: Exchange) -> None:
        try:
            call(exchange)
        except Exception as error:  # noqa: BLE001
            # A sink is any recorder: whatever it raises, the agent's call goes on. The fault is
            # logged and counted for the summary; the exchange keeps its bytes.
            self._fault(error)

    def _fault(self, error: Exception) -> None:
        self.faults[f"{type(error).__name__}: {error}"] += 1
        log.error("fault in the recorder", exc_info=error)


def readable(fields: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Return headers as text."""
    return [(text(name), text(value)) for name, value in fields]


def text(raw: bytes) -> str:
    """Decode without loss of sense: UTF-8 where it is, else Latin-1 as HTTP once had it."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")
