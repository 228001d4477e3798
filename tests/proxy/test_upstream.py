from __future__ import annotations

import base64

import pytest

from traceproof.proxy.upstream import UpstreamProxy, no_proxy_entries, proxies_from


def test_an_environment_without_proxies_has_none() -> None:
    proxies = proxies_from({"PATH": "/bin", "HTTPS_PROXY": " "})

    assert proxies.choose("https", "a.example", 443) is None


def test_each_scheme_has_its_proxy() -> None:
    proxies = proxies_from({"HTTPS_PROXY": "http://s:1", "http_proxy": "https://p"})

    assert proxies.choose("https", "a.example", 443) == UpstreamProxy("http", "s", 1)
    assert proxies.choose("http", "a.example", 80) == UpstreamProxy("https", "p", 443)


def test_lower_case_wins_and_all_proxy_comes_last() -> None:
    proxies = proxies_from(
        {"https_proxy": "lower:1", "HTTPS_PROXY": "upper:2", "ALL_PROXY": "all:3"}
    )

    assert proxies.https == UpstreamProxy("http", "lower", 1)
    assert proxies.http == UpstreamProxy("http", "all", 3)


def test_credentials_are_kept_out_of_sight() -> None:
    proxy = proxies_from({"HTTPS_PROXY": "http://us%40er:p%3Ass@proxy.example:3128"}).https

    assert proxy is not None
    assert base64.b64decode(proxy.authorization.removeprefix("Basic ")) == b"us@er:p:ss"
    assert "p:ss" not in repr(proxy)
    assert proxy.authorization not in repr(proxy)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("socks5://user:hunter2@p:1", "only http:// and https:// proxies are supported"),
        ("http://user:hunter2@p:port", "the proxy's port is not a number"),
        ("http://user:hunter2@:1", "the proxy has no host"),
        ("http://user:hunter2@[p:1", "Invalid IPv6 URL"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_refused_without_its_password(value: str, says: str) -> None:
    with pytest.raises(ValueError, match=r"^all_proxy: ") as caught:
        proxies_from({"all_proxy": value})

    assert says in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_socks_proxy_that_is_not_used_is_no_matter() -> None:
    environ = {"HTTPS_PROXY": "http://p", "HTTP_PROXY": "http://p", "ALL_PROXY": "socks5://p"}

    assert proxies_from(environ).https == UpstreamProxy("http", "p", 80)


def test_an_all_proxy_that_cannot_be_used_leaves_all_to_https_proxy() -> None:
    proxies = proxies_from({"HTTPS_PROXY": "http://p", "all_proxy": "socks5://user:hunter2@q:1"})

    assert proxies.https == proxies.http == UpstreamProxy("http", "p", 80)
    (note,) = proxies.notes
    assert note.startswith("all_proxy: only http:// and https:// proxies are supported")
    assert "hunter2" not in note


def test_an_all_proxy_that_is_all_there_is_for_model_calls_must_be_usable() -> None:
    with pytest.raises(ValueError, match=r"^ALL_PROXY: "):
        proxies_from({"HTTP_PROXY": "http://p", "ALL_PROXY": "socks5://q"})


def test_no_proxy_and_this_machine_are_dialled() -> None:
    proxies = proxies_from({"HTTPS_PROXY": "http://p", "NO_PROXY": "a.example, b.example:8443"})

    assert proxies.choose("https", "x.a.example", 443) is None
    assert proxies.choose("https", "b.example", 8443) is None
    assert proxies.choose("https", "b.example", 443) is not None
    assert proxies.choose("https", "127.0.0.1", 443) is None
    assert proxies.choose("https", "localhost", 443) is None


def test_no_proxy_may_be_separated_by_blanks() -> None:
    assert no_proxy_entries({"NO_PROXY": "a,b  c,,d"}) == ("a", "b", "c", "d")
    assert no_proxy_entries({"no_proxy": "a", "NO_PROXY": "b"}) == ("a",)
    assert no_proxy_entries({}) == ()
