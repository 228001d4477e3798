from __future__ import annotations

from traceproof.recorder.agents.litellm import BASE_URLS


def test_each_provider_s_variables_redirect_it() -> None:
    found = {(each.variable, each.host) for each in BASE_URLS}

    assert {
        ("ANTHROPIC_API_BASE", "api.anthropic.com"),
        ("ANTHROPIC_BASE_URL", "api.anthropic.com"),
        ("OPENAI_API_BASE", "api.openai.com"),
        ("GEMINI_API_BASE", "generativelanguage.googleapis.com"),
    } <= found
