"""TLS for the relay: our certificate toward the agent, verified connections toward upstream.

Builds OpenSSL connections for mitmproxy's layers, which do the talking. Unlike mitmproxy's own
`TlsConfig` it keeps one context per host and never writes session secrets (SSLKEYLOGFILE).
"""

from __future__ import annotations

import ipaddress
import logging
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from mitmproxy.connection import Client, Server
from mitmproxy.tls import TlsData
from OpenSSL import SSL

from traceproof.proxy.authority import Authority
from traceproof.proxy.hosts import is_address

log = logging.getLogger("traceproof.proxy")

HTTP1 = b"http/1.1"

_DISTRUST = re.compile(
    r"alert (?:unknown ca|access denied|decrypt error|(?:bad|unsupported) certificate\b"
    r"|certificate (?:unknown|expired|revoked))"
)
"""The alerts with which clients say that they do not trust a certificate, in OpenSSL's words.

OpenSSL (Python, curl) and rustls say `unknown ca`, Go `bad certificate`, Java `certificate
unknown`.
"""

_LEFT = "The client disconnected during the handshake."
"""How mitmproxy tells that a client said nothing and went."""

_SILENT = 2
"""How many connections must be given up in silence before that counts as distrust.

Node, Bun and GnuTLS (git) look at the certificate after the handshake and close without an alert or
a word; with TLS 1.3 Node's end of it never leaves. An agent that ends with a connection it did not
need yet looks the same; so one does not count, nor do any if ever a request came for that host:
distrust does not come and go, and who meets it tries again.
"""


class Tls:
    """Answers mitmproxy's TLS hooks."""

    def __init__(self, authority: Authority, roots: Path) -> None:
        self._authority = authority
        self._contexts: dict[tuple[str, ...], SSL.Context] = {}
        self._upstream = _verifying(roots)
        self._refused: Counter[str] = Counter()
        self._silent: Counter[str] = Counter()
        self._mute: dict[str, str] = {}
        self._trusting: set[str] = set()
        self._closing = False

    @property
    def untrusted(self) -> Counter[str]:
        """Hosts whose client does not trust the CA: it said so, or never says a word."""
        silent = {
            host: count
            for host, count in self._silent.items()
            if count >= _SILENT and host not in self._trusting
        }
        return self._refused + Counter(silent)

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
        """Dial upstream as the agent would have: its name, its ALPN without h2, verified."""
        server = cast("Server", data.conn)
        if server.sni is None and server.address:
            server.sni = server.address[0]
        offers = data.context.client.alpn_offers
        server.alpn_offers = [HTTP1] if HTTP1 in offers else []
        connection = SSL.Connection(self._upstream)
        _expect_name(connection, server.sni or "")
        if server.alpn_offers:
            connection.set_alpn_protos(list(server.alpn_offers))
        connection.set_connect_state()
        data.ssl_conn = connection

    def tls_established_client(self, data: TlsData) -> None:
        """Wait for a request: only that shows that an agent trusts us."""
        self._mute[data.conn.id] = _host(data)

    def tls_failed_client(self, data: TlsData) -> None:
        """Note an agent that would not talk to us, and whether that is for our certificate."""
        host, error = _host(data), data.conn.error or ""
        if _DISTRUST.search(error):
            self._refused[host] += 1
        answered = data.ssl_conn is not None  # so that it has seen our certificate
        if not error.startswith(_LEFT):
            log.warning("the client broke off TLS for %s: %s", host, error)
        elif answered and not self._closing:
            self._silent[host] += 1

    def heard(self, client: Client) -> None:
        """Note that an agent has sent a request."""
        host = self._mute.pop(client.id, None)
        if host is not None:
            self._trusting.add(host)

    def left(self, client: Client) -> None:
        """Note that an agent has closed a connection, perhaps without a word."""
        host = self._mute.pop(client.id, None)
        if host is not None and not self._closing:
            self._silent[host] += 1

    def closing(self) -> None:
        """Expect nothing of the connections that are still there: it is us who close them."""
        self._closing = True

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
    # Agents that offer h2 as well get http/1.1: one request a connection at a time, in order.
    return HTTP1 if HTTP1 in offers else SSL.NO_OVERLAPPING_PROTOCOLS


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
