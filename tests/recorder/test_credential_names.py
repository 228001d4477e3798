from __future__ import annotations

import pytest

from traceproof.recorder.credential_names import (
    is_credential_header,
    is_credential_query,
    is_sure,
    is_telling,
    is_telling_cookie,
)


@pytest.mark.parametrize(
    "name",
    [
        "ANTHROPIC_API_KEY", "OPENAI_API_KEY", "CLAUDE_CODE_OAUTH_TOKEN", "GITHUB_TOKEN",
        "AWS_SECRET_ACCESS_KEY", "DB_PASSWORD", "MYSQL_PWD", "PGPASSWORD", "SECRET_KEY_BASE",
        "GOOGLE_APPLICATION_CREDENTIALS", "GPG_PASSPHRASE", "SESSION_COOKIE", "BASIC_AUTH",
        "accessToken", "refresh-token", "APIKey", "npm_config__auth",
    ],
)  # fmt: skip
def test_names_of_credentials(name: str) -> None:
    assert is_telling(name)


@pytest.mark.parametrize(
    "name",
    [
        "PWD", "OLDPWD", "SSH_AUTH_SOCK", "GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "KEYBOARD",
        "PASSWORD_FILE", "TOKEN_PATH", "SECRETS_DIR", "AUTH_URL", "AWS_ACCESS_KEY_ID", "GPG_KEY",
        "MAX_TOKENS", "GEMINI_AUTH_TYPE", "XAUTHORITY", "HOME", "MONKEY", "COMPASS", "", "_",
        "AUTHOR", "TOKENIZERS_PARALLELISM",
    ],
)  # fmt: skip
def test_names_of_other_things(name: str) -> None:
    assert not is_telling(name)


@pytest.mark.parametrize(
    "name",
    [
        "prompt_cache_key", "idempotency-key", "nextPageToken", "publicKey", "primary_key",
        "cost_per_token", "progressToken", "token_budget", "x-token-expiration", "k" * 200 + "_key",
    ],
)  # fmt: skip
def test_keys_and_tokens_that_are_none_of_ours(name: str) -> None:
    assert not is_telling(name)


@pytest.mark.parametrize(
    "name",
    ["api_key", "OPENAI_API_KEY", "openai-api-key", "accessToken", "client_secret", "password"],
)
def test_names_that_leave_no_doubt(name: str) -> None:
    assert is_sure(name)


@pytest.mark.parametrize("name", ["key", "token", "secret", "auth", "private", "", "k" * 200])
def test_names_that_leave_some(name: str) -> None:
    assert not is_sure(name)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Authorization", "anything"),
        ("Helicone-Auth", "Bearer x"),
        ("x-portkey-api-key", "x"),
        ("x-litellm-api-key", "x"),
        ("cf-aig-authorization", "Bearer x"),
        ("CF-Access-Client-Secret", "x"),
        ("cf-access-jwt-assertion", "x"),
        ("X-Session-Token", "x"),
        ("x-anything", "Bearer made-up-key"),
        ("x-anything", "basic YWRhOnB3"),
        ("x-anything", "Token made-up-key"),
    ],
)
def test_headers_that_are_credentials(name: str, value: str) -> None:
    assert is_credential_header(name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("anthropic-ratelimit-tokens-remaining", "1000"),
        ("anthropic-ratelimit-key-requests", "1000"),
        ("x-ratelimit-limit-tokens", "1000"),
        ("max-tokens", "1000"),
        ("x-stainless-runtime", "node"),
        ("Idempotency-Key", "stainless-node-retry-1"),
        ("WWW-Authenticate", "Basic realm=everybody"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("access-control-allow-credentials", "true"),
        ("CF-Access-Client-Id", "x"),
        ("x-anything", "Token bucket is full"),
        ("accept", "*/*"),
    ],
)
def test_headers_that_merely_look_like_it(name: str, value: str) -> None:
    assert not is_credential_header(name, value)


def test_queries() -> None:
    assert is_credential_query("KEY", "x")
    assert is_credential_query("subscription-key", "x1")
    assert not is_credential_query("private", "true")
    assert not is_credential_query("alt", "sse")


def test_cookies_that_stand_for_a_login() -> None:
    assert all(map(is_telling_cookie, ["sessionKey", "connect.sid", "JSESSIONID", "auth_token"]))
    assert not any(map(is_telling_cookie, ["theme", "region", "sidebar_open", ""]))
