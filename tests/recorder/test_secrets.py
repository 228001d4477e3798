from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from traceproof.recorder.secrets import (
    MOST,
    Secret,
    from_environment,
    from_git_config,
    from_headers,
    from_json_fields,
    from_query,
)

KEY = "sk-ant-api03-Zx9_qW3e-fake0123"


def values(secrets: list[Secret]) -> list[str]:
    return [secret.value for secret in secrets]


def test_the_environment_by_name() -> None:
    environment = {
        "ANTHROPIC_API_KEY": KEY,
        "DB_PASSWORD": "hunter2hunter2",
        "HOME": "/home/somebody",
        "PWD": "/home/somebody/project",
        "SSH_AUTH_SOCK": "/tmp/agent.1234",
        "GIT_AUTHOR_NAME": "Some Body Else",
        "API_TOKEN": "short",
        "CI_TOKEN": "true",
    }

    assert from_environment(environment) == [
        Secret("ANTHROPIC_API_KEY", KEY),
        Secret("DB_PASSWORD", "hunter2hunter2"),
    ]


def test_the_environment_by_shape_under_any_name() -> None:
    assert values(from_environment({"EDITOR_EXTRA": KEY})) == [KEY]


def test_a_credential_variable_that_names_a_file_is_no_secret(tmp_path: Path) -> None:
    file = tmp_path / "credentials.json"
    file.touch()

    assert from_environment({"GOOGLE_APPLICATION_CREDENTIALS": str(file)}) == []
    assert values(from_environment({"DB_PASSWORD": "/not/a/path"})) == ["/not/a/path"]
    assert values(from_environment({"DB_PASSWORD": "/" + "a1b2" * 2000})) == ["/" + "a1b2" * 2000]


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("postgres://user:pa55word@host/db", ["pa55word"]),
        ("https://user:p%40ss%2Fword@host", ["p%40ss%2Fword", "p@ss/word"]),
        ("https://user:pass@word1@host/", ["pass@word1"]),
        (f"https://ghp_{'a1B2' * 9}@github.com/o/r", [f"ghp_{'a1B2' * 9}"]),
        ("https://0123456789abcdef0123456789abcdef@o1.ingest.example/2", ["0123456789abcdef" * 2]),
        ("first=redis://:s3cretpw@r;second=https://a:another1@b", ["s3cretpw", "another1"]),
        ("ssh://git@github.com/o/r", []),
        ("https://host/a@b", []),
        ("git@github.com:o/r.git", []),
    ],
)
def test_urls_in_any_variable(url: str, found: list[str]) -> None:
    assert values(from_environment({"ANY_URL": url})) == found


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("ANTHROPIC_CUSTOM_HEADERS", "X-Team: red\nHelicone-Auth: Bearer hc-Zq81mN", ["hc-Zq81mN"]),
        ("ANTHROPIC_CUSTOM_HEADERS", "x-api-key: made-up-key-1", ["made-up-key-1"]),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a=b,api-key=made-up-1,x=y", ["made-up-1"]),
        ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "Authorization=Bearer%20made-up-1", [
            "Bearer%20made-up-1", "made-up-1",
        ]),
        ("OPENAI_EXTRA_HEADERS", '{"X-Api-Token": "Zq81mNvTt0", "X-Team": "red"}', ["Zq81mNvTt0"]),
        ("OTEL_RESOURCE_ATTRIBUTES", "service.name=checkout,db.password=made%2Fup", [
            "made%2Fup",
        ]),
        ("AIDER_API_KEY", "openrouter=made-up-key", ["openrouter=made-up-key", "made-up-key"]),
        ("AUTH_HEADER", "Bearer made-up-key", ["made-up-key"]),
    ],
)  # fmt: skip
def test_headers_and_attributes_in_the_environment(name: str, value: str, found: list[str]) -> None:
    assert values(from_environment({name: value})) == found


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ANTHROPIC_CUSTOM_HEADERS", "X-Team: platform-engineering\nanthropic-beta: tools-2024-05"),
        ("OTEL_RESOURCE_ATTRIBUTES", "service.name=checkout-service,deployment=production-eu-1"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "not a header at all"),
        ("MAX_OUTPUT_TOKENS", "100000000000"),
        ("SERVICE_TOKEN", "${OTHER_TOKEN_NAME}"),
        ("SERVICE_TOKEN", "<your-token-here>"),
        ("OPENAI_API_BASE", "https://gateway.example/v1"),
        ("OPENAI_MODEL", "gpt-4o-2024-08-06"),
    ],
)
def test_ordinary_variables_are_no_secrets(name: str, value: str) -> None:
    assert from_environment({name: value}) == []


