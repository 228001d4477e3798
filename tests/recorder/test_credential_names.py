from __future__ import annotations

import pytest

from traceproof.recorder.credential_names import has_key_shape, is_telling


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


def test_a_whole_value_may_look_like_a_key() -> None:
    assert has_key_shape("ghp_" + "a1B2" * 9)
    assert not has_key_shape("see ghp_" + "a1B2" * 9)
    assert not has_key_shape("ghp_" + "a1B2" * 9000)
    assert not has_key_shape("")
