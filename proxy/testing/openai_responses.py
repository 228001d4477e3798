"""The OpenAI Responses wire format, from the provider's side; pure functions.

A request may hold only what is new and name the response that it continues: ids tell the turn they
come from, so such a conversation can be followed too. A provider's own tool is always a web search,
whose results this format does not show.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from typing import Any, NamedTuple

from traceproof.proxy.testing.openai_chat import ERRORS
from traceproof.proxy.testing.parts import (
    AnyPart,
    Cite,
    Custom,
    Redacted,
    Refuse,
    Say,
    ServerTool,
    Think,
    Use,
)
from traceproof.proxy.testing.request import Said, View
from traceproof.proxy.testing.wire import CREATED, Reply, encode, output_tokens, pieces, sse

_INSTRUCTIONS = ("system", "developer")


class Item(NamedTuple):
    """One item of the output: as it starts in a stream, its events, and whole."""

    start: dict[str, Any]
    events: list[dict[str, Any]]
    whole: dict[str, Any]


class OpenAIResponses:
    """`POST …/responses`."""

    name = "openai-responses"
    id_header = "x-request-id"

    def matches(self, method: str, path: str) -> bool:
        """Tell whether a request is a model call."""
        return method == "POST" and path.endswith("/responses")

    def speaks(self, headers: Sequence[tuple[str, str]]) -> bool:
        """Tell whether a client authenticates as this API's do."""
        return any(name.lower() == "authorization" for name, _ in headers)

    def view(self, body: dict[str, Any], target: str = "") -> View:  # noqa: ARG002
        """Say what is asked."""
        given = body["input"]
        items = [{"role": "user", "content": given}] if isinstance(given, str) else list(given)
        messages = _conversation(items, body.get("previous_response_id"))
        system = [body.get("instructions") or ""]
        system += [said.text for said in messages if said.role in _INSTRUCTIONS]
        return View(
            model=str(body.get("model", "")),
            system="\n".join(filter(None, system)),
            messages=[said for said in messages if said.role not in _INSTRUCTIONS],
            tools=tuple(_tool_names([body, *items])),
            stream=bool(body.get("stream")),
            schema=((body.get("text") or {}).get("format") or {}).get("type") == "json_schema",
        )

    def events(self, reply: Reply) -> list[bytes]:
        """Return the events of the streamed answer, numbered, up to the response as a whole."""
        numbered = zip(_stream(reply), count(), strict=False)
        return [self.event({**data, "sequence_number": number}) for data, number in numbered]

    def whole(self, reply: Reply) -> bytes:
        """Return the answer as one JSON object."""
        return encode(_ended(reply))

    def event(self, data: Any) -> bytes:
        """Frame JSON as an event of its own type; an error without a type gets one."""
        told = data if "type" in data else {"type": "error", **data}
        return sse(encode(told), told["type"])

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


# --- the request ----------------------------------------------------------------------------------


def _conversation(items: Iterable[dict[str, Any]], previous: str | None) -> list[Said]:
    """Return an input's messages: what the model said in one go is one, and so are results.

    A result of a call that is not in the input, like the id of a response, shows a turn of the
    model that the provider remembers.
    """
    made = [Said("assistant", calls=(previous,))] if previous else []
    called: set[str] = set()
    for item in items:
        for said in _said(item, called):
            joined = made and said.role == made[-1].role and said.role in {"assistant", "tool"}
            made[-1:] = [_joined(made[-1], said)] if joined else [*made[-1:], said]
    return made


def _said(item: dict[str, Any], called: set[str]) -> Iterator[Said]:
    kind = item.get("type", "message")
    if kind == "message":
        yield Said(item["role"], _text(item["content"]))
    elif kind.endswith("_call") and "call_id" in item:
        called.add(item["call_id"])
        yield Said("assistant", calls=(item["call_id"],))
    elif kind.endswith("_call_output"):
        call_id = item.get("call_id") or item["id"]
        if call_id not in called:
            yield Said("assistant", calls=(call_id,))
        yield Said("tool", results=(_text(item["output"]),))


def _joined(first: Said, second: Said) -> Said:
    text = "\n".join(filter(None, (first.text, second.text)))
    return Said(first.role, text, first.calls + second.calls, first.results + second.results)


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(part["text"] for part in content if "text" in part)


def _tool_names(holders: Iterable[dict[str, Any]], prefix: str = "") -> Iterator[str]:
    """Yield the names of the tools of a request, or of items that bring more; of namespaces too."""
    for holder in holders:
        for tool in holder.get("tools") or ():
            name = prefix + str(tool.get("name") or tool.get("type"))
            yield name
            yield from _tool_names([tool], f"{name}.")


# --- the answer -----------------------------------------------------------------------------------


def _response(reply: Reply, status: str, **more: Any) -> dict[str, Any]:
    return {
        "id": "resp_" + reply.mark("pr"),
        "object": "response",
        "created_at": CREATED,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "model": reply.model,
        "output": [],
        "parallel_tool_calls": True,
        "service_tier": "default",
        "usage": None,
        **more,
    }


def _ended(reply: Reply) -> dict[str, Any]:
    """Return the whole response; a `stop` other than completed is why it is incomplete."""
    stop = reply.turn.stop or "completed"
    output = [item.whole for item in _items(reply)]
    more: dict[str, Any] = {"output": output, "usage": _usage(reply)}
    if stop != "completed":
        more["incomplete_details"] = {"reason": stop}
    return _response(reply, "completed" if stop == "completed" else "incomplete", **more)


