"""What our own relay does not speak, handed to mitmproxy: HTTP/2, and plain requests unread.

Makes handlers; the hooks that they call are the addon's.
"""

from __future__ import annotations

from functools import partial

from traceproof.proxy.addon import Relay
from traceproof.proxy.destination import Lane
from traceproof.proxy.handler import Handler, Hooks, relay_options
from traceproof.proxy.relay.wire import Wire
from traceproof.proxy.tls import Tls

_RELAY_HOOKS = (
    "request",
    "responseheaders",
    "response",
    "error",
    "tcp_message",
    "tcp_end",
    "crashed",
    "http_connect",
    "http_connect_upstream",
    "server_connect",
)
_TLS_HOOKS = (
    "tls_start_client",
    "tls_start_server",
    "tls_established_client",
    "tls_failed_client",
)


class Fallback:
    """Makes mitmproxy's handlers for connections."""

    def __init__(self, relay: Relay, tls: Tls) -> None:
        self._relay = relay
        self._options = relay_options()
        self._hooks: Hooks = {
            **{name: getattr(relay, name) for name in _RELAY_HOOKS},
            **{name: getattr(tls, name) for name in _TLS_HOOKS},
            "client_disconnected": relay.client_disconnected,
        }

    def plain(self, wire: Wire, user: str) -> Handler:
        """Serve a proxy's plain requests."""
        handler = self._handler(wire, None, user)
        handler.speak_plain()
        return handler

    def http2(self, wire: Wire, lane: Lane, *, decrypt: bool) -> Handler:
        """Serve HTTP/2, in TLS or without."""
        handler = self._handler(wire, lane, lane.user)
        address = lane.address or (lane.origin.host, lane.origin.port)
        handler.speak_http2(address, secure=lane.origin.scheme == "https", decrypt=decrypt)
        return handler

    def _handler(self, wire: Wire, lane: Lane | None, user: str) -> Handler:
        begin = partial(self._relay.requestheaders, lane=lane, user=user)
        hooks: Hooks = {**self._hooks, "requestheaders": begin}
        return Handler(*wire.to_streams(), self._options, hooks)
