"""Where a request goes: its route, the environment's proxy, or the server the agent meant.

Decides for every relay; changes mitmproxy's request (`relay/aim.py` does it for ours) before it is
sent, and nothing that the server could tell apart from the agent's own, except where a route says
so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from mitmproxy.connection import Server
from mitmproxy.http import HTTPFlow, Request

from traceproof.proxy.hosts import Hosts, plain
from traceproof.proxy.routes import PORTS, Origin, Routes
from traceproof.proxy.upstream import UpstreamProxies, UpstreamProxy


class Lane(NamedTuple):
    """What a client connection (or a proxy's plain request) is for."""

    origin: Origin
    """The server the agent means."""
    reverse: bool = False
    """Whether the agent takes us for that server, and so calls us by our own name."""
    address: tuple[str, int] | None = None
    """What to dial, where the agent said so by CONNECT: a name's address, perhaps."""
    name: str = ""
    """The name in the agent's TLS, where it spoke TLS."""
    user: str = ""
    """Who was admitted."""


class Target(NamedTuple):
    """The server that a lane's requests go to."""

    server: Origin
    """Its address; the prefix is what the path of a request gets before it."""
    name: str
    """The name that its certificate must have."""
    shown: str
    """Its base URL, if that is not where the agent meant; else empty."""


@dataclass(frozen=True, slots=True)
class Destinations:
    """The user's routes, and the environment's proxies."""

    hosts: Hosts = field(default_factory=Hosts)
    routes: Routes = field(default_factory=dict)
    proxies: UpstreamProxies = field(default_factory=UpstreamProxies)

    def plain_lane(self, request: Request) -> Lane | None:
        """Return what a plain request through the proxy is for; None if it is not ours to read."""
        if not self.hosts.decrypts(request.host):
            return None
        return Lane(Origin(request.scheme, plain(request.host), request.port))

    def target(self, lane: Lane) -> Target:
        """Return where a lane's requests go.

        A route changes scheme, host, port and the path's beginning. The Host header stays the
        origin's, as gateways and virtual hosts expect.
        """
        origin, route = lane.origin, self.routes.get(lane.origin.host)
        prefix = f"{route.prefix if route else ''}{origin.prefix}"
        if route or lane.reverse:
            server = (route or origin)._replace(prefix=prefix)
            return Target(server, server.host, str(server) if route or prefix else "")
        host, port = lane.address or (origin.host, origin.port)
        return Target(Origin(origin.scheme, host, port), lane.name or host, "")

    def send(self, flow: HTTPFlow, lane: Lane) -> str:
        """Direct a recorded request; return where it goes if that is not where the agent meant."""
        target = self.target(lane)
        if lane.reverse:
            _name_host(flow.request, lane.origin)
        if lane.reverse or target.shown:
            _direct(flow.request, target.server)
        self.pass_on(flow)
        return target.shown

    def pass_on(self, flow: HTTPFlow) -> None:
        """Send a request through the environment's proxy where there is one for its server."""
        request = flow.request
        _forget_us(request)
        proxy = self.proxies.choose(request.scheme, request.host, request.port)
        if proxy is None:
            return
        if request.scheme == "http" and proxy.scheme == "http":
            _absolute(request, proxy)
            return
        # mitmproxy's own way to a proxy for one flow: a server that is reached via another.
        flow.server_conn = Server(
            address=(request.host, request.port), via=(proxy.scheme, (proxy.host, proxy.port))
        )

    def credentials(self, host: str, port: int) -> str:
        """Return the Proxy-Authorization of the environment's proxy at an address, or empty."""
        for proxy in (self.proxies.https, self.proxies.http):
            if proxy and (proxy.host, proxy.port) == (host, port):
                return proxy.authorization
        return ""


def _forget_us(request: Request) -> None:
    """Drop what a client tells its proxy, and would not have told the server."""
    fields = request.headers.fields
    request.headers.fields = tuple(row for row in fields if row[0].lower() not in _FOR_PROXIES)


_FOR_PROXIES = (b"proxy-connection", b"proxy-authorization")


def _direct(request: Request, target: Origin) -> None:
    data = request.data
    # The properties of `request` would change the Host header too.
    data.host, data.port, data.scheme = target.host, target.port, target.scheme.encode()
    data.path = target.prefix.encode() + data.path


def _name_host(request: Request, origin: Origin) -> None:
    name = origin.authority.encode()
    fields = request.headers.fields
    request.headers.fields = tuple(
        (key, name if key.lower() == b"host" else value) for key, value in fields
    )


def _absolute(request: Request, proxy: UpstreamProxy) -> None:
    """Ask a proxy for a plain resource by its absolute URI; many refuse CONNECT to port 80."""
    data = request.data
    port = "" if data.port == PORTS["http"] else f":{data.port}"
    data.authority = f"{data.host}{port}".encode()
    data.host, data.port = proxy.host, proxy.port
    if proxy.authorization:
        request.headers["Proxy-Authorization"] = proxy.authorization
