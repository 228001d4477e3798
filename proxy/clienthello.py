"""The first message of a TLS client: which server it names, and which protocols it offers.

Read before TLS begins, as it decides who serves the connection. Answers nothing.
"""

from __future__ import annotations

from typing import NamedTuple

from mitmproxy.net.tls import starts_like_tls_record
from mitmproxy.proxy.layers.tls import parse_client_hello

_LIMIT = 128 * 1024
_HTTP1 = b"http/1.1"
_HTTP2 = b"h2"


class Hello(NamedTuple):
    """What a client says first."""

    secure: bool
    """Whether it is TLS at all."""
    name: str = ""
    protocols: tuple[bytes, ...] = ()

    @property
    def http1(self) -> bool:
        """Whether the client offers HTTP/1.1 by name."""
        return _HTTP1 in self.protocols

    @property
    def http2_alone(self) -> bool:
        """Whether it would speak HTTP/2 and nothing else that we know."""
        return _HTTP2 in self.protocols and not self.http1


def parse_hello(data: bytes) -> Hello | None:
    """Read what a client says first; None if more is needed to tell."""
    if len(data) < 3 and b"\x16\x03".startswith(data[:2]):  # noqa: PLR2004 (a record's type and version)
        return None
    if not starts_like_tls_record(data):
        return Hello(secure=False)
    try:
        hello = parse_client_hello(data)
    except ValueError:
        return Hello(secure=True)
    if hello is None:
        return None if len(data) <= _LIMIT else Hello(secure=True)
    return Hello(True, hello.sni or "", tuple(hello.alpn_protocols))
