"""mitmproxy's sans-io core on one client connection: which layers, which hooks, what error text.

We drive mitmproxy's layers without its `Master`: hooks go straight to the relay, no other addon
runs, nothing is installed on the root logger, and a chunk passes fewer layers.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
from collections.abc import Callable, Mapping
from typing import Any, cast

from mitmproxy import options as mitmproxy_options
from mitmproxy.connection import ConnectionState
from mitmproxy.http import Headers, Request, Response
from mitmproxy.net.http import http1
from mitmproxy.proxy import commands, layer
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.events import Event
from mitmproxy.proxy.layers.http import HttpLayer, HTTPMode
from mitmproxy.proxy.layers.http._base import HttpEvent
from mitmproxy.proxy.layers.http._events import ResponseProtocolError
from mitmproxy.proxy.layers.http._http1 import Http1Server
from mitmproxy.proxy.layers.tls import ClientTLSLayer
from mitmproxy.proxy.mode_specs import ProxyMode
from mitmproxy.proxy.server import LiveConnectionHandler

from traceproof.proxy.cork import Corked

log = logging.getLogger("traceproof.proxy")

Hooks = Mapping[str, Callable[[Any], None]]

NO_RESPONSE = 444
IDLE_SECONDS = 7 * 24 * 3600
"""mitmproxy cuts a connection silent for ten minutes; a long answer or a web socket may be."""


def relay_options() -> mitmproxy_options.Options:
    """Return mitmproxy's options with those its layers ask for and its addons would have added."""
    options = mitmproxy_options.Options()
    for name, kind, value in _OPTIONS:
        if name not in options:
            options.add_option(name, kind, value, "")
    # Web sockets are relayed as the bytes they are, neither parsed nor kept.
    options.update(http2=False, websocket=False)  # type: ignore[no-untyped-call]
    return options


_OPTIONS: tuple[tuple[str, Any, Any], ...] = (
    ("connection_strategy", str, "lazy"),
    ("stream_large_bodies", str | None, None),
    ("body_size_limit", str | None, None),
    ("store_streamed_bodies", bool, False),
    ("keep_host_header", bool, True),
    ("validate_inbound_headers", bool, True),
    ("normalize_outbound_headers", bool, True),
    ("proxy_debug", bool, False),
    ("tcp_timeout", int, IDLE_SECONDS),
)


class Handler(LiveConnectionHandler):
    """One client connection."""

    def __init__(
        self,
        reader: Replay,
        writer: asyncio.StreamWriter,
        options: mitmproxy_options.Options,
        hooks: Hooks,
    ) -> None:
        mode = ProxyMode.parse("regular")
        super().__init__(cast("asyncio.StreamReader", reader), writer, options, mode)
        self.timeout_watchdog.timeout = IDLE_SECONDS
        self._hooks = hooks

    @property
    def context(self) -> Context:
        """What the layers of this connection share."""
        return self.layer.context

    def speak_plain(self) -> None:
        """Serve a proxy's plain requests: each names its server."""
        self.layer = _http(self.context, HTTPMode.regular)

    def speak_for(self, address: tuple[str, int], *, secure: bool, decrypt: bool) -> None:
        """Serve requests for one server.

        Args:
            address: Its host and port, to be dialled when a request needs it.
            secure: Whether that server speaks TLS.
            decrypt: Whether the client begins with TLS.
        """
        context = self.context
        context.server.address = address
        context.server.tls = secure
        if decrypt:
            _Root(context)
            self.layer = ClientTLSLayer(context)
            self.layer.child_layer = _http(context, HTTPMode.transparent)
        else:
            self.layer = _http(context, HTTPMode.transparent)

    async def server_event(self, event: Event) -> None:
        """Let the layers act on an event, and send what they wrote in one go."""
        for transport in self.transports.values():
            if transport.writer is not None and not isinstance(transport.writer, Corked):
                corked = Corked(cast("asyncio.StreamWriter", transport.writer))
                transport.writer = cast("asyncio.StreamWriter", corked)
        await super().server_event(event)
        for transport in self.transports.values():
            if isinstance(transport.writer, Corked):
                transport.writer.uncork()

    async def handle_hook(self, hook: commands.StartHook) -> None:
        """Call the relay. A fault there is logged, and the flow goes on as if it had no hook."""
        act = self._hooks.get(hook.name)
        if act is None:
            return
        try:
            act(*hook.args())
        except Exception:
            # Whatever it is, an exception here would leave mitmproxy waiting for this hook, and
            # the agent's call hanging: relaying comes before recording.
            log.exception("fault in the relay's %s", hook.name)

    def log(self, message: str, level: int = logging.INFO, exc_info: Any = None) -> None:
        """Log; and where mitmproxy crashed, cut the connection: it would hang for ever."""
        super().log(message, level, exc_info)
        if level >= logging.ERROR:
            self._hooks["crashed"](self.client)
            self.close()

    def close(self) -> bool:
        """End the connection and what it has open upstream; False if it is not open."""
        transport = self.transports.get(self.client)
        if transport is None or transport.handler is None:
            return False
        return transport.handler.cancel("the proxy stops")


