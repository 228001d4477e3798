"""The Anthropic Messages API: requests, and the way to its responses.

Not here: the legacy text completions, batches, and the same messages on Bedrock or Vertex paths.
`…/v1/messages/count_tokens` is a model call but no chat: see `dialects.purpose`.

Source: https://docs.claude.com/en/api/messages
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from traceproof.proxy.dialects import anthropic_content, anthropic_response, parameters, wire
from traceproof.proxy.dialects.anthropic_stream import MessageAssembler
from traceproof.proxy.dialects.base import ChatResponse, RequestLayout, StreamParser
from traceproof.proxy.dialects.stream import EventStream
from traceproof.recorder import messages
from traceproof.recorder.messages import Message, Part
from traceproof.recorder.span import Attributes

_NAMES: Mapping[str, tuple[str, parameters.Reader]] = {
    "model": ("gen_ai.request.model", parameters.string),
    "max_tokens": ("gen_ai.request.max_tokens", parameters.integer),
    "temperature": ("gen_ai.request.temperature", parameters.number),
    "top_p": ("gen_ai.request.top_p", parameters.number),
    "top_k": ("gen_ai.request.top_k", parameters.number),
    "stop_sequences": ("gen_ai.request.stop_sequences", parameters.strings),
    "stream": ("gen_ai.request.stream", parameters.boolean),
}


class AnthropicMessages:
    """`POST …/v1/messages`, on any host and below any gateway's prefix."""

    name = "anthropic.messages"
    provider = "anthropic"
    layout = RequestLayout(messages="messages", system="system", tools="tools")
    tool_message = ""
    json_streams = False

    def matches(self, method: str, host: str, path: str) -> bool:  # noqa: ARG002  any host
        """Tell whether a request is a chat in this format; `path` has no query."""
        return method == "POST" and path.rstrip("/").endswith("/v1/messages")

    def path_attributes(self, path: str) -> Attributes:  # noqa: ARG002  it says nothing
        """Return nothing."""
        return {}

    def attributes(self, head: Mapping[str, Any]) -> Attributes:
        """Return the request's parameters as attributes."""
        found = parameters.attributes(head, _NAMES, skip="metadata")
        metadata = wire.record(head.get("metadata"))
        more = wire.rest(metadata, ("user_id",)) if metadata else head.get("metadata")
        if metadata.get("user_id") is not None:
            user_id = parameters.plain(metadata["user_id"])
            found[parameters.PREFIX + "metadata.user_id"] = user_id
        if more:
            found[parameters.PREFIX + "metadata"] = parameters.plain(more)
        if self._wants_json(head):
            found["gen_ai.output.type"] = "json"
        return found

    def message(self, element: Any) -> Message:
        """Translate one message; a user's that holds nothing but tool results is the tool's."""
        if not isinstance(element, dict):
            return Message("user", [messages.generic("message", element)])
        role, content = element.get("role"), element.get("content")
        parts = anthropic_content.parts(content)
        parts += wire.leftovers(element, ("role", "content"))
        if not isinstance(role, str):
            return Message("user", [*parts, *wire.leftovers({"role": role}, ())])
        answers = {part["type"] for part in parts} == {"tool_call_response"}
        return Message("tool" if role == "user" and answers else role, parts)

    def system(self, value: Any) -> list[Part]:
        """Translate the system prompt: text, or a list of text blocks."""
        return anthropic_content.parts(value)

    def tool(self, element: Any) -> dict[str, Any]:
        """Translate one tool definition; a provider's own tool keeps its dated type name."""
        if not isinstance(element, dict):
            return messages.generic("tool", element)
        kind = wire.text(element.get("type"))
        made: dict[str, Any] = {"type": "function" if kind in {"", "custom"} else kind}
        for key, ours in (("name", "name"), ("input_schema", "parameters")):
            if key in element:
                made[ours] = element[key]
        return wire.extended(made, element, ("type", "name", "input_schema"))

    def response(self, body: bytes) -> ChatResponse:
        """Read a response that was not streamed, errors included."""
        return anthropic_response.response(body)

    def stream(self) -> StreamParser:
        """Return a parser for one streamed response."""
        assembler = MessageAssembler()
        return EventStream(assembler, anthropic_response.response, assembler.take_delta)

    def _wants_json(self, head: Mapping[str, Any]) -> bool:
        """Tell whether structured output was asked for, in its first form or its second."""
        formats = (head.get("output_format"), wire.record(head.get("output_config")).get("format"))
        return any(wire.record(value).get("type") == "json_schema" for value in formats)
