"""OpenAI's chat messages as ours, for requests and responses alike.

What is not of the documented shape is kept whole under its own name.
"""

from __future__ import annotations

from typing import Any

from traceproof.proxy.dialects import jsontext, wire
from traceproof.recorder import messages
from traceproof.recorder.messages import Message, Part

_ROLES = {"developer": "system"}
_REASONING = ("reasoning_content", "reasoning")
_SAID = (
    "role",
    "content",
    "refusal",
    "tool_calls",
    "function_call",
    *_REASONING,
)


def message(element: Any) -> Message:
    """Translate one message of a request; what has no name of ours becomes a part of its own."""
    if not isinstance(element, dict):
        return Message("user", [messages.generic("message", element)])
    role = wire.text(element.get("role"))
    if role in {"tool", "function"}:
        return Message("tool", [_answer(element)])
    known = _SAID if role else _SAID[1:]
    return Message(
        _ROLES.get(role, role) or "user", [*said(element), *wire.leftovers(element, known)]
    )


def said(element: dict[str, Any]) -> list[Part]:
    """Translate what a message says, in the order a model says it: thoughts, text, calls."""
    return [
        *_thoughts(element),
        *_content(element.get("content")),
        *_refusal(element.get("refusal")),
        *_calls(element),
    ]


def beyond(element: dict[str, Any]) -> dict[str, Any]:
    """Return what `said` leaves out."""
    return wire.rest(element, _SAID)


def _answer(element: dict[str, Any]) -> Part:
    """Translate a tool's answer; a legacy function has a name and no id."""
    content, call_id = element.get("content"), element.get("tool_call_id")
    response = [_part(item) for item in content] if isinstance(content, list) else content
    made = messages.tool_call_response(wire.text(call_id), response)
    known = ("role", "content", "tool_call_id") if isinstance(call_id, str) else ("role", "content")
    return wire.extended(made, element, known)


def _thoughts(element: dict[str, Any]) -> list[Part]:
    """Translate the thinking that DeepSeek and others put beside the content, once."""
    made: list[Part] = []
    for key in _REASONING:
        value = element.get(key)
        if isinstance(value, str):
            thought = messages.reasoning(value)
            made += [thought] if value and thought not in made else []
        elif value is not None:
            made.append(messages.generic(key, value))
    return made


def _content(content: Any) -> list[Part]:
    if isinstance(content, str):
        return [messages.text(content)]
    if isinstance(content, list):
        return [_part(item) for item in content]
    return [] if content is None else [messages.generic("content", content)]


def _refusal(value: Any) -> list[Part]:
    return [] if value is None else [messages.generic("refusal", value)]


def _part(item: Any) -> Part:
    if not isinstance(item, dict):
        return messages.generic("content", item)
    made, known = _known_part(item)
    if made is None:
        return messages.generic(wire.text(item.get("type")) or "content", wire.rest(item, ()))
    return wire.extended(made, item, ("type", known))


def _known_part(item: dict[str, Any]) -> tuple[Part | None, str]:
    """Translate a part of a documented kind, and name the key that it used."""
    match item:
        case {"type": "text", "text": str(text)}:
            return messages.text(text), "text"
        case {"type": "refusal", "refusal": str(text)}:
            return messages.generic("refusal", text), "refusal"
        case {"type": "image_url", "image_url": {"url": str(address)} as image}:
            return wire.extended(addressed("image", address), image, ("url",)), "image_url"
        case {"type": "input_audio", "input_audio": {"data": str(data)} as audio}:
            mime = f"audio/{wire.text(audio.get('format'))}"
            known = ("data", "format")
            return wire.extended(messages.blob("audio", mime, data), audio, known), "input_audio"
        case {"type": "file", "file": {"file_id": str(file_id)} as file}:
            return wire.extended(messages.file("document", file_id), file, ("file_id",)), "file"
        case {"type": "file", "file": {"file_data": str(data)} as file}:
            return wire.extended(addressed("document", data), file, ("file_data",)), "file"
    return None, ""


def addressed(modality: str, address: str) -> Part:
    """Translate an address; one that holds its data (`data:image/png;base64,…`) is a blob."""
    head, comma, data = address.partition(",")
    if comma and head.startswith("data:") and head.endswith(";base64"):
        return messages.blob(modality, head[5:-7], data)
    return messages.uri(modality, address)


def _calls(element: dict[str, Any]) -> list[Part]:
    calls, legacy = element.get("tool_calls"), element.get("function_call")
    made = [_call(call) for call in wire.items(calls)]
    if calls is not None and not isinstance(calls, list):
        made.append(messages.generic("tool_calls", calls))
    if isinstance(legacy, dict):
        made.append(_call({"function": legacy}))
    elif legacy is not None:
        made.append(messages.generic("function_call", legacy))
    return made


def _call(call: Any) -> Part:
    """Translate a call of a function (arguments in JSON) or of a custom tool (plain input)."""
    match call:
        case {"custom": {"name": str(name)} as what} if call.get("type") == "custom":
            key, arguments = "custom", what.get("input")
        case {"function": {"name": str(name)} as what}:
            key, arguments = "function", arguments_of(what.get("arguments"))
        case _:
            return messages.generic("tool_call", call)
    made = messages.tool_call(wire.text(call.get("id")), name, arguments)
    wire.extended(made, what, ("name", "arguments", "input"))
    return wire.extended(made, call, ("id", "type", "index", key))


def arguments_of(value: Any) -> Any:
    """Decode arguments where they are JSON; none is no arguments, anything else stays as it is."""
    if not isinstance(value, str):
        return value
    if not value:
        return {}
    try:
        return jsontext.decode(value)
    except ValueError:
        return value
