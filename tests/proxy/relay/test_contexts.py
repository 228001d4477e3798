from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from traceproof.proxy.authority import Authority
from traceproof.proxy.relay import contexts
from traceproof.proxy.relay.contexts import Contexts, verifying
from traceproof.proxy.relay.tlswire import TlsSession
from traceproof.proxy.trust import TrustFiles


def handshake(client: TlsSession, server: TlsSession) -> None:
    client.start()
    while not (client.established and server.established):
        server.receive(client.outgoing())
        client.receive(server.outgoing())


def test_each_set_of_names_has_one_certificate(authority: Authority, trust: TrustFiles) -> None:
    known = Contexts(authority, trust.roots)

    one = known.serving(("a.example", "a.example", ""))

    assert known.serving(("a.example",)) is one
    assert known.serving(("b.example",)) is not one


def test_names_that_clients_make_up_are_not_kept_for_ever(
    authority: Authority, trust: TrustFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contexts, "KEPT", 2)
    known = Contexts(authority, trust.roots)

    first, second, _ = (known.serving((f"{name}.example",)) for name in "abc")

    assert known.serving(("b.example",)) is second
    assert known.serving(("a.example",)) is not first


def test_a_client_that_trusts_our_ca_trusts_the_certificate(
    authority: Authority, trust: TrustFiles
) -> None:
    serving = Contexts(authority, trust.roots).serving(("a.example", "192.0.2.7"))
    trusting = ssl.create_default_context(cadata=authority.pem.decode())
    trusting.set_alpn_protocols(["h2", "http/1.1"])

    for name in ("a.example", "192.0.2.7"):
        client = TlsSession(trusting, name=name)
        handshake(client, TlsSession(serving, server_side=True))
        assert client.established


def test_no_key_is_left_anywhere(
    authority: Authority, trust: TrustFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))

    Contexts(authority, trust.roots).serving(("a.example",))

    assert list(tmp_path.iterdir()) == []
    opened = [entry.readlink() for entry in Path("/proc/self/fd").glob("*") if entry.is_symlink()]
    assert not [path for path in opened if "traceproof-leaf" in str(path)]


def test_servers_are_verified_by_name_and_no_secrets_are_logged(trust: TrustFiles) -> None:
    context = verifying(trust.roots)

    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.keylog_filename is None
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_a_bundle_without_certificates_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "roots.pem").write_text("nothing")

    with pytest.raises(ValueError, match="holds no certificates"):
        verifying(tmp_path / "roots.pem")
