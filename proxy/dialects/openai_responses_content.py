"""Items of OpenAI's Responses API as our messages, for requests and responses alike.

A conversation is a flat list of items: messages, thoughts, calls and their results stand side by
side. What is not of the documented shape is kept whole under its own type name.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from traceproof.proxy.dialects import wire
from traceproof.proxy.dialects.openai_chat_content import addressed, arguments_of
from traceproof.recorder import messages
from traceproof.recorder.messages import Message, Part

_ROLES = {"developer": "system"}
_NOTES = "internal_chat_message_metadata_passthrough"
_MODEL_S = ("compaction", "mcp_approval_request", "mcp_list_tools")
"""Kinds of item that the provider's side says, beside messages, thoughts and calls."""


class _Asked(NamedTuple):
    """Where a kind of call keeps what it asks for, and its result where the provider gives that."""

    name: str
    arguments: str
    result: str = ""


_CALLS = {
    "function_call": _Asked("", "arguments"),
    "custom_tool_call": _Asked("", "input"),
    "local_shell_call": _Asked("local_shell", "action"),
    "shell_call": _Asked("shell", "action"),
    "apply_patch_call": _Asked("apply_patch", "operation"),
    "computer_call": _Asked("computer", "action"),
}
"""Calls that the agent is to carry out; those without a name here name their tool themselves."""

_SERVER_CALLS = {
    "mcp_call": _Asked("", "arguments", "output"),
    "web_search_call": _Asked("web_search", "action", "results"),
    "file_search_call": _Asked("file_search", "queries", "results"),
    "code_interpreter_call": _Asked("code_interpreter", "code", "outputs"),
    "image_generation_call": _Asked("image_generation", "revised_prompt", "result"),
}
"""Calls that the provider carries out itself."""


def message(element: Any) -> Message:
    """Translate one item of a request's input; text alone is the user's."""
    if isinstance(element, str):
        return Message("user", [messages.text(element)])
    if not isinstance(element, dict):
        return Message("user", [messages.generic("item", element)])
    return Message(_role(element), item(element))


def item(value: Any) -> list[Part]:
    """Translate an item into the parts it is."""
    if not isinstance(value, dict):
        return [messages.generic("item", value)]
    kind = _kind(value)
    if kind == "message":
        return _message_parts(value)
    if kind == "reasoning":
        return _thoughts(value)
    made = [*_call(kind, value), *_server_call(kind, value), *_answer(kind, value)]
    return made or [messages.generic(kind or "item", wire.rest(value, ("type",)))]


def parts(content: Any) -> list[Part]:
    """Translate a message's content: text, or a list of parts."""
    if isinstance(content, str):
        return [messages.text(content)]
    if isinstance(content, list):
        return [_part(each) for each in content]
    return [] if content is None else [messages.generic("content", content)]


def _kind(value: dict[str, Any]) -> str:
    """Return an item's type; a message may leave it out."""
    kind = wire.text(value.get("type"))
    return "message" if not kind and ("role" in value or "content" in value) else kind


def _role(value: dict[str, Any]) -> str:
    role = wire.text(value.get("role"))
    if role:
        return _ROLES.get(role, role)
    kind = _kind(value)
    if kind.endswith(("_output", "_call_result")):
        return "tool"
    called = kind == "reasoning" or kind.endswith("_call") or kind in _MODEL_S
    return "assistant" if called else "user"


def _said(value: dict[str, Any]) -> dict[str, Any]:
    """Return an item without what says nothing to the model: that it is complete, Codex's notes.

    So an item that Codex sends back is the item that the answer held.
    """
    done = ("status",) if value.get("status") == "completed" else ()
    return wire.rest(value, (_NOTES, *done))


def _message_parts(value: dict[str, Any]) -> list[Part]:
    made = parts(value.get("content"))
    known = ("type", "role", "content") if isinstance(value.get("role"), str) else ("content",)
    if made:
        wire.extended(made[0], _said(value), ("type", *known))
        return made
    return wire.leftovers(_said(value), ("type", *known))


