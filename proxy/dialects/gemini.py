"""Google's `generateContent`, on the Gemini API, on Vertex AI and in Code Assist.

Code Assist, which Gemini CLI uses after a login with Google, wraps the same.

Not here: the Live API, embeddings, batches, cached contents (a request may name one).

Source: https://ai.google.dev/api/generate-content
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from traceproof.proxy.dialects import gemini_content, gemini_response, parameters, wire
from traceproof.proxy.dialects.array_stream import SniffingStream
from traceproof.proxy.dialects.base import ChatResponse, RequestLayout, StreamParser
from traceproof.proxy.dialects.gemini_stream import AnswerAssembler
from traceproof.recorder import messages, semconv
from traceproof.recorder.messages import Message, Part
from traceproof.recorder.span import Attributes

_NAMES: Mapping[str, tuple[str, parameters.Reader]] = {
    "maxOutputTokens": ("gen_ai.request.max_tokens", parameters.integer),
    "temperature": ("gen_ai.request.temperature", parameters.number),
    "topP": ("gen_ai.request.top_p", parameters.number),
    "topK": ("gen_ai.request.top_k", parameters.number),
    "frequencyPenalty": ("gen_ai.request.frequency_penalty", parameters.number),
    "presencePenalty": ("gen_ai.request.presence_penalty", parameters.number),
    "stopSequences": ("gen_ai.request.stop_sequences", parameters.strings),
    "seed": ("gen_ai.request.seed", parameters.integer),
    "candidateCount": ("gen_ai.request.choice.count", parameters.integer),
}
_OUTPUT = {"text/plain": "text", "application/json": "json"}
_PATH = re.compile(r".*/([^/]+)/([^/]+):(generateContent|streamGenerateContent)/?")
_CODE_ASSIST = re.compile(r".*/v1internal:(generateContent|streamGenerateContent)")
_VERTEX = re.compile(r".*/(publishers|projects)/.*")


class Gemini:
    """`POST …/models/{model}:generateContent` and `:streamGenerateContent`, on any host."""

    name = "gemini.generate_content"
    provider = "gcp.gemini"
    layout = RequestLayout("contents", "systemInstruction", "tools", "system_instruction")
    tool_message = ""
    json_streams = True

    def matches(self, method: str, host: str, path: str) -> bool:  # noqa: ARG002  any host
        """Tell whether a request is a chat in this format; `path` has no query."""
        return method == "POST" and bool(_PATH.fullmatch(path)) and not _VERTEX.fullmatch(path)

    def path_attributes(self, path: str) -> Attributes:
        """Return what the path says: the model, and whether to stream."""
        match = _PATH.fullmatch(path)
        if match is None:
            return {}
        kind, model = match[1], parameters.clean(unquote(match[2]))
        return {
            semconv.REQUEST_MODEL: model if kind == "models" else f"{kind}/{model}",
            semconv.REQUEST_STREAM: match[3] == "streamGenerateContent",
        }

    def attributes(self, head: Mapping[str, Any]) -> Attributes:
        """Return the request's parameters as attributes; those for generating stand among all."""
        given = gemini_content.camel(dict(head))
        config = given.get("generationConfig")
        if isinstance(config, dict):
            del given["generationConfig"]
            given = {**gemini_content.camel(config), **given}
        found = parameters.attributes(given, _NAMES)
        wanted = wire.text(given.get("responseMimeType"))
        if wanted in _OUTPUT:
            found["gen_ai.output.type"] = _OUTPUT[wanted]
        return found

    def message(self, element: Any) -> Message:
        """Translate one of the contents."""
        return gemini_content.message(element)

    def system(self, value: Any) -> list[Part]:
        """Translate the system instruction: a content; `value` may be a list of such."""
        if not isinstance(value, list):
            return gemini_content.parts(value)
        return [part for each in value for part in gemini_content.parts(each)]

    def tool(self, element: Any) -> list[dict[str, Any]]:
        """Translate one tool, which holds any number of functions, and Google's own by their name.

        The parameters of a function are a schema of Google's kind, or JSON Schema.
        """
        if not isinstance(element, dict):
            return [messages.generic("tool", element)]
        return [made for key, value in element.items() for made in _definitions(key, value)]

    def response(self, body: bytes) -> ChatResponse:
        """Read a response that was not streamed, errors included."""
        return gemini_response.response(body)

    def stream(self) -> StreamParser:
        """Return a parser for one response, which shows itself whether it is streamed."""
        return SniffingStream(AnswerAssembler(), gemini_response.response)


class VertexGemini(Gemini):
    """The same below `…/publishers/…` or `…/projects/…`, where Vertex AI has it."""

    name = "vertex.generate_content"
    provider = "gcp.vertex_ai"

    def matches(self, method: str, host: str, path: str) -> bool:  # noqa: ARG002  any host
        """Tell whether a request is a chat in this format; `path` has no query."""
        return method == "POST" and bool(_PATH.fullmatch(path) and _VERTEX.fullmatch(path))


class CodeAssistGemini(Gemini):
    """The same within `{"model": …, "request": {…}}`, and `{"response": {…}}` on the way out."""

    name = "gemini.code_assist"
    layout = RequestLayout(
        "request.contents",
        "request.systemInstruction",
        "request.tools",
        "request.system_instruction",
    )

    def matches(self, method: str, host: str, path: str) -> bool:  # noqa: ARG002  any host
        """Tell whether a request is a chat in this format; `path` has no query."""
        return method == "POST" and bool(_CODE_ASSIST.fullmatch(path))

    def path_attributes(self, path: str) -> Attributes:
        """Return what the path says: whether to stream."""
        match = _CODE_ASSIST.fullmatch(path)
        return {semconv.REQUEST_STREAM: match[1] == "streamGenerateContent"} if match else {}

    def attributes(self, head: Mapping[str, Any]) -> Attributes:
        """Return the request's parameters as attributes."""
        conversation = {key.removeprefix("request.") for key in self.layout if key}
        inner = wire.rest(wire.record(head.get("request")), conversation)
        outer = wire.rest(head, ("request", "model"))
        found = super().attributes({**outer, **inner})
        model = parameters.string(head.get("model"))
        return found if model is None else {semconv.REQUEST_MODEL: model, **found}

    def response(self, body: bytes) -> ChatResponse:
        """Read a response that was not streamed, errors included."""
        return gemini_response.response(body, "response")

    def stream(self) -> StreamParser:
        """Return a parser for one response, which shows itself whether it is streamed."""
        return SniffingStream(AnswerAssembler("response"), self.response)


def _definitions(key: str, value: Any) -> Iterator[dict[str, Any]]:
    if key in {"functionDeclarations", "function_declarations"} and isinstance(value, list):
        for each in value:
            yield _function(each)
    elif value is not None:
        yield wire.extended({"type": key}, value if isinstance(value, dict) else {key: value}, ())


def _function(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        return messages.generic("tool", value)
    named = gemini_content.camel(value)
    made: dict[str, Any] = {"type": "function"}
    key = "parameters" if "parameters" in named else "parametersJsonSchema"
    for ours, theirs in (("name", "name"), ("description", "description"), ("parameters", key)):
        if named.get(theirs) is not None:
            made[ours] = named[theirs]
    return wire.extended(made, named, ("name", "description", key))
