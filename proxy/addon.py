"""The relay: turns mitmproxy's hooks into exchanges and tells the sink.

Bytes go on first; what is kept of them is appended to lists, never parsed here. Opens no
connection itself, and knows nothing of spans.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from mitmproxy.connection import Client, ConnectionState
from mitmproxy.http import HTTPFlow, Request
from mitmproxy.proxy.server_hooks import ServerConnectionHookData
from mitmproxy.tcp import TCPFlow

from traceproof.proxy.destination import Destinations, Lane
from traceproof.proxy.exchange import Chunk, Exchange, Headers, Sink
from traceproof.proxy.handler import error_response, explain
from traceproof.proxy.hosts import is_loopback

log = logging.getLogger("traceproof.proxy")

CLIENT_DISCONNECTED = "the client disconnected"
STOPPED = "the proxy was stopped"
CRASHED = "the relay failed on it"
REFUSED = "recording failed and --on-failure is closed, so the call was not made"

_SWITCHING_PROTOCOLS = 101


@dataclass(slots=True)
class _Live:
    """An exchange under way, and the client connection it is on."""

    client: str
    exchange: Exchange


class Relay:
    """Answers mitmproxy's HTTP hooks; runs on the proxy's loop alone."""

    def __init__(self, sink: Sink, destinations: Destinations) -> None:
        self.tunnelled: Counter[str] = Counter()
        """Connections, and plain requests, that passed unread, by host."""
        self.faults: Counter[str] = Counter()
        """Exceptions of the sink, which may have cost it something, by their text."""
        self.own: set[tuple[str, int]] = set()
        """The addresses we listen on."""
        self.on_idle: Callable[[], None] = lambda: None
        """Called when the last exchange under way has ended."""
        self.on_request: Callable[[Client], None] = lambda _: None
        """Called with the connection that a request has begun on."""
        self._sink = sink
        self._destinations = destinations
        self._live: dict[str, _Live] = {}
        self._upgraded: dict[str, str] = {}
        self._crashed: set[str] = set()

    @property
    def busy(self) -> bool:
        """Whether any exchange is under way."""
        return bool(self._live)

    def requestheaders(self, flow: HTTPFlow, lane: Lane | None = None) -> None:
        """Begin an exchange, or let a plain request to some other host pass.

        Args:
            flow: The flow.
            lane: What its connection is for; None for a proxy's plain requests.
        """
        self.on_request(flow.client_conn)
        lane = lane or self._destinations.plain_lane(flow.request)
        if lane is None:
            self.tunnelled[flow.request.host] += 1
            flow.request.stream = True
            self._destinations.pass_on(flow)
        elif self._refuses():
            flow.response = error_response(503, REFUSED)
        else:
            exchange = _begin(flow.request, lane)
            exchange.upstream = self._destinations.send(flow, lane)
            self._live[flow.id] = _Live(flow.client_conn.id, exchange)
            self._tell(self._sink.request_started, exchange)

    def request(self, flow: HTTPFlow) -> None:
        """Take a request's body, which is whole before anything is dialled.

        So it is kept even where its server cannot be reached.
        """
        if live := self._live.get(flow.id):
            exchange = live.exchange
            exchange.request_ended = time.time_ns()
            if body := flow.request.raw_content:
                exchange.request_chunks.append(Chunk(exchange.request_ended, body))
            self._tell(self._sink.request_ended, exchange)

    def responseheaders(self, flow: HTTPFlow) -> None:
        """Note a response's head, and stream what follows."""
        response = flow.response
        if response is None:
            return
        response.stream = True
        if live := self._live.get(flow.id):
            exchange = live.exchange
            exchange.status = response.status_code
            exchange.response_headers = _headers(response.headers.fields)
            exchange.response_started = time.time_ns()
            response.stream = _tap(exchange.response_chunks)
            self._tell(self._sink.response_started, exchange)

    def response(self, flow: HTTPFlow) -> None:
        """Note a response's end."""
        live = self._live.get(flow.id)
        if live is None:
            return
        if live.exchange.status == _SWITCHING_PROTOCOLS:
            self._upgraded[live.client] = flow.id
        else:
            self._end(flow.id)

    def error(self, flow: HTTPFlow) -> None:
        """Note what broke an exchange off."""
        by_client = not flow.client_conn.state & ConnectionState.CAN_READ
        reason = flow.error.msg if flow.error else "unknown error"
        self._end(flow.id, CLIENT_DISCONNECTED if by_client else explain(flow.request, reason))

    def tcp_message(self, flow: TCPFlow) -> None:
        """Take over the bytes of an upgraded connection (a web socket); mitmproxy keeps none."""
        if live := self._live.get(self._upgraded.get(flow.client_conn.id, "")):
            exchange = live.exchange
            for message in flow.messages:
                ours = message.from_client
                into = exchange.request_chunks if ours else exchange.response_chunks
                into.append(Chunk(time.time_ns(), message.content))
        flow.messages.clear()

    def tcp_end(self, flow: TCPFlow) -> None:
        """Note the end of an upgraded connection."""
        self._end(self._upgraded.pop(flow.client_conn.id, ""))

    def client_disconnected(self, client: Client) -> None:
        """End what a connection leaves under way without another hook having said so."""
        upgraded = self._upgraded.pop(client.id, None)
        for key, live in list(self._live.items()):
            if live.client == client.id:
                whole = key == upgraded
                self._end(key, "" if whole else CLIENT_DISCONNECTED)
        self._crashed.discard(client.id)

    def crashed(self, client: Client) -> None:
        """Note a connection that mitmproxy failed on; it is about to be cut."""
        self._crashed.add(client.id)

    def http_connect(self, flow: HTTPFlow) -> None:
        """Refuse CONNECT on a connection that began with plain requests: no client does that."""
        flow.response = error_response(501, "CONNECT must be a connection's first request")

    def http_connect_upstream(self, flow: HTTPFlow) -> None:
        """Show our CONNECT to the environment's proxy its credentials."""
        if flow.server_conn.address:
            credentials = self._destinations.credentials(*flow.server_conn.address[:2])
            if credentials:
                flow.request.headers["Proxy-Authorization"] = credentials

    def server_connect(self, data: ServerConnectionHookData) -> None:
        """Refuse what cannot be dialled, before mitmproxy trips over it."""
        try:
            if data.server.address:
                self.check_address(*data.server.address[:2])
        except OSError as error:
            data.server.error = str(error)

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

    def abandon(self) -> None:
        """End every exchange under way: the proxy stops."""
        for key in list(self._live):
            self._end(key, STOPPED)

    def _end(self, key: str, error: str = "") -> None:
        live = self._live.pop(key, None)
        if live is None:
            return
        live.exchange.error = CRASHED if error and live.client in self._crashed else error
        live.exchange.ended = time.time_ns()
        self._tell(self._sink.ended, live.exchange)
        if not self._live:
            self.on_idle()

    def _refuses(self) -> bool:
        try:
            return self._sink.refuses()
        except Exception as error:  # noqa: BLE001 (see _tell)
            self._fault(error)
            return False

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


def _begin(request: Request, lane: Lane) -> Exchange:
    return Exchange(
        method=request.method,
        scheme=lane.origin.scheme,
        host=lane.origin.host,
        port=lane.origin.port,
        path=_text(request.data.path),
        http_version=request.http_version,
        request_headers=_headers(request.headers.fields),
        started=time.time_ns(),
    )


def _tap(chunks: list[Chunk]) -> Callable[[bytes], bytes]:
    """Return a stream callable: keeps what passes, changes nothing; mitmproxy ends with b""."""
    keep, now = chunks.append, time.time_ns

    def tap(data: bytes) -> bytes:
        if data:
            keep(Chunk(now(), data))
        return data

    return tap


def _headers(fields: tuple[tuple[bytes, bytes], ...]) -> Headers:
    return [(_text(name), _text(value)) for name, value in fields]


def _text(raw: bytes) -> str:
    """Decode without loss of sense: UTF-8 where it is, else Latin-1 as HTTP once had it."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")
