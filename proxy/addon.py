"""mitmproxy's hooks turned into exchanges, for what our own relay leaves to mitmproxy.

Bytes go on first; what is kept of them is appended to lists, never parsed here. Opens no
connection itself, and knows nothing of spans.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from mitmproxy.connection import Client, ConnectionState
from mitmproxy.http import HTTPFlow, Request
from mitmproxy.proxy.server_hooks import ServerConnectionHookData
from mitmproxy.tcp import TCPFlow

from traceproof.proxy.access import Access
from traceproof.proxy.destination import Destinations, Lane
from traceproof.proxy.distrust import Distrust
from traceproof.proxy.errors import explain
from traceproof.proxy.exchange import Chunk, Exchange
from traceproof.proxy.handler import error_response
from traceproof.proxy.journal import CLIENT_DISCONNECTED, CRASHED, Journal, readable, text
from traceproof.proxy.relay.admission import UNKNOWN_URL

_SWITCHING_PROTOCOLS = 101


@dataclass(slots=True)
class _Live:
    """An exchange under way, and the client connection it is on."""

    client: str
    exchange: Exchange


class Relay:
    """Answers mitmproxy's HTTP hooks; runs on the proxy's loop alone."""

    def __init__(
        self,
        journal: Journal,
        destinations: Destinations,
        distrust: Distrust,
        access: Access | None = None,
    ) -> None:
        self._journal = journal
        self._destinations = destinations
        self._distrust = distrust
        self._access = access
        self._live: dict[str, _Live] = {}
        self._upgraded: dict[str, str] = {}
        self._crashed: set[str] = set()

    def requestheaders(self, flow: HTTPFlow, lane: Lane | None = None, user: str = "") -> None:
        """Begin an exchange, or let a plain request to some other host pass.

        Args:
            flow: The flow.
            lane: What its connection is for; None for a proxy's plain requests.
            user: Who was admitted to the connection.
        """
        self._distrust.heard(flow.client_conn.id)
        lane = lane or self._destinations.plain_lane(flow.request)
        if lane is None:
            self._journal.tunnelled[flow.request.host] += 1
            flow.request.stream = True
            self._destinations.pass_on(flow)
        elif (stripped := self._stripped(flow.request, lane._replace(user=user))) is None:
            flow.response = error_response(401, UNKNOWN_URL)
        elif refusal := self._journal.refusal():
            flow.response = error_response(503, refusal)
        else:
            self._begin(flow, stripped)

    def request(self, flow: HTTPFlow) -> None:
        """Take a request's body, which is whole before anything is dialled.

        So it is kept even where its server cannot be reached.
        """
        if live := self._live.get(flow.id):
            self._journal.request_ended(live.exchange, flow.request.raw_content or b"")

    def responseheaders(self, flow: HTTPFlow) -> None:
        """Note a response's head, and stream what follows."""
        response = flow.response
        if response is None:
            return
        response.stream = True
        if live := self._live.get(flow.id):
            response.stream = _tap(live.exchange.response_chunks)
            headers = readable(response.headers.fields)
            self._journal.response_started(live.exchange, response.status_code, headers)

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
        told = explain(flow.request.host, flow.request.port, reason)
        self._end(flow.id, CLIENT_DISCONNECTED if by_client else told)

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
        self._distrust.left(client.id)

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
                self._journal.check_address(*data.server.address[:2])
        except OSError as error:
            data.server.error = str(error)

    def _begin(self, flow: HTTPFlow, lane: Lane) -> None:
        exchange = _exchange(flow.request, lane)
        exchange.upstream = self._destinations.send(flow, lane)
        self._live[flow.id] = _Live(flow.client_conn.id, exchange)
        self._journal.begin(exchange)

    def _stripped(self, request: Request, lane: Lane) -> Lane | None:
        """Take the token out of a base URL's path; None if there is none that is known."""
        if self._access is None or not lane.reverse:
            return lane
        found = self._access.strip(request.path)
        if found is None:
            return None
        user, request.path = found
        return lane._replace(user=user)

    def _end(self, key: str, error: str = "") -> None:
        live = self._live.pop(key, None)
        if live is not None:
            crashed = bool(error) and live.client in self._crashed
            self._journal.end(live.exchange, CRASHED if crashed else error)


def _exchange(request: Request, lane: Lane) -> Exchange:
    kept = [row for row in request.headers.fields if row[0].lower() != b"proxy-authorization"]
    return Exchange(
        method=request.method,
        scheme=lane.origin.scheme,
        host=lane.origin.host,
        port=lane.origin.port,
        path=text(request.data.path),
        http_version=request.http_version,
        request_headers=readable(kept),
        started=time.time_ns(),
        user=lane.user,
    )


def _tap(chunks: list[Chunk]) -> Callable[[bytes], bytes]:
    """Return a stream callable: keeps what passes, changes nothing; mitmproxy ends with b""."""
    keep, now = chunks.append, time.time_ns

    def tap(data: bytes) -> bytes:
        if data:
            keep(Chunk(now(), data))
        return data

    return tap
