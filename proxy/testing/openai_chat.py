"""The OpenAI Chat Completions wire format, from the provider's side; pure functions.

What this format has no place for (redacted thinking, tools the provider runs) is left out; thinking
goes as `reasoning_content`, as most servers of this format send it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from traceproof.proxy.testing.parts import AnyPart, Cite, Refuse, Say, Think, Use
from traceproof.proxy.testing.request import Said, View
from traceproof.proxy.testing.wire import CREATED, Reply, encode, output_tokens, pieces, sse

ERRORS = {
    400: ("invalid_request_error", None, "We could not parse the JSON body of your request."),
    401: ("invalid_request_error", "invalid_api_key", "Incorrect API key provided."),
    404: ("invalid_request_error", "unknown_url", "Unknown request URL."),
    429: ("requests", "rate_limit_exceeded", "Rate limit reached for requests"),
    500: ("server_error", None, "The server had an error while processing your request."),
    529: ("server_error", "overloaded", "The engine is currently overloaded."),
}


class OpenAIChat:
    """`POST /v1/chat/completions`."""

    name = "openai-chat"
    id_header = "x-request-id"

    def matches(self, method: str, path: str) -> bool:
        """Tell whether a request is a model call."""
        return method == "POST" and path.endswith("/chat/completions")

    def speaks(self, headers: Sequence[tuple[str, str]]) -> bool:
        """Tell whether a client authenticates as this API's do."""
        return any(name.lower() == "authorization" for name, _ in headers)

    def view(self, body: dict[str, Any], target: str = "") -> View:  # noqa: ARG002
        """Say what is asked."""
        messages = [_said(message) for message in body["messages"]]
        return View(
            model=str(body.get("model", "")),
            system="\n".join(said.text for said in messages if said.role in _INSTRUCTIONS),
            messages=[said for said in messages if said.role not in _INSTRUCTIONS],
            tools=tuple(_tool_name(tool) for tool in body.get("tools") or ()),
            stream=bool(body.get("stream")),
            schema=(body.get("response_format") or {}).get("type") == "json_schema",
            choices=int(body.get("n") or 1),
            include_usage=bool((body.get("stream_options") or {}).get("include_usage")),
        )

    def events(self, reply: Reply) -> list[bytes]:
        """Return the chunks of the streamed answer, up to and with `[DONE]`."""
        return [*(self.event(chunk) for chunk in _chunks(reply)), sse("[DONE]")]

    def whole(self, reply: Reply) -> bytes:
        """Return the answer as one JSON object."""
        choices = [
            {
                "index": index,
                "message": _whole_message(reply, index),
                "logprobs": None,
                "finish_reason": _stop(reply),
            }
            for index in range(reply.choices)
        ]
        head = _head(reply, "chat.completion")
        return encode({**head, "choices": choices, "usage": _usage(reply)})

    def event(self, data: Any) -> bytes:
        """Frame JSON as one chunk."""
        return sse(encode(data))

    def element(self, data: Any) -> bytes:
        """Frame JSON as an event: this format streams no arrays."""
        return self.event(data)

    def error(self, status: int, kind: str | None, message: str | None) -> dict[str, Any]:
        """Return an error as the API reports it."""
        usual_kind, code, usual_message = ERRORS.get(status, ("server_error", None, "Error"))
        text = message or usual_message
        return {"error": {"message": text, "type": kind or usual_kind, "param": None, "code": code}}

    def other(self, method: str, path: str, body: bytes) -> dict[str, Any] | None:  # noqa: ARG002
        """Answer nothing else."""
        return None


_INSTRUCTIONS = ("system", "developer")


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(part["text"] for part in content or () if part.get("type") == "text")


def _said(message: dict[str, Any]) -> Said:
    text = _text(message.get("content"))
    if message["role"] == "tool":
        return Said("tool", results=(text,))
    calls = tuple(call["id"] for call in message.get("tool_calls") or ())
    return Said(message["role"], text, calls)


def _tool_name(tool: dict[str, Any]) -> str:
    return str(tool.get("function", {}).get("name", ""))


def _stop(reply: Reply) -> str:
    if reply.turn.stop:
        return reply.turn.stop
    return "tool_calls" if any(isinstance(part, Use) for part in reply.turn.parts) else "stop"


