"""MCP servers over HTTP: which exchanges are theirs, and which connection each belongs to.

Streamable HTTP sends each message in a POST of its own and answers it there, as JSON or as a stream
of events, or on a stream that a GET has opened. Before it (HTTP with SSE) all answers came on one
such stream, whose first event says where to post. The bytes are kept by the intake of exchanges;
what they mean is `traceproof.recorder.mcp.calls`'s business.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

from traceproof.proxy.answers import header
from traceproof.proxy.consents import Consents, always
from traceproof.proxy.dialects.sse import SseEvent, SseParser
from traceproof.proxy.exchange import Exchange
from traceproof.recorder import semconv
from traceproof.recorder.mcp import jsonrpc
from traceproof.recorder.mcp.calls import McpCalls, McpServer
from traceproof.recorder.span import Attributes, Link

SESSION = "mcp-session-id"
_STREAM = "text/event-stream"
_FAILED = 400
_REMEMBERED = 4096
"""Connections that are told apart at most; then all are forgotten."""


class Address(NamedTuple):
    """Where a server is asked: the path has its query."""

    host: str
    port: int
    path: str

    @classmethod
    def of(cls, exchange: Exchange) -> Address:
        """Return where an exchange went."""
        return cls(exchange.host, exchange.port, exchange.path)


def concerns(exchange: Exchange, data: bytes) -> bool:
    """Tell whether an exchange may be of an MCP server; `data` is its request's body, decoded."""
    if exchange.method == "POST":
        return data.lstrip()[:1] in (b"{", b"[") and b'"jsonrpc"' in data
    if header(exchange.request_headers, SESSION):
        return True
    return exchange.method == "GET" and _STREAM in header(exchange.request_headers, "accept")


class McpHttp:
    """The connections of a session to its servers over HTTP."""

    def __init__(self, calls: McpCalls) -> None:
        self.names: dict[Address, str] = {}
        """What the agent's configuration calls the servers."""
        self._calls = calls
        self._known: dict[tuple[str, Address], McpServer] = {}
        self._live: set[McpExchange] = set()

    def open(self, exchange: Exchange, consents: Consents = always) -> McpExchange:
        """Take an exchange that begins, and what has come on the others by then.

        A stream of events may outlast a pause: so whether it `consents` is asked for each piece.
        """
        for other in list(self._live):
            other.look()
        opened = McpExchange(exchange, self, consents)
        self._live.add(opened)
        return opened

    def close(self, exchange: McpExchange) -> None:
        """Forget an exchange that has ended."""
        self._live.discard(exchange)

    def find(self, exchange: Exchange) -> McpServer | None:
        """Return the connection that an exchange is on, if it is known."""
        session = header(exchange.request_headers, SESSION)
        found = self._known.get((session, Address.of(exchange)))
        return None if found is None or found.over else found

    def connect(self, exchange: Exchange) -> McpServer:
        """Take a new connection."""
        address = Address.of(exchange)
        attributes: Attributes = {
            semconv.NETWORK_TRANSPORT: "tcp",
            semconv.NETWORK_PROTOCOL: "http",
            semconv.SERVER_ADDRESS: exchange.host,
            semconv.SERVER_PORT: exchange.port,
        }
        session = header(exchange.request_headers, SESSION)
        if session:  # it began before the recording did
            attributes[semconv.MCP_SESSION_ID] = session
        name = self.names.get(address, "")
        server = self._calls.server(name, exchange.started, attributes)
        self.remember(session, address, server)
        return server

    def remember(self, session: str, address: Address, server: McpServer) -> None:
        """Let a session at an address lead to a connection from now on."""
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known[session, address] = server


class McpExchange:
    """One exchange: what the agent sent is told at its begin, what came back as it comes."""

    def __init__(self, exchange: Exchange, http: McpHttp, consents: Consents) -> None:
        self._exchange = exchange
        self._consents = consents
        self._http = http
        self._server: McpServer | None = None
        self._keys: list[str] = []
        self._parser: SseParser | None = None
        self._taken = 0
        self._named = False

    def begin(self, data: bytes, link: Link) -> None:
        """Take the request; `data` is its body, decoded, `link` leads to its span."""
        exchange = self._exchange
        messages = list(jsonrpc.read(data)) if exchange.method == "POST" else []
        self._server = self._http.find(exchange)
        if not messages:
            return
        begins = any(message.method == "initialize" for message in messages)
        if begins and self._server is not None and self._server.began:
            self._server = None
        if self._server is None:
            self._server = self._http.connect(exchange)
        self._keys = [message.key for message in messages if message.asks]
        self._server.from_client(exchange.started, data, link)

    def forget(self) -> None:
        """Take no more of it."""
        self._http.close(self)

    def look(self) -> None:
        """Take what has come of a stream of events."""
        exchange = self._exchange
        if not exchange.response_started:
            return
        self._name_session()
        coded = header(exchange.response_headers, "content-encoding")
        if coded or _STREAM not in header(exchange.response_headers, "content-type"):
            return
        self._parser = self._parser or SseParser()
        chunks = exchange.response_chunks[self._taken :]
        self._taken += len(chunks)
        for chunk in chunks:
            if self._consents(chunk.time, chunk.time):
                self._take(self._parser.feed(chunk.data), chunk.time)
            else:  # half an event from before the pause, or of it, is none
                self._parser = SseParser()

    def end(self, data: bytes) -> None:
        """Take the end; `data` is the response's body, decoded."""
        exchange = self._exchange
        self.look()
        self._http.close(self)
        if self._parser is not None:
            self._take(self._parser.close(), exchange.ended)
        elif _STREAM in header(exchange.response_headers, "content-type"):
            parser = SseParser()
            self._take([*parser.feed(data), *parser.close()], exchange.ended)
        elif self._server is not None:
            self._server.from_server(exchange.ended, data)
        if self._server is None:
            return
        if exchange.status >= _FAILED or not exchange.response_started:
            self._server.failed(self._keys, exchange.ended, str(exchange.status or "no_response"))
        elif exchange.method == "DELETE":
            self._server.ended(exchange.ended, {semconv.MCP_STATE: "ended"})

    def _take(self, events: Iterable[SseEvent], time: int) -> None:
        for event in events:
            if event.name == "endpoint" and self._exchange.method == "GET":
                self._move(event.data.decode("utf-8", "replace").strip())
            elif self._server is not None:
                self._server.from_server(time, event.data)

    def _move(self, endpoint: str) -> None:
        """Take the address at which a server of the older kind takes what is answered here."""
        exchange = self._exchange
        base = f"{exchange.scheme}://{exchange.host}:{exchange.port}{exchange.path}"
        parts = urlsplit(urljoin(base, endpoint))
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        self._server = self._server or self._http.connect(exchange)
        self._http.remember("", Address(exchange.host, exchange.port, path), self._server)

    def _name_session(self) -> None:
        """Take the name that the server gives to a session that begins."""
        session = header(self._exchange.response_headers, SESSION)
        if session and not self._named and self._server is not None:
            self._named = True
            self._server.note({semconv.MCP_SESSION_ID: session})
            self._http.remember(session, Address.of(self._exchange), self._server)
