from __future__ import annotations

import pytest

from traceproof.proxy.destination import Destinations, Lane
from traceproof.proxy.relay.aim import Peer, absolute, aim
from traceproof.proxy.relay.head import Malformed, parse_request
from traceproof.proxy.routes import Origin, parse_origin, parse_routes
from traceproof.proxy.upstream import UpstreamProxies, proxies_from

HOST = "api.anthropic.com"
GET = b"GET /v1 HTTP/1.1\r\nhost:  a\r\nProxy-Connection: x\r\nPROXY-AUTHORIZATION: y\r\n\r\n"
LANE = Lane(Origin("https", HOST, 443), address=("192.0.2.7", 8443), name="sni.example")


def aimed(
    lane: Lane = LANE, proxies: UpstreamProxies | None = None, **routes: str
) -> tuple[Peer, bytes, str]:
    known = parse_routes(f"{HOST}={url}" for url in routes.values())
    destinations = Destinations(routes=known, proxies=proxies or UpstreamProxies())
    made, target = aim(destinations, lane, parse_request(GET), b"/v1", alpn=True)
    return made.peer, made.head, target.shown


def test_a_request_goes_where_it_was_meant_to_without_what_was_for_us() -> None:
    peer, head, shown = aimed()

    assert peer == Peer("192.0.2.7", 8443, True, "sni.example", True, None)
    assert (head, shown) == (b"GET /v1 HTTP/1.1\r\nhost:  a\r\n\r\n", "")


def test_a_route_takes_its_place() -> None:
    peer, head, shown = aimed(route="http://gateway.example:81/base")

    assert (peer.host, peer.port, peer.secure) == ("gateway.example", 81, False)
    assert head == b"GET /base/v1 HTTP/1.1\r\nhost:  a\r\n\r\n"
    assert shown == "http://gateway.example:81/base"


def test_in_reverse_the_host_is_named() -> None:
    lane = Lane(parse_origin("https://gateway.example:444/base"), reverse=True)

    peer, head, shown = aimed(lane)

    assert (peer.host, peer.port, peer.name) == ("gateway.example", 444, "gateway.example")
    assert head == b"GET /base/v1 HTTP/1.1\r\nhost: gateway.example:444\r\n\r\n"
    assert shown == "https://gateway.example:444/base"


def test_a_proxy_is_asked_by_connect_for_what_is_secure_and_by_uri_for_what_is_plain() -> None:
    proxies = proxies_from({"ALL_PROXY": "http://u:p@proxy.example:3128"})
    plain = Lane(Origin("http", HOST, 80))

    secure_peer, secure_head, _ = aimed(proxies=proxies)
    plain_peer, plain_head, _ = aimed(plain, proxies)

    assert secure_peer.proxy == proxies.https
    assert secure_head.startswith(b"GET /v1 HTTP/1.1\r\n")
    assert plain_peer == Peer("proxy.example", 3128, False, "", False, None)
    assert plain_head == (
        b"GET http://api.anthropic.com/v1 HTTP/1.1\r\nhost:  a\r\n"
        b"Proxy-Authorization: Basic dTpw\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("target", "url", "path"),
    [
        (b"http://a/b?c", "http://a", b"/b?c"),
        (b"HTTPS://A.:8443?c", "https://a:8443", b"/?c"),
        (b"http://[::1]:81", "http://[::1]:81", b"/"),
    ],
)
def test_a_url_is_read(target: bytes, url: str, path: bytes) -> None:
    asked = absolute(target)

    assert asked is not None
    assert (str(asked.origin), asked.path) == (url, path)


def test_a_path_is_no_url() -> None:
    assert absolute(b"/http://a/") is None
    assert absolute(b"*") is None


@pytest.mark.parametrize("target", [b"http:///a", b"http://a:x/", b"http://a:99999/", b"a/b"])
def test_what_is_neither_is_malformed(target: bytes) -> None:
    with pytest.raises(Malformed):
        absolute(target)
