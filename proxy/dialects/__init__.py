"""Provider wire formats, one *dialect* each; `find` tells which one a request speaks."""

from __future__ import annotations

from traceproof.proxy.dialects.anthropic import AnthropicMessages
from traceproof.proxy.dialects.base import Dialect
from traceproof.proxy.dialects.gemini import CodeAssistGemini, Gemini, VertexGemini
from traceproof.proxy.dialects.openai_chat import OpenAIChat
from traceproof.proxy.dialects.openai_responses import OpenAIResponses
from traceproof.proxy.dialects.openai_responses_socket import ResponsesSocket

DIALECTS: tuple[Dialect, ...] = (
    AnthropicMessages(),
    OpenAIChat(),
    OpenAIResponses(),
    Gemini(),
    VertexGemini(),
    CodeAssistGemini(),
)
"""Every dialect known; the first that matches a request is its own."""

_SOCKETS = (ResponsesSocket(),)
"""What models are talked to over web sockets."""

_PURPOSES = {
    "/v1/messages/count_tokens": "count_tokens",
    "/responses/input_tokens": "count_tokens",
    "/responses/compact": "compact",
    ":countTokens": "count_tokens",
}
"""Ends of paths → what is asked for there."""


def find(method: str, host: str, path: str) -> Dialect | None:
    """Return the dialect of a request, None where it is no chat we can read.

    Args:
        method: as sent.
        host: without its port.
        path: with or without its query.
    """
    bare = path.partition("?")[0]
    return next((known for known in DIALECTS if known.matches(method, host, bare)), None)


def find_socket(path: str) -> ResponsesSocket | None:
    """Return what is spoken over a web socket that is opened at a path, None where it is unknown.

    Args:
        path: with or without its query.
    """
    bare = path.partition("?")[0]
    return next((known for known in _SOCKETS if known.matches(bare)), None)


def purpose(method: str, path: str) -> str:
    """Name what a model call that is no chat is for; empty where nothing is known of it."""
    bare = path.partition("?")[0].rstrip("/")
    known = (kind for end, kind in _PURPOSES.items() if bare.endswith(end))
    return next(known, "") if method == "POST" else ""
