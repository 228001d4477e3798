"""The OpenAI Responses API over HTTP, as OpenAI and ChatGPT's backend speak it.

Not here: reading back or cancelling a stored response, compaction, the API's WebSocket. A request
may hold only what is new and name the response it continues: `previous_response_id` is told.

Source: https://platform.openai.com/docs/api-reference/responses
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from traceproof.proxy.dialects import (
    openai_responses_content,
    openai_responses_response,
    parameters,
    wire,
)
from traceproof.proxy.dialects.base import ChatResponse, RequestLayout, StreamParser
from traceproof.proxy.dialects.openai_responses_stream import ResponseAssembler
from traceproof.proxy.dialects.stream import EventStream
from traceproof.recorder import messages
from traceproof.recorder.messages import Message, Part
from traceproof.recorder.span import Attributes

_NAMES: Mapping[str, tuple[str, parameters.Reader]] = {
    "model": ("gen_ai.request.model", parameters.string),
    "max_output_tokens": ("gen_ai.request.max_tokens", parameters.integer),
    "temperature": ("gen_ai.request.temperature", parameters.number),
    "top_p": ("gen_ai.request.top_p", parameters.number),
    "stream": ("gen_ai.request.stream", parameters.boolean),
    "service_tier": ("openai.request.service_tier", parameters.string),
}
_OUTPUT = {"text": "text", "json_object": "json", "json_schema": "json"}


class OpenAIResponses:
    """`POST …/responses`, on any host and below any gateway's prefix."""

    name = "openai.responses"
    provider = "openai"
    layout = RequestLayout(messages="input", system="instructions", tools="tools")
    tool_message = "additional_tools"
    json_streams = False

    def matches(self, method: str, host: str, path: str) -> bool:  # noqa: ARG002  any host
        """Tell whether a request asks for a response; `path` has no query."""
        return method == "POST" and path.rstrip("/").endswith("/responses")

    def path_attributes(self, path: str) -> Attributes:  # noqa: ARG002  it says nothing
        """Return nothing."""
        return {}

    def attributes(self, head: Mapping[str, Any]) -> Attributes:
        """Return the request's parameters as attributes."""
        found = parameters.attributes(head, _NAMES)
        wanted = wire.record(wire.record(head.get("text")).get("format")).get("type")
        if wire.text(wanted) in _OUTPUT:
            found["gen_ai.output.type"] = _OUTPUT[wire.text(wanted)]
        return found

    def message(self, element: Any) -> Message:
        """Translate one item of the input."""
        return openai_responses_content.message(element)

    def system(self, value: Any) -> list[Part]:
        """Translate the instructions: text, or a list of items."""
        if not isinstance(value, list):
            return openai_responses_content.parts(value)
        return [part for each in value for part in openai_responses_content.message(each).parts]

    def tool(self, element: Any) -> dict[str, Any]:
        """Translate one tool definition, which is flat; a namespace keeps its tools within."""
        if not isinstance(element, dict):
            return messages.generic("tool", element)
        kind = wire.text(element.get("type")) or "function"
        return {"type": kind, **wire.rest(element, ("type",))}

    def response(self, body: bytes) -> ChatResponse:
        """Read a response that was not streamed, errors included."""
        return openai_responses_response.response(body)

    def stream(self) -> StreamParser:
        """Return a parser for one streamed response."""
        return EventStream(ResponseAssembler(), openai_responses_response.response)
