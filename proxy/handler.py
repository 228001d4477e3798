"""mitmproxy's sans-io core on one client connection: which layers, which hooks, what error text.

For what our own relay does not speak. We drive mitmproxy's layers without its `Master`: hooks go
straight to the addon, no other addon runs, and nothing is installed on the root logger.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any, cast

from mitmproxy import options as mitmproxy_options
from mitmproxy.connection import ConnectionState
from mitmproxy.http import Headers, Response
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

from traceproof.proxy.errors import error_body, error_bytes, explain, reason

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
    options.update(websocket=False)  # type: ignore[no-untyped-call]
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
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        options: mitmproxy_options.Options,
        hooks: Hooks,
    ) -> None:
        mode = ProxyMode.parse("regular")
        super().__init__(reader, writer, options, mode)
        self.timeout_watchdog.timeout = IDLE_SECONDS
        self._hooks = hooks

    @property
    def context(self) -> Context:
        """What the layers of this connection share."""
        return self.layer.context

    def speak_plain(self) -> None:
        """Serve a proxy's plain requests: each names its server."""
        http = HttpLayer(self.context, HTTPMode.regular)
        http.connections[self.context.client] = _Http1(self.context.fork())
        self.layer = http

    def speak_http2(self, address: tuple[str, int], *, secure: bool, decrypt: bool) -> None:
        """Serve HTTP/2 requests for one server.

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
            self.layer.child_layer = HttpLayer(context, HTTPMode.transparent)
        else:
            context.client.alpn = b"h2"
            self.layer = HttpLayer(context, HTTPMode.transparent)

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
        request, error = self.request, cast("ResponseProtocolError", event).message
        message = explain(request.host, request.port, error) if request else reason(error)
        yield commands.SendData(self.conn, error_bytes(status, message))
        # Half-closed, so that the answer is not lost to a reset while the client still sends.
        yield commands.CloseTcpConnection(self.conn, half_close=True)


def error_response(status: int, message: str) -> Response:
    """Return an error of ours, in the shape that model APIs' clients read."""
    headers = Headers(content_type="application/json", connection="close")
    return Response.make(status, error_body(message), headers)


def _status(event: ResponseProtocolError) -> int | None:
    """Return the HTTP status of a protocol error; None where the client is owed no answer."""
    code: Any = event.code
    if isinstance(code, int):
        return None if code == NO_RESPONSE else code
    status: int | None = code.http_status_code()
    return status
