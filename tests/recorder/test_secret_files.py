from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from traceproof.recorder.secret_files import (
    from_credentials_json,
    from_dotenv,
    from_dotenv_example,
    from_netrc,
    from_npmrc,
    from_private_key,
    from_settings,
    from_yaml,
    is_private_key,
    reader_for,
)
from traceproof.recorder.secrets import Secret

LINES = ["MIIEpAIBAAKCAQEA" + "q8Zt" * 12, "x7Kd" * 16, "Lm3Pq9Rs0Tu1Vw=="]
PEM = "\n".join(["-----BEGIN RSA PRIVATE KEY-----", *LINES, "-----END RSA PRIVATE KEY-----", ""])
CERTIFICATE = PEM.replace("RSA PRIVATE KEY", "CERTIFICATE")


def values(secrets: list[Secret]) -> list[str]:
    return [secret.value for secret in secrets]


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


def test_the_example_of_a_dotenv_file_has_examples_in_it_and_now_and_then_a_key() -> None:
    text = "API_KEY=your-api-key-here\nJWT_SECRET=change-me-please\nDB_PASSWORD=Zq81mNvTt0aaKj\n"

    assert values(from_dotenv_example(text)) == ["Zq81mNvTt0aaKj"]


def test_an_npmrc() -> None:
    password = base64.b64encode(b"made-up-password").decode()
    both = base64.b64encode(b"ada:made-up-secret").decode()
    text = f"""
registry=https://registry.example/
; a comment
//registry.example/:_authToken=npm-made-up-1
//other.example/:_authToken=${{NPM_TOKEN}}
//other.example/:username=ada-lovelace
//other.example/:_password="{password}"
_auth={both}
save-exact=true
"""

    assert values(from_npmrc(text)) == [
        "npm-made-up-1", password, "made-up-password", both, "made-up-secret",
    ]  # fmt: skip


def test_a_netrc() -> None:
    text = "# machine x password not-this-one\nmachine example.org login ada-lovelace\n"
    text += '  password made-up-pw-1\nmachine b login c password "made-up-pw-2"\n'

    assert values(from_netrc(text)) == ["made-up-pw-1", "made-up-pw-2"]


def test_files_of_settings() -> None:
    pypirc = "[pypi]\nusername = __token__\npassword = pypi-made-up-1\n"
    aws = "[default]\naws_access_key_id = not-secret-1\naws_secret_access_key=made/up+key#1\n"
    pip = "[global]\nindex-url = https://ada:made-up-pw@index.example/simple\ntimeout = 60\n"
    git = "https://ada:made-up-token@example.org\n"

    assert values(from_settings(pypirc)) == ["pypi-made-up-1"]
    assert values(from_settings(aws)) == ["made/up+key#1"]
    assert values(from_settings(pip)) == ["made-up-pw"]
    assert values(from_settings(git)) == ["made-up-token"]


def test_the_json_of_other_programs() -> None:
    servers = {
        "command": "/usr/bin/server",
        "headers": {"Authorization": "Bearer made-up-key-1", "X-Team": "platform-engineering"},
        "env": {"DATABASE_URL": "postgres://ada:pa55word@db/x", "SERVICE_KEY": "made-up-key-2"},
    }
    account = {"private_key_id": "0a1b2c3d4e5f", "private_key": PEM, "client_email": "a@b.example"}

    text = json.dumps({"mcpServers": {"a": servers}})

    assert set(values(from_credentials_json(text))) == {
        "made-up-key-1",
        "pa55word",
        "made-up-key-2",
    }
    assert set(values(from_credentials_json(json.dumps(account)))) == {PEM, *LINES}


def test_a_part_of_a_json_file_as_a_patch_shows_it() -> None:
    text = '  "env": {\n    "SERVICE_TOKEN": "made-up-1",\n    "LOG_LEVEL": "information"\n'

    assert values(from_credentials_json(text)) == ["made-up-1"]


def test_a_path_in_a_json_file_is_no_secret(tmp_path: Path) -> None:
    assert from_credentials_json(json.dumps({"ssh_key": str(tmp_path)})) == []


def test_a_private_key_line_by_line_and_a_certificate_not() -> None:
    assert values(from_private_key(CERTIFICATE + PEM)) == LINES
    assert values(from_private_key(PEM.partition("-----END")[0])) == LINES
    assert from_private_key(CERTIFICATE) == []


@pytest.mark.parametrize(
    ("path", "reader"),
    [
        (".env", from_dotenv),
        ("apps/web/.env.local", from_dotenv),
        ("prod.env", from_dotenv),
        (".envrc", from_dotenv),
        (".env.example", from_dotenv_example),
        (".npmrc", from_npmrc),
        (".netrc", from_netrc),
        (".pypirc", from_settings),
        (".mcp.json", from_credentials_json),
        ("credentials", from_settings),
        ("gcp-credentials.json", from_credentials_json),
        ("config/secrets.yml", from_yaml),
        ("Credentials.toml", from_settings),
        ("id_ed25519", from_private_key),
        ("certs/server.key", from_private_key),
        ("credentials.py", None),
        ("test_credentials.ts", None),
        ("environment.py", None),
        ("package.json", None),
        ("keys.json", None),
        (".env/readme.md", None),
    ],
)
def test_files_that_are_made_to_hold_secrets(path: str, reader: object) -> None:
    assert reader_for(path) is reader


@pytest.mark.parametrize(
    ("path", "text", "is_key"),
    [
        ("id_rsa", PEM, True),
        ("certs/server.pem", CERTIFICATE + PEM, True),
        ("tls.key", PEM, True),
        ("anything", PEM, True),
        ("login.p12", "\0\1", True),
        ("id_rsa.pub", "ssh-rsa AAAA ada@example", False),
        ("certs/ca.pem", CERTIFICATE, False),
        ("translations.key", "hello = bonjour", False),
        ("docs/keys.md", f"A key begins like this:\n{PEM}", False),
    ],
)
def test_private_keys(path: str, text: str, is_key: bool) -> None:
    assert is_private_key(path, text.encode()) is is_key
