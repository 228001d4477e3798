from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from mitmproxy.connection import Client
from mitmproxy.proxy.context import Context
from mitmproxy.tls import TlsData

from traceproof.proxy.authority import Authority, open_authority
from traceproof.proxy.distrust import Distrust
from traceproof.proxy.handler import relay_options
from traceproof.proxy.tls import Tls
from traceproof.proxy.trust import TrustFiles

if TYPE_CHECKING:
    from tests.proxy.conftest import Relay, Server, Starting

HOST = "api.anthropic.com"
PORT = f"{HOST}:443"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
GET = b"GET /v1/models HTTP/1.1\r\nHost: api.anthropic.com\r\n\r\n"

Serve = Callable[..., "Server"]


def test_an_upstream_whose_certificate_is_not_trusted_is_a_502(
    serve: Serve,
    start: Starting,
    tls_for: Callable[..., ssl.SSLContext],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:

    stranger = open_authority(tmp_path_factory.mktemp("stranger"))
    upstream = serve(None, tls_for(stranger, "127.0.0.1"))
    relay = start(**upstream.route(HOST))

    with relay.secure(PORT) as agent:
        agent.send(GET)
        status, message = agent.error()

    assert status == "HTTP/1.1 502 Bad Gateway"
    assert "Certificate verify failed" in message
    assert "Certificate verify failed" in relay.sink.wait().error


def test_an_upstream_with_another_name_in_its_certificate_is_a_502(
    serve: Serve, start: Starting, company: Authority, tls_for: Callable[..., ssl.SSLContext]
) -> None:
    relay = start(**serve(None, tls_for(company, "elsewhere.example")).route(HOST))

    with relay.secure(PORT) as agent:
        agent.send(GET)
        _, message = agent.error()

    assert "Certificate verify failed" in message


def test_an_upstream_that_the_environments_ca_vouches_for_is_trusted(
    serve: Serve, start: Starting, company: Authority, tls_for: Callable[..., ssl.SSLContext]
) -> None:
    relay = start(**serve(None, tls_for(company, "127.0.0.1")).route(HOST))

    with relay.secure(PORT) as agent:
        agent.send(GET)
        assert agent.response() == OK

    assert relay.sink.wait().upstream.startswith("https://127.0.0.1:")


def test_an_agent_that_offers_h2_gets_http1(serve: Serve, start: Starting) -> None:
    relay = start(**serve().route(HOST))

    with relay.secure(PORT, alpn=("h2", "http/1.1")) as agent:
        assert isinstance(agent.sock, ssl.SSLSocket)
        assert agent.sock.selected_alpn_protocol() == "http/1.1"
        agent.send(GET)
        assert agent.response() == OK


def test_an_agent_that_does_not_trust_us_is_noted(start: Starting) -> None:
    relay = start()

    with relay.connect(PORT) as agent, pytest.raises(ssl.SSLCertVerificationError):
        ssl.create_default_context().wrap_socket(agent.sock, server_hostname=HOST)

    relay.server.stop()
    assert relay.server.untrusted == {HOST: 1}


def test_an_agent_that_says_so_is_noted_even_after_calls(serve: Serve, start: Starting) -> None:
    relay = start(**serve().route(HOST))
    with relay.secure(PORT) as agent:
        agent.send(GET)
        assert agent.response() == OK

    with relay.connect(PORT) as agent, pytest.raises(ssl.SSLCertVerificationError):
        ssl.create_default_context().wrap_socket(agent.sock, server_hostname=HOST)

    relay.server.stop()
    assert relay.server.untrusted == {HOST: 1}


def hello() -> bytes:
    """Return a ClientHello: the first thing that an agent says, after which it may leave."""
    outgoing = ssl.MemoryBIO()
    context = ssl.create_default_context()
    client = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=HOST)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


def test_an_agent_that_leaves_before_it_has_seen_our_certificate_has_said_nothing(
    start: Starting,
) -> None:
    relay = start()

    for _ in range(3):
        with relay.connect(PORT) as agent:
            agent.send(hello()[:100])

    relay.server.stop()
    assert relay.server.untrusted == {}


def leave_in_the_handshake(relay: Relay) -> None:
    """Do as Node does with TLS 1.3."""
    with relay.connect(PORT) as agent:
        agent.send(hello())
        agent.until(b"\x16\x03\x03")  # our answer has begun


def leave_after_the_handshake(relay: Relay) -> None:
    """Do as Bun does, and git with GnuTLS."""
    relay.secure(PORT).close()


@pytest.mark.parametrize("leave", [leave_in_the_handshake, leave_after_the_handshake])
@pytest.mark.parametrize(("times", "noted"), [(1, {}), (2, {HOST: 2})])
def test_an_agent_that_leaves_without_a_word_is_noted_when_it_does_so_again(
    start: Starting, leave: Callable[[Relay], None], times: int, noted: dict[str, int]
) -> None:
    relay = start()

    for _ in range(times):
        leave(relay)

    relay.server.stop()
    assert relay.server.untrusted == noted


def test_an_agent_that_we_leave_is_not_noted(start: Starting) -> None:
    relay = start()
    waiting = [relay.secure(PORT), relay.secure(PORT), relay.connect(PORT), relay.connect(PORT)]
    for agent in waiting[2:]:
        agent.send(hello())
        agent.until(b"\x16\x03\x03")

    relay.server.stop()

    assert relay.server.untrusted == {}
    for agent in waiting:
        agent.close()


def test_a_spare_connection_is_no_distrust_where_there_are_calls(
    serve: Serve, start: Starting
) -> None:
    relay = start(**serve().route(HOST))

    for leave in (leave_in_the_handshake, leave_after_the_handshake) * 2:
        leave(relay)
    with relay.secure(PORT) as agent:
        agent.send(GET)
        assert agent.response() == OK

    relay.server.stop()
    assert relay.server.untrusted == {}


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("tlsv1 alert unknown ca", True),
        ("OpenSSL Error([('SSL routines', '', 'ssl/tls alert bad certificate')])", True),
        ("OpenSSL Error([('SSL routines', '', 'sslv3 alert certificate unknown')])", True),
        ("OpenSSL Error([('SSL routines', '', 'sslv3 alert unsupported certificate')])", True),
        ("OpenSSL Error([('SSL routines', '', 'tlsv1 alert user cancelled')])", False),
        ("OpenSSL Error([('SSL routines', '', 'no shared cipher')])", False),
        ("The client disconnected during the handshake. (unknown ca)", False),
    ],
)
def test_an_alert_says_whether_it_is_for_the_certificate(
    authority: Authority, trust: TrustFiles, error: str, *, said: bool
) -> None:
    distrust = Distrust()
    tls = Tls(authority, trust.roots, distrust)
    client = Client(peername=("127.0.0.1", 1), sockname=("127.0.0.1", 2), sni=HOST, error=error)
    context = Context(client, relay_options())

    tls.tls_failed_client(TlsData(client, context))

    assert distrust.untrusted == ({HOST: 1} if said else {})
