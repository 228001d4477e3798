from __future__ import annotations

import pytest

from traceproof.proxy.hosts import (
    MODEL_HOSTS,
    Hosts,
    is_address,
    is_loopback,
    matches_no_proxy,
    parse_host,
    plain,
    select,
)


@pytest.mark.parametrize(
    "host",
    [
        "api.anthropic.com",
        "API.OpenAI.com.",
        "eu.api.openai.com",
        "chatgpt.com",
        "us-central1-aiplatform.googleapis.com",
        "bedrock-runtime.us-east-1.amazonaws.com",
        "mine.openai.azure.com",
    ],
)
def test_model_hosts_are_decrypted(host: str) -> None:
    assert Hosts().decrypts(host)


@pytest.mark.parametrize(
    "host",
    [
        "github.com",
        "anthropic.com",
        "api.anthropic.com.evil.example",
        "xapi.anthropic.com",
        "s3.us-east-1.amazonaws.com",
        "openai.azure.com",
        "ab.chatgpt.com",
        "storage.googleapis.com",
        "127.0.0.1",
        "",
    ],
)
def test_other_hosts_are_not(host: str) -> None:
    assert not Hosts().decrypts(host)


def test_the_user_may_name_hosts() -> None:
    hosts = select(
        ["LLM.corp.example", "*.gateway.example", "10.0.0.5", "[::1]"], ["routed.example"]
    )

    for host in ("llm.corp.example", "a.b.gateway.example", "10.0.0.5", "::1", "routed.example"):
        assert hosts.decrypts(host)
    assert not hosts.decrypts("gateway.example")


@pytest.mark.parametrize(
    "text", ["https://llm.example", "llm.example:443", "", "*", "*.", "a b", "a/b", "a..b"]
)
def test_what_is_no_host_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="--host takes a host name such as"):
        parse_host(text)


def test_the_known_hosts_are_hosts() -> None:
    assert [parse_host(host) for host in MODEL_HOSTS] == list(MODEL_HOSTS)


@pytest.mark.parametrize(
    ("entry", "bypasses"),
    [
        ("*", True),
        ("api.anthropic.com", True),
        ("api.anthropic.com:443", True),
        (".anthropic.com", True),
        ("*.anthropic.com", True),
        ("ANTHROPIC.com", True),
        ("com", True),
        ("azure.com", True),
        ("mine.openai.azure.com", True),
        ("a.b.openai.azure.com", True),
        ("us-east-1.amazonaws.com", True),
        ("europe-west1-aiplatform.googleapis.com", True),
        ("10.0.0.0/8", True),
        ("v1.api.anthropic.com", False),
        ("storage.googleapis.com", False),
        ("s3.us-east-1.amazonaws.com", False),
        ("corp.example", False),
        ("192.168.0.0/16", False),
        ("localhost", False),
        ("127.0.0.1", False),
        ("", False),
    ],
)
def test_which_no_proxy_entries_lead_past_us(entry: str, bypasses: bool) -> None:
    assert select(["10.0.0.5"]).bypassed_by(entry) is bypasses


@pytest.mark.parametrize(
    ("entry", "host", "matches"),
    [
        ("*", "a.example", True),
        ("a.example", "a.example", True),
        ("a.example", "b.a.example", True),
        (".a.example", "b.a.example", True),
        ("*.a.example", "b.a.example", True),
        ("a.example:443", "a.example", True),
        ("a.example:80", "a.example", False),
        ("a.example", "ba.example", False),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.1", "10.0.0.1", True),
        ("10.0.0.1:443", "10.0.0.1", True),
        ("::1", "[::1]", True),
        ("[::1]:443", "::1", True),
        ("fd00::/8", "fd12::1", True),
        ("a.example", "10.0.0.1", False),
        ("10.0.0.0/8", "a.example", False),
    ],
)
def test_no_proxy_entries(entry: str, host: str, matches: bool) -> None:
    assert matches_no_proxy(entry, host, 443) is matches


def test_names_and_addresses() -> None:
    assert plain(" [::1] ") == "::1"
    assert is_address("[::1]")
    assert not is_address("localhost")
    assert [is_loopback(host) for host in ("127.0.0.2", "::1", "localhost", "a.localhost")] == [
        True
    ] * 4
    assert [is_loopback(host) for host in ("10.0.0.1", "localhost.example")] == [False, False]