def _thoughts(value: dict[str, Any]) -> list[Part]:
    """Translate a thought: its summary, its text where that is shown, its encrypted form."""
    made = [
        *(_thought(each, kind="summary") for each in wire.items(value.get("summary"))),
        *(_thought(each) for each in wire.items(value.get("content"))),
    ] or [messages.reasoning("")]
    known = ["type", *(key for key in ("summary", "content") if _is_list(value.get(key)))]
    encrypted = value.get("encrypted_content")
    if isinstance(encrypted, str):
        made[-1]["encrypted"] = encrypted
        known.append("encrypted_content")
    wire.extended(made[-1], _said(value), known)
    return made


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _thought(value: Any, **more: Any) -> Part:
    if not isinstance(value, dict) or not isinstance(value.get("text"), str):
        return messages.generic("reasoning_part", value)
    return wire.extended(messages.reasoning(value["text"], **more), value, ("type", "text"))


def _call(kind: str, value: dict[str, Any]) -> list[Part]:
    """Translate a call of one of the agent's tools; any further `…_call` with an id is one."""
    call_id = value.get("call_id")
    named = wire.text(value.get("name"))
    asked = _CALLS.get(kind) or _Asked("" if named else kind.removesuffix("_call"), "action")
    name = asked.name or named
    if not kind.endswith("_call") or kind in _SERVER_CALLS:
        return []
    if not isinstance(call_id, str) or not name:
        return []
    arguments = value.get(asked.arguments)
    if kind == "function_call":
        arguments = arguments_of(arguments)
    known = ["call_id", asked.arguments, *(["name"] if not asked.name else [])]
    known += ["type"] if kind == "function_call" else []
    return [wire.extended(messages.tool_call(call_id, name, arguments), _said(value), known)]


def _server_call(kind: str, value: dict[str, Any]) -> list[Part]:
    """Translate a call that the provider carried out, with its result where it shows that."""
    asked = _SERVER_CALLS.get(kind)
    call_id = value.get("id")
    if asked is None or not isinstance(call_id, str):
        return []
    name = asked.name or wire.label(value.get("name"))
    arguments = value.get(asked.arguments)
    if kind == "mcp_call":
        arguments = arguments_of(arguments)
    made = messages.server_tool_call(call_id, name, arguments)
    known = ("type", "id", asked.arguments, asked.result, *(() if asked.name else ("name",)))
    wire.extended(made, _said(value), known)
    result = value.get(asked.result)
    if result is None:
        return [made]
    return [made, messages.server_tool_call_response(call_id, kind, result)]


def _answer(kind: str, value: dict[str, Any]) -> list[Part]:
    """Translate a tool's answer: text, or a list of parts, or what a tool of a kind gives."""
    key = "call_id" if isinstance(value.get("call_id"), str) else "id"
    call_id = value.get(key)
    if not kind.endswith("_output") or not isinstance(call_id, str):
        return []
    output = value.get("output")
    response = [_output(each) for each in output] if isinstance(output, list) else output
    known = [key, "output", *(["type"] if kind == "function_call_output" else [])]
    return [
        wire.extended(messages.tool_call_response(call_id, response), _said(value), known),
    ]


def _output(value: Any) -> Any:
    """Translate a part of a tool's answer; what has no type is the tool's own."""
    return _part(value) if isinstance(value, dict) and "type" in value else value


def _part(value: Any) -> Part:
    if not isinstance(value, dict):
        return messages.generic("content", value)
    made, *known = _known_part(value)
    if made is None:
        return messages.generic(wire.text(value.get("type")) or "content", wire.rest(value, ()))
    more = {key: each for key, each in value.items() if each != []}
    return wire.extended(made, more, ("type", *known))


def _known_part(value: dict[str, Any]) -> tuple[Part | None, *tuple[str, ...]]:
    """Translate a part of a documented kind, and name the keys that it used."""
    match value:
        case {"type": "input_text" | "output_text" | "text", "text": str(text)}:
            return messages.text(text), "text"
        case {"type": "refusal", "refusal": str(text)}:
            return messages.generic("refusal", text), "refusal"
        case {"type": "input_image" | "computer_screenshot", "image_url": str(url)}:
            return addressed("image", url), "image_url"
        case {"type": "input_image" | "computer_screenshot", "file_id": str(file_id)}:
            return messages.file("image", file_id), "file_id"
        case {"type": "input_file", "file_id": str(file_id)}:
            return messages.file("document", file_id), "file_id"
        case {"type": "input_file", "file_data": str(data)}:
            return addressed("document", data), "file_data"
        case {"type": "input_file", "file_url": str(url)}:
            return messages.uri("document", url), "file_url"
        case {"type": "input_audio", "input_audio": {"data": str(data)} as audio}:
            mime = f"audio/{wire.text(audio.get('format'))}"
            return messages.blob("audio", mime, data), "input_audio"
    return None, ""
