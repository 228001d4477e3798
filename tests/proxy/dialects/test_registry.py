from __future__ import annotations

import pytest

from traceproof.proxy.dialects import DIALECTS, find, purpose


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/v1/messages", "anthropic.messages"),
        ("/v1/messages?beta=true", "anthropic.messages"),
        ("/gateway/anthropic/v1/messages", "anthropic.messages"),
        ("/v1/chat/completions", "openai.chat_completions"),
        ("/openai/deployments/gpt/chat/completions?api-version=1", "openai.chat_completions"),
        ("/v1/responses", "openai.responses"),
        ("/backend-api/codex/responses", "openai.responses"),
        ("/v1beta/models/gemini-x:generateContent", "gemini.generate_content"),
        ("/v1beta/models/gemini-x:streamGenerateContent?alt=sse", "gemini.generate_content"),
        ("/v1internal:streamGenerateContent?alt=sse", "gemini.code_assist"),
        (
            "/v1/projects/p/locations/l/publishers/google/models/g:generateContent",
            "vertex.generate_content",
        ),
    ],
)
def test_a_request_finds_its_dialect(path: str, name: str) -> None:
    found = find("POST", "any.example", path)

    assert found is not None
    assert found.name == name
    assert find("GET", "any.example", path) is None


@pytest.mark.parametrize(
    "path",
    [
        "/v1/messages/count_tokens",
        "/v1/messages/batches",
        "/v1/completions",
        "/v1/responses/resp_1/cancel",
        "/v1/models?next=/v1/messages",
        "/",
    ],
)
def test_what_is_no_chat_finds_none(path: str) -> None:
    assert find("POST", "any.example", path) is None


def test_counting_tokens_is_known_for_what_it_is() -> None:
    assert purpose("POST", "/v1/messages/count_tokens?beta=true") == "count_tokens"
    assert purpose("POST", "/v1beta/models/g:countTokens") == "count_tokens"
    assert purpose("POST", "/v1/responses/input_tokens") == "count_tokens"
    assert purpose("POST", "/v1/messages") == purpose("GET", "/v1/messages/count_tokens") == ""


def test_summing_a_conversation_up_is_known_for_what_it_is() -> None:
    assert purpose("POST", "/backend-api/codex/responses/compact") == "compact"


def test_names_are_unique() -> None:
    assert len({dialect.name for dialect in DIALECTS}) == len(DIALECTS)
