"""The Anthropic Messages wire format, from the provider's side; pure functions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from traceproof.proxy.testing.parts import (
    AnyPart,
    Cite,
    Redacted,
    Refuse,
    Say,
    ServerTool,
    Think,
    Use,
)
from traceproof.proxy.testing.request import Said, View
from traceproof.proxy.testing.wire import (
    CHARACTERS_PER_TOKEN,
    Reply,
    encode,
    output_tokens,
    pieces,
    sse,
)

ERRORS = {
    400: ("invalid_request_error", "The request body is not valid JSON"),
    401: ("authentication_error", "invalid x-api-key"),
    403: ("permission_error", "Your API key does not have permission"),
    404: ("not_found_error", "Not Found"),
    413: ("request_too_large", "Request exceeds the maximum size"),
    429: ("rate_limit_error", "This request would exceed your account's rate limit"),
    500: ("api_error", "Internal server error"),
    529: ("overloaded_error", "Overloaded"),
}


class Block(NamedTuple):
    """One content block: as it starts in a stream, the deltas, and whole."""

    start: dict[str, Any]
    deltas: list[dict[str, Any]]
    whole: dict[str, Any]


class Anthropic:
    """`POST /v1/messages` and what goes with it."""

    name = "anthropic"
    id_header = "request-id"

    def matches(self, method: str, path: str) -> bool:
        """Tell whether a request is a model call."""
        return method == "POST" and path.endswith("/v1/messages")

    def speaks(self, headers: Sequence[tuple[str, str]]) -> bool:
        """Tell whether a client sends this API's version."""
        return any(name.lower() == "anthropic-version" for name, _ in headers)

    def view(self, body: dict[str, Any], target: str = "") -> View:  # noqa: ARG002
        """Say what is asked."""
        return View(
            model=str(body.get("model", "")),
            system=_text(body.get("system") or ""),
            messages=[_said(message) for message in body["messages"]],
            tools=tuple(str(tool.get("name", "")) for tool in body.get("tools") or ()),
            stream=bool(body.get("stream")),
            schema=bool((body.get("output_config") or {}).get("format")),
        )

    def events(self, reply: Reply) -> list[bytes]:
        """Return the events of the streamed answer."""
        start = _message(reply, [], None, _usage(reply, 1))
        return [self.event(data) for data in _stream(reply, start)]

    def whole(self, reply: Reply) -> bytes:
        """Return the answer as one JSON object."""
        content = [block.whole for block in _blocks(reply)]
        usage = _usage(reply, output_tokens(reply.turn))
        return encode(_message(reply, content, _stop(reply), usage))

    def event(self, data: Any) -> bytes:
        """Frame JSON as an event of its own type."""
        return sse(encode(data), data.get("type", "message"))

    def element(self, data: Any) -> bytes:
        """Frame JSON as an event: this format streams no arrays."""
        return self.event(data)

    def error(self, status: int, kind: str | None, message: str | None) -> dict[str, Any]:
        """Return an error as the API reports it."""
        usual_kind, usual_message = ERRORS.get(status, ("api_error", "Error"))
        error = {"type": kind or usual_kind, "message": message or usual_message}
        return {"type": "error", "error": error, "request_id": "req_scripted"}

    def other(self, method: str, path: str, body: bytes) -> dict[str, Any] | None:
        """Count tokens, roughly."""
        if method == "POST" and path.endswith("/v1/messages/count_tokens"):
            return {"input_tokens": len(body) // CHARACTERS_PER_TOKEN + 1}
        return None


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(block["text"] for block in content if block.get("type") == "text")


def _said(message: dict[str, Any]) -> Said:
    content = message["content"]
    if isinstance(content, str):
        return Said(message["role"], content)
    return Said(
        message["role"],
        _text(content),
        tuple(block["id"] for block in content if block.get("type") == "tool_use"),
        tuple(
            _text(block.get("content") or "")
            for block in content
            if block.get("type") == "tool_result"
        ),
    )


def _stop(reply: Reply) -> str:
    if reply.turn.stop:
        return reply.turn.stop
    if any(isinstance(part, Use) for part in reply.turn.parts):
        return "tool_use"
    refused = any(isinstance(part, Refuse) for part in reply.turn.parts)
    return "refusal" if refused else "end_turn"


def _usage(reply: Reply, output: int) -> dict[str, Any]:
    usage = reply.turn.usage
    searches = sum(isinstance(part, ServerTool) for part in reply.turn.parts)
    counts: dict[str, Any] = {
        "input_tokens": usage.input,
        "cache_creation_input_tokens": usage.cache_creation,
        "cache_read_input_tokens": usage.cache_read,
        "output_tokens": output,
    }
    return {**counts, "server_tool_use": {"web_search_requests": searches}} if searches else counts


def _message(
    reply: Reply, content: list[dict[str, Any]], stop: str | None, usage: dict[str, Any]
) -> dict[str, Any]:
    return {
        "id": "msg_" + reply.mark("m"),
        "type": "message",
        "role": "assistant",
        "model": reply.model,
        "content": content,
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": usage,
    }


def _stream(reply: Reply, start: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield {"type": "message_start", "message": start}
    for index, block in enumerate(_blocks(reply)):
        yield {"type": "content_block_start", "index": index, "content_block": block.start}
        if index == 0:
            yield {"type": "ping"}
        for delta in block.deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    delta = {"stop_reason": _stop(reply), "stop_sequence": None}
    usage = _usage(reply, output_tokens(reply.turn))
    yield {"type": "message_delta", "delta": delta, "usage": usage}
    yield {"type": "message_stop"}


def _blocks(reply: Reply) -> Iterator[Block]:
    for number, part in enumerate(reply.turn.parts):
        yield from _block(part, reply, number)


def _block(part: AnyPart, reply: Reply, number: int) -> Iterator[Block]:
    size = reply.turn.piece
    match part:
        case Say(text) | Refuse(text):
            yield _text_block(text, size)
        case Cite():
            yield _cited(part, size)
        case Think(text, signature):
            yield _thinking(text, signature, size)
        case Redacted(data):
            whole = {"type": "redacted_thinking", "data": data}
            yield Block(whole, [], whole)
        case Use(name, value, call_id):
            given = call_id or "toolu_" + reply.mark(f"p{number}")
            yield _call("tool_use", given, name, value, size)
        case ServerTool(name, value, result, kind, call_id):
            given = call_id or "srvtoolu_" + reply.mark(f"p{number}")
            yield _call("server_tool_use", given, name, value, size)
            whole = {"type": kind, "tool_use_id": given, "content": result}
            yield Block(whole, [], whole)


def _text_deltas(text: str, size: int) -> list[dict[str, Any]]:
    return [{"type": "text_delta", "text": piece} for piece in pieces(text, size)]


def _text_block(text: str, size: int) -> Block:
    start = {"type": "text", "text": ""}
    return Block(start, _text_deltas(text, size), {"type": "text", "text": text})


def _cited(part: Cite, size: int) -> Block:
    citation = {
        "type": "web_search_result_location",
        "url": part.url,
        "title": part.title,
        "encrypted_index": "c2NyaXB0ZWQ=",
        "cited_text": part.cited,
    }
    start = {"type": "text", "text": "", "citations": []}
    cited = {"type": "citations_delta", "citation": citation}
    whole = {"type": "text", "text": part.text, "citations": [citation]}
    return Block(start, [cited, *_text_deltas(part.text, size)], whole)


def _thinking(text: str, signature: str, size: int) -> Block:
    deltas = [{"type": "thinking_delta", "thinking": piece} for piece in pieces(text, size)]
    return Block(
        {"type": "thinking", "thinking": "", "signature": ""},
        [*deltas, {"type": "signature_delta", "signature": signature}],
        {"type": "thinking", "thinking": text, "signature": signature},
    )


def _call(kind: str, call_id: str, name: str, value: dict[str, Any], size: int) -> Block:
    parts = ["", *pieces(encode(value).decode(), size)]
    deltas = [{"type": "input_json_delta", "partial_json": part} for part in parts]
    start = {"type": kind, "id": call_id, "name": name, "input": {}}
    return Block(start, deltas, {**start, "input": value})
