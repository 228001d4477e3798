from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from traceproof.proxy.authority import Authority, open_authority

if TYPE_CHECKING:
    from tests.proxy.conftest import Server, Starting

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


def hello() -> bytes:
    """Return a ClientHello: the first thing that an agent says, after which it may leave."""
    outgoing = ssl.MemoryBIO()
    context = ssl.create_default_context()
    client = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=HOST)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


@pytest.mark.parametrize("trusts", [True, False])
def test_an_agent_that_leaves_is_noted_unless_it_has_shown_its_trust(
    serve: Serve, start: Starting, *, trusts: bool
) -> None:
    relay = start(**serve().route(HOST))
    if trusts:
        with relay.secure(PORT) as agent:
            agent.send(GET)
            assert agent.response() == OK

    with relay.connect(PORT) as agent:
        agent.send(hello())
        agent.until(b"\x16\x03\x03")  # our answer has begun

    relay.server.stop()
    assert relay.server.untrusted == ({} if trusts else {HOST: 1})
