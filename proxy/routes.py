"""`--route HOST=URL`: where a host's traffic is sent instead. Pure functions on addresses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeAlias
from urllib.parse import urlsplit

from traceproof.proxy.hosts import parse_host, plain

PORTS = {"http": 80, "https": 443}


class Origin(NamedTuple):
    """An HTTP server, and the path under which it answers (no last slash)."""

    scheme: str
    host: str
    port: int
    prefix: str = ""

    @property
    def authority(self) -> str:
        """Return host and port as a Host header has them: the port left out where it is usual."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.prefix}"


Routes: TypeAlias = Mapping[str, Origin]
"""The server that takes a host's traffic, by the host's name."""


def parse_origin(url: str) -> Origin:
    """Read an http(s) URL without query or credentials; a bare host means https.

    Raises:
        ValueError: It is not such a URL. The message leaves credentials out.
    """
    parts = urlsplit(url if "://" in url else f"https://{url}")
    try:
        port = parts.port
    except ValueError:
        port = 0
    bad = parts.query or parts.fragment or parts.username is not None or port == 0
    if parts.scheme not in PORTS or not parts.hostname or bad:
        raise ValueError(
            f"expected a URL such as https://gateway.example.com/path, not {_shown(url)!r}"
        )
    port = port or PORTS[parts.scheme]
    return Origin(parts.scheme, plain(parts.hostname), port, parts.path.rstrip("/"))


def parse_routes(texts: Iterable[str]) -> dict[str, Origin]:
    """Read `HOST=URL` texts; a host named twice goes where the last one says.

    Raises:
        ValueError: One of them is not a route.
    """
    return dict(map(_parse_route, texts))


def _parse_route(text: str) -> tuple[str, Origin]:
    host, equals, url = text.partition("=")
    if not (equals and host and url):
        raise ValueError(f"--route takes HOST=URL, not {_shown(text)!r}")
    name = parse_host(host)
    if "*" in name:
        raise ValueError(f"--route takes one host, not the pattern {host!r}")
    try:
        return name, parse_origin(url)
    except ValueError as error:
        raise ValueError(f"--route {host}: {error}") from None


def _shown(url: str) -> str:
    head, at, tail = url.rpartition("@")
    return f"{head.partition('://')[0]}://…@{tail}" if at else url
