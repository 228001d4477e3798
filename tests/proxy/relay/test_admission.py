from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from traceproof.proxy.destination import Lane
from traceproof.proxy.hosts import Hosts
from traceproof.proxy.relay.admission import Admitted, Elsewhere, Refused, admit, admit_user
from traceproof.proxy.relay.head import Malformed, parse_request
from traceproof.proxy.routes import Origin, parse_origin

if TYPE_CHECKING:
    from tests.proxy.conftest import Server, Starting, Wire

HOST = "api.anthropic.com"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
GET = b"GET /v1 HTTP/1.1\r\nHost: a\r\n\r\n"
ADA = b"Proxy-Authorization: Basic YWRh\r\n"
LANE = Lane(Origin("https", HOST, 443))

Serve = Callable[..., "Server"]


class Members:
    """Ada may use the proxy; it has one page."""

    def user(self, proxy_authorization: str) -> str | None:
        return "ada" if proxy_authorization == "Basic YWRh" else None

    def strip(self, path: str) -> tuple[str, str] | None:
        return ("ada", path.removeprefix("/for-ada")) if path.startswith("/for-ada/") else None

    def page(self, method: str, path: str, authorization: str) -> tuple[int, str, bytes] | None:
        told = f"{method} {authorization}".encode()
        return (200, "text/plain", told) if path == "/healthz" else None

    def delay(self) -> float:
        return 0


def refused(head: bytes, lane: Lane | None, access: Members | None = None) -> bytes:
    with pytest.raises(Refused) as caught:
        admit(parse_request(head), lane, Hosts(), access)
    return caught.value.response


def message(response: bytes) -> str:
    text: str = json.loads(response.partition(b"\r\n\r\n")[2])["error"]["message"]
    return text


def test_on_a_connection_for_one_server_every_request_passes() -> None:
    assert admit(parse_request(GET), LANE, Hosts(), None) == Admitted(LANE, b"/v1")


def test_a_url_on_such_a_connection_is_its_path() -> None:
    head = parse_request(b"GET https://elsewhere.example/v1?q HTTP/1.1\r\n\r\n")

    assert admit(head, LANE, Hosts(), None).path == b"/v1?q"


def test_a_plain_request_for_a_model_host_passes() -> None:
    head = parse_request(b"GET http://API.anthropic.com:8080/v1 HTTP/1.1\r\n\r\n")

    assert admit(head, None, Hosts(), None) == Admitted(Lane(Origin("http", HOST, 8080)), b"/v1")


def test_a_plain_request_for_another_host_is_not_ours_to_read() -> None:
    head = parse_request(b"GET http://other.example/ HTTP/1.1\r\n" + ADA + b"\r\n")

    with pytest.raises(Elsewhere) as caught:
        admit(head, None, Hosts(), Members())

    assert caught.value.user == "ada"


def test_a_second_connect_is_refused() -> None:
    response = refused(b"CONNECT a:443 HTTP/1.1\r\n\r\n", LANE)

    assert response.startswith(b"HTTP/1.1 501 ")
    assert message(response).endswith("CONNECT must be a connection's first request")


@pytest.mark.parametrize("target", [b"ftp://a/", b"http://u:p@a/", b"http://a:0/", b"a:443"])
def test_a_plain_request_for_nothing_that_can_be_asked_is_malformed(target: bytes) -> None:
    with pytest.raises(Malformed):
        admit(parse_request(b"GET " + target + b" HTTP/1.1\r\n\r\n"), None, Hosts(), None)


def test_a_request_for_the_proxy_itself_gets_its_page_or_a_word_of_help() -> None:
    page = b"GET /healthz HTTP/1.1\r\nAuthorization: Bearer b\r\n\r\n"

    assert refused(page, None, Members()).endswith(b"\r\n\r\nGET Bearer b")
    assert refused(b"HEAD" + page[3:], None, Members()).endswith(b"\r\n\r\n")
    for access in (Members(), None):
        response = refused(GET, None, access)
        assert response.startswith(b"HTTP/1.1 404 ")
        assert "set HTTPS_PROXY to its URL" in message(response)


