"""The OpenAI Chat Completions API, as OpenAI and many others speak it: requests, and the way out.

Not here: the Responses API, the legacy completions, and providers' own request fields, which are
kept under their own names.

Source: https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from traceproof.proxy.dialects import (
    openai_chat_content,
    openai_chat_response,
    parameters,
    wire,
)
from traceproof.proxy.dialects.base import ChatResponse, RequestLayout, StreamParser
from traceproof.proxy.dialects.openai_chat_stream import CompletionAssembler
from traceproof.proxy.dialects.stream import EventStream
from traceproof.recorder import messages
from traceproof.recorder.messages import Message, Part
from traceproof.recorder.span import Attributes

_NAMES: Mapping[str, tuple[str, parameters.Reader]] = {
    "model": ("gen_ai.request.model", parameters.string),
    "max_completion_tokens": ("gen_ai.request.max_tokens", parameters.integer),
    "max_tokens": ("gen_ai.request.max_tokens", parameters.integer),
    "temperature": ("gen_ai.request.temperature", parameters.number),
    "top_p": ("gen_ai.request.top_p", parameters.number),
    "top_k": ("gen_ai.request.top_k", parameters.number),
    "frequency_penalty": ("gen_ai.request.frequency_penalty", parameters.number),
    "presence_penalty": ("gen_ai.request.presence_penalty", parameters.number),
    "stop": ("gen_ai.request.stop_sequences", parameters.strings),
    "seed": ("gen_ai.request.seed", parameters.integer),
    "n": ("gen_ai.request.choice.count", parameters.integer),
    "stream": ("gen_ai.request.stream", parameters.boolean),
    "service_tier": ("openai.request.service_tier", parameters.string),
}
_OUTPUT = {"text": "text", "json_object": "json", "json_schema": "json"}


class OpenAIChat:
    """`POST …/chat/completions`, on any host and below any gateway's prefix."""

    name = "openai.chat_completions"
    provider = "openai"
    layout = RequestLayout(messages="messages", system=None, tools="tools")
    tool_message = ""
    json_streams = False

    def matches(self, method: str, host: str, path: str) -> bool:  # noqa: ARG002  any host
        """Tell whether a request is a chat in this format; `path` has no query."""
        return method == "POST" and path.rstrip("/").endswith("/chat/completions")

    def path_attributes(self, path: str) -> Attributes:  # noqa: ARG002  it says nothing
        """Return nothing."""
        return {}

    def attributes(self, head: Mapping[str, Any]) -> Attributes:
        """Return the request's parameters as attributes."""
        found = parameters.attributes(head, _NAMES)
        wanted = wire.text(wire.record(head.get("response_format")).get("type"))
        if wanted in _OUTPUT:
            found["gen_ai.output.type"] = _OUTPUT[wanted]
        return found

    def message(self, element: Any) -> Message:
        """Translate one message."""
        return openai_chat_content.message(element)

    def system(self, value: Any) -> list[Part]:
        """Translate nothing: in this format system prompts are messages."""
        return [] if value is None else [messages.generic("system", value)]

    def tool(self, element: Any) -> dict[str, Any]:
        """Translate one tool definition: what stands under its type's name comes to the top."""
        if not isinstance(element, dict):
            return messages.generic("tool", element)
        kind = wire.text(element.get("type")) or "function"
        inner = wire.record(element.get(kind))
        made: dict[str, Any] = {"type": kind, **wire.rest(inner, ("type",))}
        return wire.extended(made, element, ("type", kind) if inner else ("type",))

    def response(self, body: bytes) -> ChatResponse:
        """Read a response that was not streamed, errors included."""
        return openai_chat_response.response(body)

    def stream(self) -> StreamParser:
        """Return a parser for one streamed response."""
        assembler = CompletionAssembler()
        return EventStream(assembler, openai_chat_response.response, assembler.take_chunk)
