from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from traceproof.recorder.secrets import (
    Secret,
    from_credentials_json,
    from_dotenv,
    from_environment,
    from_git_config,
    from_headers,
    from_json_fields,
    from_query,
    from_yaml,
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


def test_queries() -> None:
    path = "/v1beta/models/x:stream?alt=sse&key=AIza-fake-key-1&access_token=a%2Bb%2Bc%2Bd1"

    assert values(from_query(path)) == ["AIza-fake-key-1", "a%2Bb%2Bc%2Bd1", "a+b+c+d1"]
    assert from_query("/v1/messages?beta=true") == []


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
    "body",
    [
        b"", b"{}", b'{"access_token": 1}', b'{"access_token": "cut', b"\xff access_token",
        b'{"tools": [{"api_key": {"type": "string"}}]}', b"[" * 100_000 + b'"access_token"',
    ],
)  # fmt: skip
def test_bodies_without_tokens(body: bytes) -> None:
    assert from_json_fields(body) == []


def test_a_dotenv_file() -> None:
    text = """
# a comment
export OPENAI_API_KEY="quoted-key-1"
DB_PASSWORD='single quoted'
  PLAIN_TOKEN = plain-token-1   # why
DEBUG=true
DATABASE_URL=postgres://u:pa55word@h/d
"""

    assert values(from_dotenv(text)) == [
        "quoted-key-1", "single quoted", "plain-token-1", "pa55word",
    ]  # fmt: skip


def test_the_files_in_which_agents_keep_their_tokens() -> None:
    claude = {
        "claudeAiOauth": {
            "accessToken": "access-1234",
            "refreshToken": "refresh-1234",
            "expiresAt": 1700000000000,
            "scopes": ["user:inference"],
        }
    }
    codex = {"OPENAI_API_KEY": None, "tokens": {"id_token": "id-token-9", "account_id": "acc-0001"}}
    opencode = {"anthropic": {"type": "oauth", "refresh": "refresh-77", "access": "access-77"}}

    found = [set(values(from_credentials_json(json.dumps(f)))) for f in (claude, codex, opencode)]

    assert found == [{"access-1234", "refresh-1234"}, {"id-token-9"}, {"refresh-77", "access-77"}]
    assert from_credentials_json("not json") == []


def test_a_settings_file_gives_its_keys_and_the_lists_below_them() -> None:
    text = """
openai-api-key: sk-abcdefghijklmnop   # a comment
api-key:
  - gemini=made-up-gemini-key
set-env:
  - EDITOR_THEME=solarized-dark
  - MY_TOKEN=made-up-token-1
model: gpt-4o-and-a-long-name
"""

    found = {(secret.name, secret.value) for secret in from_yaml(text)}

    assert found == {
        ("openai-api-key", "sk-abcdefghijklmnop"),
        ("api-key", "made-up-gemini-key"),
        ("MY_TOKEN", "made-up-token-1"),
    }


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