def test_a_stranger_is_told_how_to_become_known() -> None:
    with pytest.raises(Refused) as caught:
        admit_user(parse_request(GET), Members())

    response = caught.value.response
    assert response.startswith(b"HTTP/1.1 407 Proxy Authentication Required\r\n")
    assert b'proxy-authenticate: Basic realm="traceproof"\r\n' in response
    assert "http://USER:TOKEN@HOST:PORT" in message(response)


def test_in_reverse_the_path_says_who_it_is() -> None:
    lane = LANE._replace(reverse=True)
    head = parse_request(b"GET /for-ada/v1/\xe4 HTTP/1.1\r\n\r\n")

    admitted = admit(head, lane, Hosts(), Members())

    assert (admitted.lane.user, admitted.path) == ("ada", b"/v1/\xe4")
    assert refused(GET, lane, Members()).startswith(b"HTTP/1.1 401 Unauthorized\r\n")
    assert refused(b"GET /healthz HTTP/1.1\r\n\r\n", lane, Members()).endswith(b"GET ")


# The same on the wire


@pytest.mark.parametrize("target", [f"{HOST}:443", "other.example:443", "192.0.2.7:443"])
def test_a_stranger_gets_no_tunnel(start: Starting, target: str) -> None:
    relay = start(access=Members())

    with relay.dial() as client:
        client.send(f"CONNECT {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        status, _ = client.error()

    assert status == "HTTP/1.1 407 Proxy Authentication Required"
    assert relay.server.tunnelled == {}


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_stranger_gets_nothing_plain(serve: Serve, start: Starting, host: str) -> None:
    upstream = serve()
    relay = start(access=Members(), hosts=("127.0.0.1",))

    with relay.dial() as client:
        client.send(f"GET http://{host}:{upstream.port}/ HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        status, _ = client.error()

    assert status == "HTTP/1.1 407 Proxy Authentication Required"
    assert (upstream.connections, relay.sink.told) == (0, [])


def test_a_user_is_noted_and_the_token_goes_no_further(serve: Serve, start: Starting) -> None:
    heard: list[bytes] = []

    def script(wire: Wire) -> None:
        while request := wire.request():
            heard.append(request)
            wire.send(OK)

    upstream = serve(script)
    relay = start(access=Members(), hosts=("127.0.0.1",))
    url = f"http://127.0.0.1:{upstream.port}/".encode()

    with relay.dial() as client:
        client.send(b"CONNECT 127.0.0.1:%d HTTP/1.1\r\n%b\r\n" % (upstream.port, ADA))
        client.head()
        client.send(GET)
        assert client.response() == OK
    with relay.dial() as client:
        client.send(b"GET " + url + b" HTTP/1.1\r\nHost: a\r\n" + ADA + b"\r\n")
        assert client.response() == OK

    assert [relay.sink.wait("ended", count).user for count in (1, 2)] == ["ada", "ada"]
    assert b"YWRh" not in b"".join(heard)
    assert "YWRh" not in str([exchange.request_headers for _, exchange in relay.sink.told])


def test_in_reverse_a_user_is_noted_and_the_token_goes_no_further(
    serve: Serve, start: Starting
) -> None:
    heard: list[bytes] = []

    def script(wire: Wire) -> None:
        heard.append(wire.request())
        wire.send(OK)

    relay = start(access=Members(), origins=(parse_origin(serve(script).url),))

    with relay.dial() as client:
        client.send(b"GET /for-ada/v1?q HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.response() == OK
    with relay.dial() as client:
        client.send(b"GET /v1?q HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.error()[0] == "HTTP/1.1 401 Unauthorized"

    exchange = relay.sink.wait()
    assert (exchange.user, exchange.path) == ("ada", "/v1?q")
    assert [head.split()[1] for head in heard] == [b"/v1?q"]