def _usage(reply: Reply) -> dict[str, Any]:
    usage = reply.turn.usage
    prompt = usage.input + usage.cache_read + usage.cache_creation
    output = output_tokens(reply.turn) * reply.choices
    return {
        "prompt_tokens": prompt,
        "completion_tokens": output,
        "total_tokens": prompt + output,
        "prompt_tokens_details": {"cached_tokens": usage.cache_read},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning},
    }


def _head(reply: Reply, kind: str) -> dict[str, Any]:
    return {
        "id": "chatcmpl-" + reply.mark("m"),
        "object": kind,
        "created": CREATED,
        "model": reply.model,
        "system_fingerprint": "fp_scripted",
    }


def _chunks(reply: Reply) -> Iterator[dict[str, Any]]:
    head = _head(reply, "chat.completion.chunk")
    tail = {"usage": None} if reply.include_usage else {}
    streams = [_choice_deltas(reply, index) for index in range(reply.choices)]
    for at_once in zip(*streams, strict=True):
        for index, (delta, finish) in enumerate(at_once):
            choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}
            yield {**head, "choices": [choice], **tail}
    if reply.include_usage:
        yield {**head, "choices": [], "usage": _usage(reply)}


def _choice_deltas(reply: Reply, choice: int) -> Iterator[tuple[dict[str, Any], str | None]]:
    yield {"role": "assistant", "content": "", "refusal": None}, None
    calls = 0
    for number, part in enumerate(reply.turn.parts):
        if isinstance(part, Use):
            call_id = _call_id(part, reply, number, choice)
            yield from ((delta, None) for delta in _call_deltas(part, call_id, calls, reply))
            calls += 1
        else:
            yield from ((delta, None) for delta in _deltas(part, reply.turn.piece))
    yield {}, _stop(reply)


def _call_id(part: Use, reply: Reply, number: int, choice: int) -> str:
    return part.id or "call_" + reply.mark(f"p{number}" + (f"c{choice}" if choice else ""))


def _call_deltas(part: Use, call_id: str, index: int, reply: Reply) -> Iterator[dict[str, Any]]:
    function = {"name": part.name, "arguments": ""}
    first = {"index": index, "id": call_id, "type": "function", "function": function}
    yield {"tool_calls": [first]}
    for piece in pieces(encode(part.input).decode(), reply.turn.piece):
        yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


def _annotation(part: Cite) -> dict[str, Any]:
    where = {"url": part.url, "title": part.title, "start_index": 0, "end_index": len(part.text)}
    return {"type": "url_citation", "url_citation": where}


def _deltas(part: AnyPart, size: int) -> Iterator[dict[str, Any]]:
    match part:
        case Say(text) | Cite(text):
            yield from ({"content": piece} for piece in pieces(text, size))
            if isinstance(part, Cite):
                yield {"annotations": [_annotation(part)]}
        case Think(text):
            yield from ({"reasoning_content": piece} for piece in pieces(text, size))
        case Refuse(text):
            yield from ({"refusal": piece} for piece in pieces(text, size))


def _whole_message(reply: Reply, choice: int) -> dict[str, Any]:
    parts = reply.turn.parts
    said = "".join(part.text for part in parts if isinstance(part, Say | Cite))
    refused = "".join(part.text for part in parts if isinstance(part, Refuse))
    message: dict[str, Any] = {
        "role": "assistant",
        "content": said or None,
        "refusal": refused or None,
        "annotations": [_annotation(part) for part in parts if isinstance(part, Cite)],
    }
    thought = "".join(part.text for part in parts if isinstance(part, Think))
    calls = _whole_calls(reply, choice)
    more = {"reasoning_content": thought} if thought else {}
    return {**message, **more, **({"tool_calls": calls} if calls else {})}


def _whole_calls(reply: Reply, choice: int) -> list[dict[str, Any]]:
    return [
        {
            "id": _call_id(part, reply, number, choice),
            "type": "function",
            "function": {"name": part.name, "arguments": encode(part.input).decode()},
        }
        for number, part in enumerate(reply.turn.parts)
        if isinstance(part, Use)
    ]
