"""The wire formats that the scripted model speaks, and how a request finds its own."""

from __future__ import annotations

from collections.abc import Sequence

from traceproof.proxy.testing.anthropic import Anthropic
from traceproof.proxy.testing.gemini import Gemini
from traceproof.proxy.testing.openai_chat import OpenAIChat
from traceproof.proxy.testing.openai_responses import OpenAIResponses
from traceproof.proxy.testing.wire import Wire

WIRES: tuple[Wire, ...] = (Anthropic(), OpenAIChat(), OpenAIResponses(), Gemini())


def wire_of(method: str, path: str) -> Wire | None:
    """Return the format a request is a model call of."""
    return next((wire for wire in WIRES if wire.matches(method, path)), None)


def wire_for_errors(headers: Sequence[tuple[str, str]]) -> Wire:
    """Return the format whose errors a client will understand."""
    return next((wire for wire in WIRES if wire.speaks(headers)), WIRES[0])