class Replay:
    """A reader that gives back first what was already read from it."""

    def __init__(self, first: bytes, reader: asyncio.StreamReader) -> None:
        self._first = first
        self._reader = reader

    async def read(self, limit: int) -> bytes:
        """Read some bytes; empty at the end."""
        if first := self._first:
            self._first = b""
            return first
        return await self._reader.read(limit)


class _Root(layer.Layer):
    """Stands where mitmproxy's TLS layer looks for the layer below it; gets no events."""

    def _handle_event(self, event: Event) -> layer.CommandGenerator[None]:  # noqa: ARG002
        yield from ()


class _Http1(Http1Server):
    """mitmproxy's HTTP/1 toward the client, with errors as JSON instead of a page."""

    def send(self, event: HttpEvent) -> layer.CommandGenerator[None]:
        status = _status(event) if isinstance(event, ResponseProtocolError) else None
        writable = self.conn.state & ConnectionState.CAN_WRITE
        if status is None or self.response is not None or not writable:
            yield from super().send(event)
            return
        message = explain(self.request, cast("ResponseProtocolError", event).message)
        yield commands.SendData(self.conn, error_bytes(status, message))
        # Half-closed, so that the answer is not lost to a reset while the client still sends.
        yield commands.CloseTcpConnection(self.conn, half_close=True)


def explain(request: Request | None, error: str) -> str:
    """Return one clear line on a request that could not be relayed."""
    why = reason(error)
    return f"{request.host}:{request.port}: {why}" if request and request.host else why


def reason(error: str) -> str:
    """Return an error's text as one line, an OSError's number in words.

    >>> reason("[Errno -2] Name or service not known")
    'Name or service not known'
    >>> reason("[Errno 111] Connect call failed ('127.0.0.1', 9)")
    'Connection refused'
    """
    line = " ".join(error.split())
    numbered = re.match(r"\[Errno (-?\d+)\] ", line)
    if numbered is None:
        return line
    number = int(numbered[1])
    return os.strerror(number) if number > 0 else line[numbered.end() :]


def error_response(status: int, message: str) -> Response:
    """Return an error of ours, in the shape that model APIs' clients read."""
    error = {"type": "traceproof_upstream", "message": f"traceproof: {message}"}
    body = json.dumps({"type": "error", "error": error}).encode()
    headers = Headers(content_type="application/json", connection="close")
    return Response.make(status, body, headers)


def error_bytes(status: int, message: str) -> bytes:
    """Return such a response as it is sent."""
    raw: bytes = http1.assemble_response(  # type: ignore[no-untyped-call]
        error_response(status, message)
    )
    return raw


def _status(event: ResponseProtocolError) -> int | None:
    """Return the HTTP status of a protocol error; None where the client is owed no answer."""
    code: Any = event.code
    if isinstance(code, int):
        return None if code == NO_RESPONSE else code
    status: int | None = code.http_status_code()
    return status


def _http(context: Context, mode: HTTPMode) -> HttpLayer:
    http = HttpLayer(context, mode)
    http.connections[context.client] = _Http1(context.fork())
    return http