def test_a_value_is_found_once() -> None:
    assert from_environment({"A_TOKEN": KEY, "B_TOKEN": KEY}) == [Secret("A_TOKEN", KEY)]


def test_printing_a_secret_shows_its_name_alone() -> None:
    assert repr(from_environment({"A_TOKEN": KEY})) == "[Secret('A_TOKEN')]"
    assert KEY not in f"{Secret('A', KEY)} {Secret('A', KEY)!r}"


def test_headers() -> None:
    basic = base64.b64encode(b"user:pa55word").decode()
    headers = [
        ("Authorization", f"Bearer {KEY}"),
        ("Proxy-Authorization", f"Basic {basic}"),
        ("x-api-key", "key-number-one"),
        ("X-Goog-Api-Key", "key-number-two"),
        ("Cookie", "session=abcdef0123; theme=dark; token=%C3%A9clair-9"),
        ("Set-Cookie", "sid=fresh-cookie-1; Path=/; HttpOnly"),
        ("Content-Type", "application/json"),
        ("x-custom", KEY + "-other"),
    ]

    assert values(from_headers(headers)) == [
        KEY, basic, "pa55word", "key-number-one", "key-number-two", "abcdef0123",
        "%C3%A9clair-9", "\u00e9clair-9", "fresh-cookie-1", KEY + "-other",
    ]  # fmt: skip


def test_authorization_without_a_scheme_and_broken_basic() -> None:
    headers = [("authorization", "just-the-key"), ("authorization", "Basic not*base64*")]

    assert values(from_headers(headers)) == ["just-the-key", "not*base64*"]


def test_credentials_in_headers_of_any_name() -> None:
    headers = [
        ("Helicone-Auth", "Bearer hc-Zq81mNvTt0aaKj"),
        ("x-portkey-api-key", "PkQz81mNvTt0aaKj+="),
        ("CF-Access-Client-Secret", "CaQz81mNvTt0aaKj"),
        ("x-session-token", "StQz81mNvTt0aaKj"),
        ("x-upstream", "bearer up-Zq81mNvTt0"),
        ("x-upstream-login", "Basic " + base64.b64encode(b"ada:pa55word").decode()),
    ]

    assert values(from_headers(headers)) == [
        "hc-Zq81mNvTt0aaKj", "PkQz81mNvTt0aaKj+=", "CaQz81mNvTt0aaKj", "StQz81mNvTt0aaKj",
        "up-Zq81mNvTt0", "YWRhOnBhNTV3b3Jk", "pa55word",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("anthropic-ratelimit-input-tokens-reset", "2026-11-20T12:00:00Z"),
        ("x-ratelimit-remaining-tokens", "149984123456789"),
        ("github-authentication-token-expiration", "2027-01-01 00:00:00 UTC"),
        ("x-auth-scope", "user:inference read:models"),
        ("x-private", "true-or-false"),
        ("x-token-type", "Bearer"),
        ("idempotency-key", "stainless-node-retry-0a1b2c3d4e5f6a7b"),
        ("x-stainless-retry-key", "0a1b2c3d4e5f6a7b"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("www-authenticate", 'Bearer resource_metadata="https://mcp.example"'),
        ("access-control-allow-credentials", "true"),
        ("user-agent", "claude-cli/2.1.197 (external, cli)"),
        ("x-model", "claude-3-5-sonnet-20241022"),
        ("set-cookie", "kind=function; Path=/"),
        ("set-cookie", "region=us-east-1; Path=/"),
        ("set-cookie", "lastModel=claude-3-5-sonnet-20241022"),
        ("set-cookie", "consent=2026-11-20T12:00:00Z"),
        ("cookie", "auth=disabled-for-all; theme=solarized-dark; page=/docs/getting-started"),
    ],
)
def test_ordinary_headers_and_cookies_are_no_secrets(name: str, value: str) -> None:
    assert from_headers([(name, value)]) == []


