from __future__ import annotations

from pathlib import Path

import pytest

from traceproof.proxy.environment import (
    child_environment,
    child_no_proxy,
    reverse_environment,
)
from traceproof.proxy.hosts import Hosts, select
from traceproof.proxy.trust import TrustFiles

PROXY = "http://127.0.0.1:4000"
TRUST = TrustFiles(Path("/s/roots.pem"), Path("/s/bundle.pem"), Path("/s/extra.pem"))


def changes(environ: dict[str, str]) -> dict[str, str]:
    return child_environment(environ, proxy=PROXY, trust=TRUST, hosts=Hosts())


def test_a_bare_environment_gets_a_proxy_and_bundles() -> None:
    assert changes({"PATH": "/bin"}) == {
        "HTTPS_PROXY": PROXY,
        "https_proxy": PROXY,
        "HTTP_PROXY": PROXY,
        "http_proxy": PROXY,
        "no_proxy": "localhost,127.0.0.1,::1",
        "NO_PROXY": "localhost,127.0.0.1,::1",
        "SSL_CERT_FILE": "/s/bundle.pem",
        "REQUESTS_CA_BUNDLE": "/s/bundle.pem",
        "CURL_CA_BUNDLE": "/s/bundle.pem",
        "CODEX_CA_CERTIFICATE": "/s/bundle.pem",
        "AWS_CA_BUNDLE": "/s/bundle.pem",
        "NODE_EXTRA_CA_CERTS": "/s/extra.pem",
    }


def test_all_proxy_and_gits_bundle_are_replaced_only_where_they_are_set() -> None:
    changed = changes({"all_proxy": "socks5://p", "GIT_SSL_CAINFO": "/corp.pem", "PIP_CERT": ""})

    assert changed["all_proxy"] == PROXY
    assert "ALL_PROXY" not in changed
    assert changed["GIT_SSL_CAINFO"] == "/s/bundle.pem"
    assert "PIP_CERT" not in changed


@pytest.mark.parametrize(
    ("environ", "value"),
    [
        ({"NO_PROXY": "corp.example,*"}, "corp.example,localhost,127.0.0.1,::1"),
        ({"NO_PROXY": "anthropic.com corp.example"}, "corp.example,localhost,127.0.0.1,::1"),
        ({"NO_PROXY": "a", "no_proxy": "b,a"}, "b,a,localhost,127.0.0.1,::1"),
        ({"NO_PROXY": "10.0.0.0/8,127.0.0.1"}, "10.0.0.0/8,127.0.0.1,localhost,::1"),
    ],
)
def test_no_proxy_keeps_what_does_not_lead_past_us(environ: dict[str, str], value: str) -> None:
    assert child_no_proxy(environ, Hosts()) == value


@pytest.mark.parametrize(
    ("environ", "value"),
    [
        ({"HTTP_PROXY": "http://p"}, "localhost,127.0.0.1,::1"),
        ({"all_proxy": "p", "NO_PROXY": "anthropic.com"}, "anthropic.com,localhost,127.0.0.1,::1"),
        ({"https_proxy": "p", "no_proxy": "*", "NO_PROXY": "a"}, "*"),
    ],
)
def test_in_reverse_our_base_urls_are_kept_away_from_a_proxy(
    environ: dict[str, str], value: str
) -> None:
    assert reverse_environment(environ) == {"NO_PROXY": value, "no_proxy": value}


def test_in_reverse_a_child_without_a_proxy_gets_nothing() -> None:
    assert reverse_environment({"NO_PROXY": "corp.example", "HTTPS_PROXY": ""}) == {}


def test_a_host_of_this_machine_that_is_to_be_read_goes_through_us() -> None:
    assert child_no_proxy({}, select(["localhost"])) == "127.0.0.1,::1"