def _usage(reply: Reply) -> dict[str, Any]:
    usage = reply.turn.usage
    given = usage.input + usage.cache_read + usage.cache_creation
    output = output_tokens(reply.turn)
    return {
        "input_tokens": given,
        "input_tokens_details": {"cached_tokens": usage.cache_read},
        "output_tokens": output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": given + output,
    }


def _stream(reply: Reply) -> Iterator[dict[str, Any]]:
    started = _response(reply, "in_progress")
    yield {"type": "response.created", "response": started}
    yield {"type": "response.in_progress", "response": started}
    for index, item in enumerate(_items(reply)):
        yield {"type": "response.output_item.added", "output_index": index, "item": item.start}
        where = {"item_id": item.start["id"], "output_index": index}
        for event in item.events:
            yield {**event, **where}
        yield {"type": "response.output_item.done", "output_index": index, "item": item.whole}
    ended = _ended(reply)
    yield {"type": f"response.{ended['status']}", "response": ended}


def _items(reply: Reply) -> Iterator[Item]:
    for number, part in enumerate(reply.turn.parts):
        yield from _item(part, reply, number)


def _item(part: AnyPart, reply: Reply, number: int) -> Iterator[Item]:
    mark, size = reply.mark(f"p{number}"), reply.turn.piece
    match part:
        case Say(text):
            whole = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
            yield _message(mark, "output_text", "text", whole, size)
        case Cite(text):
            yield _cited(part, mark, size)
        case Refuse(text):
            yield _message(mark, "refusal", "refusal", {"type": "refusal", "refusal": text}, size)
        case Think(text, signature):
            yield _reasoning(mark, text, signature, size)
        case Redacted(data):
            whole = {"id": "rs_" + mark, "type": "reasoning", "summary": []}
            yield Item(whole, [], {**whole, "encrypted_content": data})
        case Use(name, value, call_id):
            call = {"id": "fc_" + mark, "type": "function_call", **_named(name)}
            text = encode(value).decode()
            yield _call({**call, "call_id": call_id or "call_" + mark}, "arguments", text, size)
        case Custom(name, text, call_id):
            call = {"id": "ctc_" + mark, "type": "custom_tool_call", **_named(name)}
            yield _call({**call, "call_id": call_id or "call_" + mark}, "input", text, size)
        case ServerTool():
            yield _search(part, mark)


def _named(name: str) -> dict[str, str]:
    """Return a tool's name; what is before a dot is its namespace."""
    space, _, own = name.rpartition(".")
    return {"name": own, "namespace": space} if space else {"name": own}


def _deltas(kind: str, key: str, text: str, size: int, **where: Any) -> list[dict[str, Any]]:
    """Tell a text in pieces, and then as a whole."""
    return [
        *({"type": f"{kind}.delta", **where, "delta": piece} for piece in pieces(text, size)),
        {"type": f"{kind}.done", **where, key: text},
    ]


def _message(
    mark: str, kind: str, key: str, part: dict[str, Any], size: int, *more: dict[str, Any]
) -> Item:
    start = {"id": "msg_" + mark, "type": "message", "role": "assistant"}
    at = {"content_index": 0}
    empty = {name: [] if isinstance(value, list) else value for name, value in part.items()}
    events = [
        {"type": "response.content_part.added", **at, "part": {**empty, key: ""}},
        *_deltas(f"response.{kind}", key, part[key], size, **at),
        *({**event, **at} for event in more),
        {"type": "response.content_part.done", **at, "part": part},
    ]
    return Item(
        {**start, "status": "in_progress", "content": []},
        events,
        {**start, "status": "completed", "content": [part]},
    )


def _cited(part: Cite, mark: str, size: int) -> Item:
    where = {"start_index": 0, "end_index": len(part.text), "url": part.url, "title": part.title}
    note = {"type": "url_citation", **where}
    whole = {"type": "output_text", "text": part.text, "annotations": [note], "logprobs": []}
    kind = "response.output_text.annotation.added"
    added = {"type": kind, "annotation_index": 0, "annotation": note}
    return _message(mark, "output_text", "text", whole, size, added)


def _reasoning(mark: str, text: str, signature: str, size: int) -> Item:
    start = {"id": "rs_" + mark, "type": "reasoning", "summary": []}
    part = {"type": "summary_text", "text": text}
    kind, at = "response.reasoning_summary_part", {"summary_index": 0}
    events = [
        {"type": f"{kind}.added", **at, "part": {**part, "text": ""}},
        *_deltas("response.reasoning_summary_text", "text", text, size, **at),
        {"type": f"{kind}.done", **at, "part": part},
    ]
    return Item(start, events, {**start, "summary": [part], "encrypted_content": signature})


def _call(call: dict[str, Any], key: str, text: str, size: int) -> Item:
    names = {"arguments": "function_call_arguments", "input": "custom_tool_call_input"}
    return Item(
        {**call, "status": "in_progress", key: ""},
        _deltas(f"response.{names[key]}", key, text, size),
        {**call, "status": "completed", key: text},
    )


def _search(part: ServerTool, mark: str) -> Item:
    start = {"id": part.id or "ws_" + mark, "type": "web_search_call", "status": "in_progress"}
    states = ("in_progress", "searching", "completed")
    events = [{"type": f"response.web_search_call.{state}"} for state in states]
    action = {"type": "search", **part.input}
    return Item(start, events, {**start, "status": "completed", "action": action})