def test_a_cookie_that_looks_like_a_token_is_one_whatever_it_is_called() -> None:
    header = [("Cookie", "a=Zq81mNvTt0aaKj; b=b")]

    assert values(from_headers(header)) == ["Zq81mNvTt0aaKj"]


def test_queries() -> None:
    path = "/v1beta/models/x:stream?alt=sse&key=AIza-fake-key-1&access_token=a%2Bb%2Bc%2Bd1"

    assert values(from_query(path)) == ["AIza-fake-key-1", "a%2Bb%2Bc%2Bd1", "a+b+c+d1"]
    assert from_query("/v1/messages?beta=true") == []


@pytest.mark.parametrize("name", ["subscription-key", "access_key", "X-Session-Token", "api%5Fkey"])
def test_query_keys_that_are_called_like_a_credential(name: str) -> None:
    assert values(from_query(f"/v1/files?a=b&{name}=Zq81mNvTt0aa")) == ["Zq81mNvTt0aa"]


@pytest.mark.parametrize(
    "query",
    [
        "max_tokens=123456789012", "pageToken=Zq81mNvTt0aaKj55", "private=true-and-more",
        "sort_key=created_at_2024", "key=feature-flags", "model=claude-3-5-sonnet-20241022",
        "token_type=bearer-token", "cache_key=Zq81mNvTt0aaKj55", "auth=",
    ],
)  # fmt: skip
def test_ordinary_queries_are_no_secrets(query: str) -> None:
    assert from_query(f"/v1/files?{query}") == []


def test_a_token_response() -> None:
    body = {
        "token_type": "Bearer",
        "access_token": "access-token-1",
        "refresh_token": "refresh-token-1",
        "account": {"id_token": "id-token-001", "email": "a@b.example"},
    }

    assert set(values(from_json_fields(json.dumps(body).encode()))) == {
        "access-token-1", "refresh-token-1", "id-token-001",
    }  # fmt: skip


def test_a_token_request_as_a_form() -> None:
    body = b"grant_type=refresh_token&refresh_token=refresh%2Ftoken&client_id=public-client"

    assert values(from_json_fields(body)) == ["refresh%2Ftoken", "refresh/token"]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b'{"client_secret":{"value":"ek-Zq81mNvTt0aaKj","x":1}}', "ek-Zq81mNvTt0aaKj"),
        (b'{"key":"sk-or-v1-0123456789abcdef01234567"}', "sk-or-v1-0123456789abcdef01234567"),
        (b'{"token":"tid-Zq81mNvTt0aaKj55","expires_at":1}', "tid-Zq81mNvTt0aaKj55"),
        (b'{"grant_type":"authorization_code","code":"made-up-code-1"}', "made-up-code-1"),
        (b"code=made-up-code-1&grant_type=authorization_code", "made-up-code-1"),
        (b'{"access_token":"at-Zq81mNvTt0aaKj55","refresh_tok', "at-Zq81mNvTt0aaKj55"),
        (b'{"access_token":"at-Zq81mNvTt0', "at-Zq81mNvTt0"),
        (b'{"access_token":"at\\/Zq81\\u006dNvTt0","refresh_tok', "at/Zq81mNvTt0"),
        (b'{"a":1}\n{"api_key":"made-up-key-1"}\n', "made-up-key-1"),
        (b'data: {"session_token":"made-up-token-1"}\n\n', "made-up-token-1"),
        (b'[{"name":"SERVICE_TOKEN","value":"Zq81mNvTt0aaKj55"}]', "Zq81mNvTt0aaKj55"),
        (b'{"tokens":{"access_token":["at-one-of-one"]}}', "at-one-of-one"),
        (b'{"anything":"ghp_' + b"a1B2" * 9 + b'"}', "ghp_" + "a1B2" * 9),
    ],
)  # fmt: skip
def test_tokens_in_bodies_of_any_kind(body: bytes, found: str) -> None:
    assert values(from_json_fields(body)) == [found]


