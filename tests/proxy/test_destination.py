from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from traceproof.proxy.authority import Authority
from traceproof.proxy.routes import parse_origin, parse_routes
from traceproof.proxy.upstream import UpstreamProxies, proxies_from

if TYPE_CHECKING:
    from tests.proxy.conftest import Server, Starting, Wire

HOST = "api.anthropic.com"
PORT = f"{HOST}:443"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
GET = b"GET /v1/models HTTP/1.1\r\nHost: api.anthropic.com\r\n\r\n"

Serve = Callable[..., "Server"]


def test_a_route_keeps_the_host_header_and_prefixes_the_path(serve: Serve, start: Starting) -> None:
    heard: list[bytes] = []

    def script(wire: Wire) -> None:
        heard.append(wire.head())
        wire.send(OK)

    upstream = serve(script)
    relay = start(routes=parse_routes([f"{HOST}={upstream.url}/gateway/"]))

    with relay.secure(PORT) as agent:
        agent.send(GET)
        agent.response()

    assert heard == [b"GET /gateway/v1/models HTTP/1.1\r\nHost: api.anthropic.com\r\n\r\n"]
    exchange = relay.sink.wait()
    assert (exchange.path, exchange.upstream) == ("/v1/models", f"{upstream.url}/gateway")


def test_plain_requests_to_other_hosts_pass_unrecorded(serve: Serve, start: Starting) -> None:
    heard: list[bytes] = []

    def script(wire: Wire) -> None:
        while request := wire.request():
            heard.append(request)
            wire.send(OK)

    upstream = serve(script)
    relay = start()

    with relay.dial() as client:
        for _ in range(2):
            client.send(b"POST http://127.0.0.1:%d/a HTTP/1.1\r\n" % upstream.port)
            client.send(b"Host: h\r\nProxy-Connection: keep-alive\r\nContent-Length: 2\r\n\r\nhi")
            assert client.response() == OK

    assert heard == [b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi"] * 2
    assert relay.server.tunnelled == {"127.0.0.1": 2}
    assert relay.sink.told == []


def test_plain_requests_to_a_named_host_are_recorded(serve: Serve, start: Starting) -> None:
    upstream = serve()
    relay = start(hosts=("127.0.0.1",))

    with relay.dial() as client:
        client.send(f"GET {upstream.url}/v1 HTTP/1.1\r\nHost: h\r\n\r\n".encode())
        assert client.response() == OK

    exchange = relay.sink.wait()
    assert (exchange.scheme, exchange.host, exchange.port) == ("http", "127.0.0.1", upstream.port)
    assert exchange.path == "/v1"


def test_in_reverse_each_server_has_its_own_base_url(serve: Serve, start: Starting) -> None:
    heard: list[bytes] = []

    def script(wire: Wire) -> None:
        heard.append(wire.head())
        wire.send(OK)

    one, two = serve(script), serve(script)
    origins = (parse_origin(f"{one.url}/prefix"), parse_origin(HOST))
    relay = start(origins=origins, routes=parse_routes([f"{HOST}={two.url}"]))
    bases = relay.listening.bases

    assert tuple(bases) == origins
    for base in bases.values():
        with relay.dial(int(base.rpartition(":")[2])) as agent:
            agent.send(b"GET /v1/models HTTP/1.1\r\nhost: %s\r\n\r\n" % base[7:].encode())
            assert agent.response() == OK

    assert heard == [
        b"GET /prefix/v1/models HTTP/1.1\r\nhost: 127.0.0.1:%d\r\n\r\n" % one.port,
        b"GET /v1/models HTTP/1.1\r\nhost: api.anthropic.com\r\n\r\n",
    ]
    exchange = relay.sink.wait("ended", 2)
    assert (exchange.scheme, exchange.host, exchange.port) == ("https", HOST, 443)
    assert (exchange.path, exchange.upstream) == ("/v1/models", two.url)
    assert exchange.request_headers == [("host", bases[origins[1]][7:])]


class ConnectProxy:
    """A company's proxy: notes what it is asked, and leads everything to one server."""

    def __init__(self, server: Server) -> None:
        self.asked: list[bytes] = []
        self._server = server

    def __call__(self, wire: Wire) -> None:
        head = wire.head()
        self.asked.append(head)
        if b"Proxy-Authorization: Basic dTpwQHNz" not in head:
            wire.send(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return
        if not head.startswith(b"CONNECT "):
            wire.send(OK)
            return
        wire.send(b"HTTP/1.1 200 go on\r\n\r\n")
        far = socket.create_connection(("127.0.0.1", self._server.port))
        back = threading.Thread(target=pump, args=(far, wire.sock))
        back.start()
        pump(wire.sock, far)
        back.join()
        far.close()


def pump(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
    with contextlib.suppress(OSError):
        other.shutdown(socket.SHUT_WR)


def behind(proxy: Server, **environ: str) -> UpstreamProxies:
    address = f"u:p%40ss@127.0.0.1:{proxy.port}"
    return proxies_from(
        {"HTTPS_PROXY": f"http://{address}", "HTTP_PROXY": f"http://{address}", **environ}
    )


@pytest.fixture
def model(serve: Serve, company: Authority, tls_for: Callable[..., ssl.SSLContext]) -> Server:
    return serve(None, tls_for(company, HOST))


def test_a_call_goes_through_the_environments_proxy(
    serve: Serve, start: Starting, model: Server
) -> None:
    company_proxy = ConnectProxy(model)
    relay = start(proxies=behind(serve(company_proxy)))

    with relay.secure(PORT) as agent:
        for _ in range(2):
            agent.send(GET)
            assert agent.response() == OK

    assert [head.partition(b"\r\n")[0] for head in company_proxy.asked] == [
        b"CONNECT api.anthropic.com:443 HTTP/1.1"
    ]
    assert relay.sink.wait("ended", 2).upstream == ""


def test_a_proxy_that_refuses_is_a_502(serve: Serve, start: Starting, model: Server) -> None:
    server = serve(ConnectProxy(model))
    proxies = proxies_from({"HTTPS_PROXY": f"127.0.0.1:{server.port}"})
    relay = start(proxies=proxies)

    with relay.secure(PORT) as agent:
        agent.send(GET)
        _, message = agent.error()

    assert "refused CONNECT: 407 Proxy Authentication Required" in message
    assert relay.sink.wait().error in message


def test_a_tunnel_goes_through_the_environments_proxy(
    serve: Serve, start: Starting, model: Server
) -> None:
    company_proxy = ConnectProxy(model)
    relay = start(proxies=behind(serve(company_proxy)))

    with relay.connect("other.example:443") as tunnel:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        sock = context.wrap_socket(tunnel.sock)
        sock.sendall(GET)
        assert sock.recv(100) == OK
        sock.close()

    assert company_proxy.asked[0].startswith(b"CONNECT other.example:443 HTTP/1.1\r\n")
    assert relay.server.tunnelled == {"other.example": 1}


def test_a_tunnel_that_the_proxy_refuses_is_a_502(
    serve: Serve, start: Starting, model: Server
) -> None:
    server = serve(ConnectProxy(model))
    relay = start(proxies=proxies_from({"https_proxy": server.url}))

    with relay.dial() as client:
        client.send(b"CONNECT other.example:443 HTTP/1.1\r\n\r\n")
        _, message = client.error()

    assert message.endswith(
        f"the proxy 127.0.0.1:{server.port} refused CONNECT: 407 Proxy Authentication Required"
    )


def test_a_plain_request_is_asked_of_the_environments_proxy_by_its_uri(
    serve: Serve, start: Starting, model: Server
) -> None:
    company_proxy = ConnectProxy(model)
    relay = start(proxies=behind(serve(company_proxy)))

    with relay.dial() as client:
        client.send(b"GET http://other.example:81/a?b HTTP/1.1\r\nHost: other.example:81\r\n\r\n")
        assert client.response() == OK

    assert company_proxy.asked[0].startswith(b"GET http://other.example:81/a?b HTTP/1.1\r\n")


def test_no_proxy_is_honoured(serve: Serve, start: Starting, model: Server) -> None:
    company_proxy = ConnectProxy(model)
    proxies = behind(serve(company_proxy), NO_PROXY="local-name.invalid")
    relay = start(proxies=proxies, hosts=("local-name.invalid",))

    with relay.secure("local-name.invalid:443") as agent:
        agent.send(GET)
        agent.error()

    assert company_proxy.asked == []


def test_a_route_to_this_machine_never_takes_the_proxy(
    serve: Serve, start: Starting, model: Server
) -> None:
    company_proxy = ConnectProxy(model)
    near = serve()
    relay = start(proxies=behind(serve(company_proxy)), **near.route(HOST))

    with relay.secure(PORT) as agent:
        agent.send(GET)
        assert agent.response() == OK

    assert (near.connections, company_proxy.asked) == (1, [])


def test_in_forward_mode_too_it_stands_in_for_servers_that_it_is_told(
    serve: Serve, start: Starting
) -> None:
    heard: list[bytes] = []

    def script(wire: Wire) -> None:
        heard.append(wire.head())
        wire.send(OK)

    server = serve(script)
    origin = parse_origin(server.url)
    relay = start(stand_ins=(origin,))

    base = relay.listening.bases[origin]
    assert base != relay.listening.url
    with relay.dial(int(base.rpartition(":")[2])) as agent:
        agent.send(b"GET /mcp HTTP/1.1\r\nhost: %s\r\n\r\n" % base[7:].encode())
        assert agent.response() == OK

    assert heard == [b"GET /mcp HTTP/1.1\r\nhost: 127.0.0.1:%d\r\n\r\n" % server.port]
    exchange = relay.sink.wait()
    assert (exchange.host, exchange.port, exchange.path) == ("127.0.0.1", server.port, "/mcp")
