from __future__ import annotations

import base64
import secrets
import uuid

import pytest

from traceproof.recorder.credential_values import (
    has_key_shape,
    is_opaque,
    is_placeholder,
    is_wordy,
)


def test_a_whole_value_may_look_like_a_key() -> None:
    assert has_key_shape("ghp_" + "a1B2" * 9)
    assert has_key_shape("sk-or-v1-" + "a1b2" * 9)
    assert not has_key_shape("see ghp_" + "a1B2" * 9)
    assert not has_key_shape("ghp_" + "a1B2" * 9000)
    assert not has_key_shape("")


@pytest.mark.parametrize(
    "make",
    [
        lambda: secrets.token_hex(16),
        lambda: secrets.token_urlsafe(24),
        lambda: base64.b64encode(secrets.token_bytes(24)).decode(),
        lambda: f"ek-{secrets.token_hex(12)}",
    ],
)
def test_random_tokens_are_opaque(make: object) -> None:
    assert callable(make)
    made = [make() for _ in range(200)]

    assert sum(map(is_opaque, made)) >= 195
    assert not any(map(is_wordy, made))


@pytest.mark.parametrize(
    "value",
    [
        "us-east-1", "claude-3-5-sonnet-20241022", "gpt-4o-2024-08-06", "llama3.1-70b-instruct",
        "meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo", "text-embedding-3-large", "function", "true",
        "/home/ada/.ssh/id_ed25519", "src/recorder/test_parser_2.py", "application/json; v=2",
        "https://example.org/a1b2c3d4e5f6a7b8", "ada.lovelace1815@example.org", "123456789012345",
        "2026-11-20T12:00:00.123Z", "v1.2.3-beta.4", "a sentence with 1a2b3c4d5e6f", "getUserName",
        "gen_ai.request.model", "Mozilla/5.0", "", "abc123",
    ],
)  # fmt: skip
def test_ordinary_values_are_not_opaque(value: str) -> None:
    assert not is_opaque(value)


def test_a_uuid_may_be_a_token() -> None:
    assert is_opaque(str(uuid.UUID("0b6f1f5e-7a56-4c3e-9c39-2f1f0c7f8f11")))


def test_words_and_moments() -> None:
    wordy = ["", "true", "read-write", "user:inference", "refreshToken", "2026-11-20", "A_B_C"]
    other = ["abcdef0123", "pa55word", "aXbYcZ", "p%40ss", "us-east-1", "!secret!"]

    assert all(map(is_wordy, wordy))
    assert not any(map(is_wordy, other))


def test_what_stands_for_another_value() -> None:
    standing = ["$TOKEN", "${TOKEN:-none}", "${{ secrets.TOKEN }}", "{{ token }}", "<your key>"]

    assert all(map(is_placeholder, [*standing, "%TOKEN%"]))
    assert not any(map(is_placeholder, ["$uperSecret1", "token", "a${TOKEN}", ""]))
