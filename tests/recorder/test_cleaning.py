from __future__ import annotations

import pytest

from traceproof.recorder.cleaning import clean_headers, clean_path, clean_url


def test_credential_headers_and_cookies_are_dropped_and_named() -> None:
    cleaned = clean_headers([
        ("Host", "api.example"),
        ("Authorization", "Bearer x"),
        ("X-Api-Key", "x"),
        ("Cookie", "a=b"),
        ("Referer", "https://u:p@host/?key=1&x=2"),
        ("anthropic-beta", "a"),
        ("anthropic-beta", "b"),
    ])  # fmt: skip

    assert cleaned.kept == [
        ("Host", "api.example"),
        ("Referer", "https://host/?key=&x=2"),
        ("anthropic-beta", "a"),
        ("anthropic-beta", "b"),
    ]
    assert cleaned.dropped == ["Authorization", "X-Api-Key", "Cookie"]


@pytest.mark.parametrize(
    ("path", "clean"),
    [
        ("/v1/messages?beta=true", "/v1/messages?beta=true"),
        ("/v1/messages", "/v1/messages"),
        ("/m:stream?alt=sse&key=AIza", "/m:stream?alt=sse&key="),
        ("/m?KEY=AIza&alt", "/m?KEY=&alt"),
        ("/cb?code=abc&state=s#top", "/cb?code=&state=s#top"),
        ("/cb?state=s&code=abc#top", "/cb?state=s&code=#top"),
        ("/a?x=%2F+&&y=", "/a?x=%2F+&&y="),
        ("/f?subscription-key=x1&access%5Fkey=x2&a=1", "/f?subscription-key=&access%5Fkey=&a=1"),
        ("/f?private=true&pageToken=a1&max_tokens=5", "/f?private=true&pageToken=a1&max_tokens=5"),
    ],
)
def test_paths_lose_credentials_and_nothing_else(path: str, clean: str) -> None:
    assert clean_path(path) == clean


@pytest.mark.parametrize(
    ("url", "clean"),
    [
        ("https://user:pw@github.com/o/r.git", "https://github.com/o/r.git"),
        ("https://token@github.com/o/r.git", "https://github.com/o/r.git"),
        ("https://u:p@w@github.com/o/r", "https://github.com/o/r"),
        ("https://github.com/o/r@v1", "https://github.com/o/r@v1"),
        ("ssh://git@host:22/o/r", "ssh://host:22/o/r"),
        ("git@github.com:o/r.git", "git@github.com:o/r.git"),
        ("user:pw@github.com:o/r.git", "user@github.com:o/r.git"),
        ("https://host/r?access_token=x", "https://host/r?access_token="),
        ("/srv/git/r.git", "/srv/git/r.git"),
        ("", ""),
    ],
)
def test_urls(url: str, clean: str) -> None:
    assert clean_url(url) == clean


def test_headers_that_are_credentials_by_their_name_or_scheme_are_dropped_too() -> None:
    cleaned = clean_headers([
        ("Helicone-Auth", "Bearer x"),
        ("x-portkey-api-key", "x"),
        ("x-anything", "Bearer made-up-key"),
        ("anthropic-ratelimit-tokens-remaining", "1"),
        ("idempotency-key", "k"),
    ])  # fmt: skip

    assert cleaned.dropped == ["Helicone-Auth", "x-portkey-api-key", "x-anything"]
    assert [name for name, _ in cleaned.kept] == [
        "anthropic-ratelimit-tokens-remaining", "idempotency-key",
    ]  # fmt: skip