@pytest.mark.parametrize(
    "body",
    [
        {"max_tokens": 123456789012, "max_tokens_text": "123456789012"},
        {"key": "gen_ai.request.model", "value": {"stringValue": "claude-3-5-sonnet-20241022"}},
        {"key": "claude-3-5-sonnet-20241022"},
        {"key": "0b6f1f5e-7a56-4c3e-9c39-2f1f0c7f8f11"},
        {"key": "assets/main.4f3a9c1b2d5e7f.js"},
        {"token": " function", "logprob": -0.1},
        {"token": "test_parser_2", "bytes": [1]},
        {"token_type": "bearer-token-0a1b2c3d4e"},
        {"prompt_cache_key": "0b6f1f5e7a564c3e9c39"},
        {"nextPageToken": "Zq81mNvTt0aaKj55"},
        {"code": "invalid_request_error_0a1b2c3d"},
        {"password": {"type": "string", "description": "0a1b2c3d4e5f6a7b"}},
        {"api_key": "the key that you were given"},
        {"secrets": True, "auth": None, "url": "https://example.org/a1b2c3d4e5f6a7b8"},
        {"private": "/home/ada/project-2024/main.py"},
        {"additional_metadata": "eyJzdWJzY3JpcHRpb25UeXBlIjpudWxsLCJlbnRyeXBvaW50IjoiY2xpIn0"},
        {"id": "msg_01XFDUDYJgAACzvnptvVoYEL", "role": "assistant"},
    ],
)
def test_ordinary_fields_are_no_secrets(body: dict[str, object]) -> None:
    whole = json.dumps(body).encode()

    assert from_json_fields(whole) == []
    assert from_json_fields(whole[:-1]) == []


def test_a_listing_of_very_many_keys_does_not_fill_the_memory() -> None:
    body = json.dumps([{"key": f"Zq81mNvTt0aaKj{number}"} for number in range(1000)])

    assert len(from_json_fields(body.encode())) == MOST


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{}", b'{"access_token": 1}', b'{"access_token": "cut', b"\xff access_token",
        b'{"tools": [{"api_key": {"type": "string"}}]}', b"[" * 100_000 + b'"access_token"',
    ],
)  # fmt: skip
def test_bodies_without_tokens(body: bytes) -> None:
    assert from_json_fields(body) == []


def test_git_shows_the_passwords_of_its_urls_and_the_headers_it_sends() -> None:
    basic = base64.b64encode(b"x-access-token:made-up-token-3").decode()
    settings = [
        ("core.bare", "false"),
        ("remote.origin.url", "https://ada:made-up-token-1@example.org/ada/x.git"),
        ("url.https://made-up-token-number-2@example.org/.insteadof", "git@example.org:"),
        ("http.https://example.org/.extraheader", f"AUTHORIZATION: basic {basic}"),
        ("remote.other.url", "git@example.org:ada/x.git"),
    ]

    found = values(from_git_config(settings))

    assert found == ["made-up-token-1", "made-up-token-number-2", basic, "made-up-token-3"]
