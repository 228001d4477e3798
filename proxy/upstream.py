"""The environment's own upstream proxy: which one a connection takes, and with what credentials.

Reads a mapping (usually `os.environ`) and decides; it dials nothing.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias
from urllib.parse import SplitResult, unquote, urlsplit

from traceproof.proxy.hosts import is_loopback, matches_no_proxy, plain

PROXY_VARIABLES = {
    "https": ("https_proxy", "HTTPS_PROXY"),
    "http": ("http_proxy", "HTTP_PROXY"),
}
_ALL = ("all_proxy", "ALL_PROXY")
NO_PROXY_VARIABLES = ("no_proxy", "NO_PROXY")

Scheme: TypeAlias = Literal["http", "https"]

_DEFAULT_PORTS: dict[Scheme, int] = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class UpstreamProxy:
    """A proxy that is asked by CONNECT, or by absolute URI for plain HTTP."""

    scheme: Scheme
    host: str
    port: int
    authorization: str = field(default="", repr=False)
    """The value of Proxy-Authorization, or empty; never printed."""


@dataclass(frozen=True, slots=True)
class UpstreamProxies:
    """What the environment says about proxies."""

    https: UpstreamProxy | None = None
    http: UpstreamProxy | None = None
    no_proxy: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """What of it is not used, one line each."""

    def choose(self, scheme: str, host: str, port: int) -> UpstreamProxy | None:
        """Return the proxy that leads to a server, or None to dial it; this machine is dialled."""
        proxy = self.http if scheme == "http" else self.https
        if proxy is None or is_loopback(host):
            return None
        if any(matches_no_proxy(entry, host, port) for entry in self.no_proxy):
            return None
        return proxy


def proxies_from(environ: Mapping[str, str]) -> UpstreamProxies:
    """Read HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY; lower case wins, as in curl.

    An ALL_PROXY that we cannot use (it often is a SOCKS proxy, for other programs) is passed over
    where HTTPS_PROXY names one that we can, which then serves plain requests too.

    Raises:
        ValueError: A proxy is not http(s) or is malformed. The message names the variable only:
            its value may hold a password.
    """
    https, http = (_proxy(environ, PROXY_VARIABLES[scheme]) for scheme in ("https", "http"))
    notes: tuple[str, ...] = ()
    try:
        rest = _proxy(environ, _ALL) if https is None or http is None else None
    except ValueError as error:
        if https is None:
            raise
        rest = https
        notes = (f"{error}; HTTPS_PROXY is used instead",)
    return UpstreamProxies(https or rest, http or rest, no_proxy_entries(environ), notes)


def no_proxy_entries(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the entries of NO_PROXY, separated by commas or blanks there."""
    value = next((environ[name] for name in NO_PROXY_VARIABLES if environ.get(name)), "")
    return tuple(value.replace(",", " ").split())


def _proxy(environ: Mapping[str, str], names: tuple[str, ...]) -> UpstreamProxy | None:
    name = next((name for name in names if environ.get(name, "").strip()), None)
    if name is None:
        return None
    value = environ[name].strip()
    try:
        return _parse(urlsplit(value if "://" in value else f"http://{value}"))
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _parse(url: SplitResult) -> UpstreamProxy:
    scheme = next((known for known in _DEFAULT_PORTS if known == url.scheme), None)
    if scheme is None:
        raise ValueError(f"only http:// and https:// proxies are supported, not {url.scheme}://")
    try:
        port = url.port or _DEFAULT_PORTS[scheme]
    except ValueError:
        raise ValueError("the proxy's port is not a number") from None
    if not url.hostname:
        raise ValueError("the proxy has no host")
    return UpstreamProxy(scheme, plain(url.hostname), port, _basic(url))


def _basic(url: SplitResult) -> str:
    if url.username is None:
        return ""
    pair = f"{unquote(url.username)}:{unquote(url.password or '')}"
    return "Basic " + base64.b64encode(pair.encode()).decode()
