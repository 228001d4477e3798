from __future__ import annotations

import pytest

from traceproof.proxy.dialects import find
from traceproof.proxy.dialects.providers import provider

CHAT = "/v1/chat/completions"


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("api.openai.com", "openai"),
        ("eu.api.openai.com", "openai"),
        ("chatgpt.com", "openai"),
        ("gateway.example.com", "openai"),
        ("me.openai.azure.com", "azure.ai.openai"),
        ("me.services.ai.azure.com", "azure.ai.inference"),
        ("models.inference.ai.azure.com", "azure.ai.inference"),
        ("API.DeepSeek.com.", "deepseek"),
        ("api.groq.com", "groq"),
        ("api.mistral.ai", "mistral_ai"),
        ("codestral.mistral.ai", "mistral_ai"),
        ("api.x.ai", "x_ai"),
        ("openrouter.ai", "openrouter"),
        ("bedrock-runtime.eu-west-1.amazonaws.com", "aws.bedrock"),
        ("europe-west4-aiplatform.googleapis.com", "gcp.vertex_ai"),
        ("generativelanguage.googleapis.com", "gcp.gemini"),
        ("notdeepseek.com", "openai"),
        ("api.deepseek.com.evil.example", "openai"),
    ],
)
def test_the_host_tells_who_is_behind_openai_s_format(host: str, name: str) -> None:
    dialect = find("POST", host, CHAT)

    assert dialect is not None
    assert provider(dialect, host) == name


def test_a_format_of_its_own_tells_the_provider_itself() -> None:
    dialect = find("POST", "openrouter.ai", "/api/v1/messages")

    assert dialect is not None
    assert provider(dialect, "openrouter.ai") == "anthropic"
