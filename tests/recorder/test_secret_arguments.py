from __future__ import annotations

from pathlib import Path

import pytest

from traceproof.recorder.secret_arguments import from_arguments

KEY = "Zq81mNvTt0aaKj"


def found(*arguments: str) -> list[str]:
    return [secret.value for secret in from_arguments(arguments)]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--api-key", KEY),
        (f"--openai-api-key={KEY}",),
        ("-token", KEY),
        (f"OPENAI_API_KEY={KEY}", "aider"),
        (f"https://ada:{KEY}@example.org/x",),
        (f"--base-url=https://ada:{KEY}@example.org/x",),
        ("-H", f"X-Api-Key: {KEY}"),
        ("--header", f"Authorization: Bearer {KEY}"),
        (f"--header=Helicone-Auth: Bearer {KEY}",),
        (
            "--mcp-config",
            f'{{"mcpServers":{{"a":{{"headers":{{"Authorization":"Bearer {KEY}"}}}}}}}}',
        ),
        ("bash", "-lc", f"export A_TOKEN={KEY}; claude"),
        ("sh", "-c", f"claude --api-key '{KEY}' | tee log"),
        ("sh", "-c", f'claude --api-key {KEY} "never closed'),
    ],
)
def test_keys_on_a_command_line(arguments: tuple[str, ...]) -> None:
    assert found("agent", *arguments) == [KEY]


def test_a_providers_key_is_found_with_and_without_its_name() -> None:
    assert found("aider", "--api-key", "gemini=made-up-key") == [
        "gemini=made-up-key",
        "made-up-key",
    ]
    assert found("aider", f"--api-key=gemini={KEY}") == [f"gemini={KEY}", KEY]
    assert found("x", "--api-key", "Zq81mNvTt0==") == ["Zq81mNvTt0=="]


def test_a_key_with_a_providers_shape_is_found_in_a_prompt() -> None:
    key = "sk-ant-api03-" + "a1B2" * 10

    assert found("claude", "-p", f"Try it with {key}, please.") == [key]


def test_words_are_keys_only_after_options_that_leave_no_doubt() -> None:
    assert found("x", "--api-key", "made-up-words") == ["made-up-words"]
    assert found("x", "--auth", "made-up-words") == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("claude", "-p", "write a function that reads API_KEY=abc from a file", "--verbose"),
        ("claude", "-p", "Key: value pairs are 2wrong2 here"),
        ("claude", "--model", "claude-3-5-sonnet-20241022", "--max-tokens", "123456789012"),
        ("aider", "--map-tokens", "1024", "--no-auth-check", "src/main_module.py"),
        ("aider", "--private", "src/main.py", "--key", "server.pem"),
        ("claude", "--api-key", "--print"),
        ("agent", "--api-key-file", "/run/secrets/key-1a2b3c4d"),
        ("agent", "--token-budget", "100000000000", "--url", "https://example.org/v1"),
        ("claude", "--settings", '{"model": "claude-3-5-sonnet-20241022", "verbose": true}'),
        ("sh", "-c", "python -m pytest -q tests/unit && echo DEBUG=true"),
        ("agent", "--token", "${SERVICE_TOKEN}"),
        (),
    ],
)
def test_ordinary_command_lines_have_none(arguments: tuple[str, ...]) -> None:
    assert found(*arguments) == []


def test_a_file_is_no_key(tmp_path: Path) -> None:
    assert found("agent", "--secret-key", str(tmp_path), f"--api-key={tmp_path}") == []


def test_half_a_surrogate_pair_does_not_stop_anything() -> None:
    assert found("agent", "--api-key", "key\udcff-01234") == ["key\udcff-01234"]
