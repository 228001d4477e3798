from __future__ import annotations

import string

import pytest

from traceproof.recorder.patterns import KEY_SHAPES, LONGEST, PATTERNS, PrivateKeyRule
from traceproof.recorder.redaction import Redactor

FAKE = (string.ascii_letters + string.digits) * 3
PEM = f"-----BEGIN RSA PRIVATE KEY-----\nMIIB{FAKE}\n-----END RSA PRIVATE KEY-----"


def masked(text: str) -> str:
    return Redactor(PATTERNS).mask_text(text)


@pytest.mark.parametrize(
    ("secret", "name"),
    [
        (f"sk-ant-api03-{FAKE[:80]}-x_A", "ANTHROPIC_KEY"),
        (f"sk-proj-{FAKE[:60]}_-x", "OPENAI_KEY"),
        (f"sk-{FAKE[:48]}", "SK_KEY"),
        (f"sk-or-v1-{FAKE[:48]}", "OPENROUTER_KEY"),
        (f"ghp_{FAKE[:36]}", "GITHUB_TOKEN"),
        (f"gho_{FAKE[:36]}", "GITHUB_TOKEN"),
        (f"github_pat_{FAKE[:22]}_{FAKE[:59]}", "GITHUB_TOKEN"),
        (f"glpat-{FAKE[:20]}", "GITLAB_TOKEN"),
        ("AKIA" + string.ascii_uppercase[:16], "AWS_KEY_ID"),
        (f"AIza{FAKE[:35]}", "GOOGLE_KEY"),
        (f"ya29.{FAKE[:60]}", "GOOGLE_TOKEN"),
        (f"xoxb-123456789012-{FAKE[:24]}", "SLACK_TOKEN"),
        (f"xoxp-123456789012-{FAKE[:24]}", "SLACK_TOKEN"),
        (f"hf_{FAKE[:34]}", "HUGGING_FACE_TOKEN"),
        (f"eyJ{FAKE[:20]}.eyJ{FAKE[:40]}.{FAKE[:43]}", "JWT"),
        (PEM, "PRIVATE_KEY"),
        (PEM.replace("RSA ", "").replace("\n", "\\n"), "PRIVATE_KEY"),
    ],
)
@pytest.mark.parametrize("around", ["{}", '"{}"', "KEY={}\n", "\\n{} and more", "({})."])
def test_a_provider_key_in_any_surroundings(secret: str, name: str, around: str) -> None:
    assert masked(around.format(secret)) == around.format(f"<SECRET:{name}>")


def test_bearer_masks_what_follows_it() -> None:
    assert masked(f"Authorization: Bearer {FAKE[:30]}=\r\n") == (
        "Authorization: Bearer <SECRET:BEARER>\r\n"
    )


@pytest.mark.parametrize(
    "text",
    [
        "risk-management-of-the-whole-organisation-in-2026",
        "task-aaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "sk-learn is not a key",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "toolu_01A09q90qw90lq917835lq9",
        "the eyJ prefix, AKIA and AIza alone",
        f"eyJ{FAKE[:60]}",
        f"eyJ{FAKE[:60]}.txt",
        "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----",
        "a bearer of bad news",
    ],
)
def test_over_redaction_is_a_defect_too(text: str) -> None:
    assert masked(text) == text


def test_two_keys_are_two_masks() -> None:
    assert masked(f"{PEM}\n{PEM}") == "<SECRET:PRIVATE_KEY>\n<SECRET:PRIVATE_KEY>"


def test_a_private_key_whose_end_is_missing() -> None:
    assert masked(PEM.partition("-----END")[0] + "!") == "<SECRET:PRIVATE_KEY>!"


@pytest.mark.parametrize("text", ["-", "-----BEGI", "-----BEGIN RSA PRI", PEM[:-1], PEM[:60]])
def test_a_private_key_that_may_go_on_is_unfinished(text: str) -> None:
    data = f"Here: {text}".encode()

    assert PrivateKeyRule().unfinished(data, 0) == len("Here: ")


def test_a_private_key_without_end_is_not_waited_for_without_end() -> None:
    data = PEM[:60].encode() + b"!" * (LONGEST + 256)

    assert PrivateKeyRule().unfinished(data, 0) == len(data)


@pytest.mark.parametrize("rule", KEY_SHAPES)
def test_ordinary_text_is_never_unfinished(rule: PrivateKeyRule) -> None:
    assert rule.unfinished(b'{"type":"ping"}\n\n', 0) == len(b'{"type":"ping"}\n\n')
