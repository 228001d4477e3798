"""Gemini's contents as our messages, for requests and responses alike.

Names may come in camelCase or, as protocol buffers allow, in snake_case. A call that has no id gets
an empty one. What is not of the documented shape is kept whole under its own name.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from traceproof.proxy.dialects import wire
from traceproof.recorder import messages
from traceproof.recorder.messages import Message, Part

_ROLES = {"model": "assistant", "function": "tool"}
_SNAKE = re.compile(r"_([a-z])")
_BESIDE = frozenset({"thought", "thoughtSignature", "videoMetadata", "mediaResolution"})
"""What a part may say beside the one thing that it is."""


def camel(value: dict[str, Any]) -> dict[str, Any]:
    """Return an object with its own names in camelCase."""
    if not any("_" in key for key in value):
        return value
    return {_SNAKE.sub(lambda found: found[1].upper(), key): item for key, item in value.items()}


def message(element: Any) -> Message:
    """Translate one of a request's contents; a user's that holds only results is the tool's."""
    if not isinstance(element, dict):
        return Message("user", parts(element))
    role = wire.text(element.get("role"))
    known = ("role", "parts") if role else ("parts",)
    said = [*parts({"parts": element.get("parts")}), *wire.leftovers(element, known)]
    answers = {part["type"] for part in said} == {"tool_call_response"}
    ours = "tool" if role == "user" and answers else _ROLES.get(role, role) or "user"
    return Message(ours, said)


def parts(content: Any) -> list[Part]:
    """Translate a content: text, or an object with a list of parts."""
    if isinstance(content, str):
        return [messages.text(content)]
    if not isinstance(content, dict):
        return [] if content is None else [messages.generic("content", content)]
    given = content.get("parts")
    if isinstance(given, list):
        return [part(each) for each in given]
    if isinstance(given, dict):  # protocol buffers take one for a list of one
        return [part(given)]
    return [] if given is None else [messages.generic("parts", given)]


def part(value: Any) -> Part:
    """Translate one part."""
    if not isinstance(value, dict):
        return messages.generic("part", value)
    named = camel(value)
    kind = next((key for key in named if key in _KINDS), "")
    made = _KINDS[kind](named) if kind else None
    if made is not None:
        return made
    other = next((key for key in named if key not in _BESIDE), "part")
    return messages.generic(other, wire.rest(value, ()))


def _text(value: dict[str, Any]) -> Part | None:
    text, thought = value["text"], value.get("thought")
    if not isinstance(text, str):
        return None
    made = messages.reasoning(text) if thought is True else messages.text(text)
    return wire.extended(made, value, ("text", "thought") if thought is True else ("text",))


def _call(value: dict[str, Any]) -> Part | None:
    call = value["functionCall"]
    if not isinstance(call, dict) or not isinstance(call.get("name"), str):
        return None
    arguments = call.get("args")
    call_id, known = _id(call, "name", "args")
    made = messages.tool_call(call_id, call["name"], {} if arguments is None else arguments)
    return wire.extended(wire.extended(made, camel(call), known), value, ("functionCall",))


def _answer(value: dict[str, Any]) -> Part | None:
    """Translate a tool's answer: by Gemini's rule its text is under `output`, or under `error`."""
    answer = value["functionResponse"]
    if not isinstance(answer, dict):
        return None
    call_id, known = _id(answer, "response")
    response, is_error = answer.get("response"), None
    match response:
        case {"output": str(text), **more} if not more:
            response = text
        case {"error": str(text), **more} if not more:
            response, is_error = text, True
    made = messages.tool_call_response(call_id, response, is_error=is_error)
    return wire.extended(wire.extended(made, camel(answer), known), value, ("functionResponse",))


def _id(value: dict[str, Any], *known: str) -> tuple[str, tuple[str, ...]]:
    """Return an object's id, and the names that then are known; a wrong one is not."""
    found = value.get("id")
    return (found, (*known, "id")) if isinstance(found, str) else ("", known)


def _inline(value: dict[str, Any]) -> Part | None:
    data = camel(wire.record(value["inlineData"]))
    match data:
        case {"mimeType": str(mime), "data": str(content)}:
            made = messages.blob(_modality(mime), mime, content)
            wire.extended(made, data, ("mimeType", "data"))
            return wire.extended(made, value, ("inlineData",))
    return None


def _file(value: dict[str, Any]) -> Part | None:
    data = camel(wire.record(value["fileData"]))
    match data:
        case {"fileUri": str(address)}:
            mime = wire.text(data.get("mimeType"))
            made = messages.uri(_modality(mime), address)
            if mime:
                made["mime_type"] = mime
            wire.extended(made, data, ("fileUri", "mimeType") if mime else ("fileUri",))
            return wire.extended(made, value, ("fileData",))
    return None


def _modality(mime: str) -> str:
    kind = mime.partition("/")[0]
    return kind if kind in {"image", "audio", "video"} else "document"


def _code(value: dict[str, Any]) -> Part | None:
    code = value["executableCode"]
    if not isinstance(code, dict):
        return None
    call_id, known = _id(code)
    made = messages.server_tool_call(call_id, "code_execution", wire.rest(code, known))
    return wire.extended(made, value, ("executableCode",))


def _code_result(value: dict[str, Any]) -> Part | None:
    result = value["codeExecutionResult"]
    if not isinstance(result, dict):
        return None
    call_id, known = _id(result)
    kind, content = "code_execution_result", wire.rest(result, known)
    made = messages.server_tool_call_response(call_id, kind, content)
    return wire.extended(made, value, ("codeExecutionResult",))


_KINDS: dict[str, Callable[[dict[str, Any]], Part | None]] = {
    "text": _text,
    "functionCall": _call,
    "functionResponse": _answer,
    "inlineData": _inline,
    "fileData": _file,
    "executableCode": _code,
    "codeExecutionResult": _code_result,
}
