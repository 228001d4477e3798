from __future__ import annotations

from pathlib import Path

from traceproof.sandbox.environments import network


def test_the_bundle_that_a_variable_names_is_taken(tmp_path: Path) -> None:
    bundle = tmp_path / "own.pem"
    bundle.write_bytes(b"-----BEGIN CERTIFICATE-----\n")

    assert network.authorities({"PIP_CERT": str(bundle)}) == bundle.read_bytes()
    assert network.trusting("/x.pem")["SSL_CERT_FILE"] == "/x.pem"


def test_proxies_are_handed_on_in_both_spellings() -> None:
    found = network.proxies({"https_proxy": "http://proxy.test:3128", "NO_PROXY": "localhost"})

    assert found == {
        "HTTPS_PROXY": "http://proxy.test:3128",
        "https_proxy": "http://proxy.test:3128",
        "NO_PROXY": "localhost",
        "no_proxy": "localhost",
    }
    assert not network.on_this_machine({"HTTPS_PROXY": "http://proxy.test:3128"})


def test_a_proxy_of_this_machine_is_known_as_one() -> None:
    for address in ("http://127.0.0.1:8080", "localhost:3128", "http://me:pw@localhost:1"):
        assert network.on_this_machine({"HTTPS_PROXY": address})
    assert not network.on_this_machine({"NO_PROXY": "localhost"})
