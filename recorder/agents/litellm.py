"""The variables that redirect LiteLLM, by which Aider and mini-swe-agent call models.

No agent of its own.
"""

from __future__ import annotations

from traceproof.recorder.agents.base import BaseUrl
from traceproof.recorder.agents.generic import Generic

BASE_URLS = (
    *Generic.base_urls,
    BaseUrl("ANTHROPIC_API_BASE", "api.anthropic.com"),
    BaseUrl("DEEPSEEK_API_BASE", "api.deepseek.com", "/beta"),
    BaseUrl("OPENROUTER_API_BASE", "openrouter.ai", "/api/v1"),
    BaseUrl("GEMINI_API_BASE", "generativelanguage.googleapis.com", "/v1beta"),
)
