from __future__ import annotations

import ssl

import pytest

from traceproof.proxy.authority import Authority
from traceproof.proxy.relay.contexts import Contexts
from traceproof.proxy.relay.tlswire import TlsSession
from traceproof.proxy.trust import TrustFiles

NAME = "a.example"


@pytest.fixture
def pair(authority: Authority, trust: TrustFiles) -> tuple[TlsSession, TlsSession]:
    """A client and a server before their handshake."""
    serving = Contexts(authority, trust.roots).serving((NAME,))
    trusting = ssl.create_default_context(cadata=authority.pem.decode())
    return TlsSession(trusting, name=NAME), TlsSession(serving, server_side=True)


def shake(client: TlsSession, server: TlsSession, size: int = 1 << 20) -> None:
    client.start()
    while not (client.established and server.established):
        for one, other in ((client, server), (server, client)):
            data = one.outgoing()
            for at in range(0, len(data), size):
                other.receive(data[at : at + size])


@pytest.mark.parametrize("size", [1, 1000, 1 << 20])
def test_bytes_pass_in_any_pieces(pair: tuple[TlsSession, TlsSession], size: int) -> None:
    client, server = pair
    shake(client, server, size)
    said = bytes(range(256)) * 400

    sent = client.send(said)
    pieces = [server.receive(sent[at : at + size]) for at in range(0, len(sent), size)]

    assert b"".join(pieces) == said


def test_an_end_is_heard_after_what_was_said(pair: tuple[TlsSession, TlsSession]) -> None:
    client, server = pair
    shake(client, server)

    assert server.receive(client.send(b"bye") + client.close()) == b"bye"
    assert server.ended


def test_a_certificate_that_is_not_trusted_ends_the_handshake_on_both_sides(
    authority: Authority, trust: TrustFiles
) -> None:
    client = TlsSession(ssl.create_default_context(), name=NAME)
    server = TlsSession(Contexts(authority, trust.roots).serving((NAME,)), server_side=True)

    with pytest.raises(ssl.SSLCertVerificationError):
        shake(client, server)
    with pytest.raises(ssl.SSLError, match="alert unknown ca"):
        server.receive(client.outgoing())


def test_what_is_not_tls_is_an_error(pair: tuple[TlsSession, TlsSession]) -> None:
    with pytest.raises(ssl.SSLError):
        pair[1].receive(b"GET / HTTP/1.1\r\n\r\n")


def test_what_came_before_a_fault_is_given_out(pair: tuple[TlsSession, TlsSession]) -> None:
    client, server = pair
    shake(client, server)

    assert server.receive(client.send(b"good") + b"this is no record") == b"good"
    assert isinstance(server.error, ssl.SSLError)
