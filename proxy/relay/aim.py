"""A request made ready for its server: where it goes, and its head as it is sent.

The head keeps the bytes that the client sent but for what a proxy must change. Dials nothing.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from traceproof.proxy.destination import Destinations, Lane, Target
from traceproof.proxy.hosts import plain
from traceproof.proxy.relay.head import Malformed, RequestHead
from traceproof.proxy.routes import PORTS, Origin
from traceproof.proxy.upstream import UpstreamProxy

_ABSOLUTE = re.compile(rb"(?i:(https?)://)([^/?#@]+)([/?][^#]*)?")
_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.%]+\]|[^:\[\]]+)(?::([0-9]{1,5}))?")
_FOR_US = (b"proxy-connection", b"proxy-authorization")
"""What a client tells its proxy, and would not have told the server."""


class Peer(NamedTuple):
    """Whom to connect to: two requests with the same peer may share a connection."""

    host: str
    port: int
    secure: bool
    name: str
    """The name that its certificate must have."""
    alpn: bool
    """Whether to offer HTTP/1.1 by name, as the client did."""
    proxy: UpstreamProxy | None
    """The environment's proxy, to be asked by CONNECT."""


class Aim(NamedTuple):
    """Where a request goes, and how it begins there."""

    peer: Peer
    head: bytes
    host: str
    port: int
    """The server, as errors name it."""


class Asked(NamedTuple):
    """What a plain request through a proxy names."""

    origin: Origin
    path: bytes


def absolute(target: bytes) -> Asked | None:
    """Read a request target that is a URI; None for any other kind.

    Raises:
        Malformed: It is meant to be one, and is not.
    """
    if target[:1] in (b"/", b"*"):
        return None
    found = _ABSOLUTE.fullmatch(target)
    authority = _AUTHORITY.fullmatch(found[2].decode("latin-1")) if found else None
    if found is None or authority is None:
        raise Malformed("malformed URL in the request line")
    scheme = found[1].decode().lower()
    port = int(authority[2] or PORTS[scheme])
    if not 0 < port < 65536:  # noqa: PLR2004 (as TCP has it)
        raise Malformed("malformed port in the request line")
    path = found[3] or b"/"
    path = path if path.startswith(b"/") else b"/" + path
    return Asked(Origin(scheme, plain(authority[1]), port), path)


def aim(
    destinations: Destinations, lane: Lane, head: RequestHead, path: bytes, *, alpn: bool
) -> tuple[Aim, Target]:
    """Direct a request of a lane.

    Args:
        destinations: Routes and proxies.
        lane: What the request's connection is for.
        head: As it came.
        path: What the server is asked for, before a prefix.
        alpn: Whether the client offered HTTP/1.1 by name.
    """
    target = destinations.target(lane)
    server = target.server
    proxy = destinations.proxies.choose(server.scheme, server.host, server.port)
    secure = server.scheme == "https"
    host = lane.origin.authority.encode() if lane.reverse else None
    sent = path if path == b"*" else server.prefix.encode() + path
    if proxy is None or secure or proxy.scheme == "https":
        peer = Peer(server.host, server.port, secure, target.name, alpn, proxy)
        return Aim(peer, _head(head, sent, host), server.host, server.port), target
    # Many proxies refuse CONNECT to port 80: they are asked by the URI.
    uri = b"http://" + server._replace(prefix="").authority.encode() + sent
    peer = Peer(proxy.host, proxy.port, False, "", False, None)
    raw = _head(head, uri, host, proxy.authorization)
    return Aim(peer, raw, proxy.host, proxy.port), target


def _head(head: RequestHead, target: bytes, host: bytes | None, authorization: str = "") -> bytes:
    lines = [b"%s %s HTTP/1.%d" % (head.method.encode(), target, head.minor)]
    for (name, _), line in zip(head.fields, head.lines, strict=True):
        key = name.lower()
        if key == b"host" and host is not None:
            lines.append(b"%s: %s" % (name, host))
        elif key not in _FOR_US and not (key == b"expect" and head.waits):
            lines.append(line)
    if authorization:
        lines.append(b"Proxy-Authorization: " + authorization.encode())
    return b"\r\n".join(lines) + b"\r\n\r\n"
