"""TLS for what mitmproxy relays: our certificate toward the agent, verified servers upstream.

Builds OpenSSL connections for mitmproxy's layers, which do the talking; our own relay has its own
(`relay/contexts.py`). Unlike mitmproxy's own
`TlsConfig` it keeps one context per host and never writes session secrets (SSLKEYLOGFILE).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from mitmproxy.connection import Server
from mitmproxy.tls import TlsData
from OpenSSL import SSL

from traceproof.proxy.authority import Authority
from traceproof.proxy.distrust import Distrust
from traceproof.proxy.hosts import is_address

HTTP1, HTTP2 = b"http/1.1", b"h2"

_LEFT = "The client disconnected during the handshake."
"""How mitmproxy tells that a client said nothing and went."""


class Tls:
    """Answers mitmproxy's TLS hooks."""

    def __init__(self, authority: Authority, roots: Path, distrust: Distrust) -> None:
        self._authority = authority
        self._contexts: dict[tuple[str, ...], SSL.Context] = {}
        self._upstream = _verifying(roots)
        self._distrust = distrust

    def tls_start_client(self, data: TlsData) -> None:
        """Serve a certificate for the name the agent asked for and the host it dialled."""
        address = data.context.server.address
        asked = [data.conn.sni, address[0] if address else None]
        names = tuple(dict.fromkeys(filter(None, asked)))
        if names not in self._contexts:
            self._contexts[names] = self._serving(names)
        data.ssl_conn = SSL.Connection(self._contexts[names])
        data.ssl_conn.set_accept_state()

    def tls_start_server(self, data: TlsData) -> None:
        """Dial upstream as the agent would have: its name, HTTP/2 or 1.1, verified."""
        server = cast("Server", data.conn)
        if server.sni is None and server.address:
            server.sni = server.address[0]
        # Only clients that speak HTTP/2 alone come here; what they may need of it, a server has.
        server.alpn_offers = [HTTP2, HTTP1]
        connection = SSL.Connection(self._upstream)
        _expect_name(connection, server.sni or "")
        connection.set_alpn_protos([HTTP2, HTTP1])
        connection.set_connect_state()
        data.ssl_conn = connection

    def tls_established_client(self, data: TlsData) -> None:
        """Wait for a request: only that shows that an agent trusts us."""
        self._distrust.established(data.conn.id, _host(data))

    def tls_failed_client(self, data: TlsData) -> None:
        """Note an agent that would not talk to us, and whether that is for our certificate."""
        error = data.conn.error or ""
        answered = data.ssl_conn is not None  # so that it has seen our certificate
        if not error.startswith(_LEFT):
            self._distrust.failed(_host(data), error)
        elif answered:
            self._distrust.gave_up(_host(data))

    def _serving(self, names: Sequence[str]) -> SSL.Context:
        context = SSL.Context(SSL.TLS_SERVER_METHOD)
        context.set_min_proto_version(SSL.TLS1_2_VERSION)
        context.set_options(SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION)
        context.use_certificate(self._authority.issue(names))
        context.use_privatekey(self._authority.leaf_key)
        context.set_alpn_select_callback(_choose_alpn)
        return context


def _host(data: TlsData) -> str:
    address = data.context.server.address
    return data.conn.sni or (address[0] if address else "")


def _verifying(roots: Path) -> SSL.Context:
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_options(SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION)
    context.set_verify(SSL.VERIFY_PEER)
    try:
        context.load_verify_locations(str(roots))
    except SSL.Error:
        raise ValueError(f"{roots} holds no certificates") from None
    return context


def _choose_alpn(_: SSL.Connection, offers: Any) -> Any:
    # Who offers http/1.1 as well gets that, and does not come here.
    return HTTP2 if HTTP2 in offers else SSL.NO_OVERLAPPING_PROTOCOLS


def _expect_name(connection: SSL.Connection, name: str) -> None:
    """Verify the peer's certificate against a name; pyOpenSSL has no public call for it."""
    library: Any = SSL._lib  # type: ignore[attr-defined]  # noqa: SLF001
    parameters = library.SSL_get0_param(connection._ssl)  # noqa: SLF001
    library.X509_VERIFY_PARAM_set_hostflags(
        parameters, library.X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS
    )
    if is_address(name):
        packed = ipaddress.ip_address(name).packed
        done = library.X509_VERIFY_PARAM_set1_ip(parameters, packed, len(packed))
    else:
        encoded = name.encode("idna")
        connection.set_tlsext_host_name(encoded)
        done = library.X509_VERIFY_PARAM_set1_host(parameters, encoded, len(encoded))
    if done != 1:
        raise ValueError(f"no certificate can be verified for {name!r}")
