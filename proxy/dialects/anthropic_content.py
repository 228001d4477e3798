"""Anthropic's content blocks as message parts, for requests and responses alike.

A block whose shape is not the documented one is kept whole under its own type name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from traceproof.proxy.dialects import wire
from traceproof.recorder import messages
from traceproof.recorder.messages import Part


def parts(content: Any) -> list[Part]:
    """Translate a message's content, or a system prompt: text, or a list of blocks."""
    if isinstance(content, str):
        return [messages.text(content)]
    if isinstance(content, list):
        return [part(block) for block in content]
    return [] if content is None else [messages.generic("content", content)]


def part(block: Any) -> Part:
    """Translate one content block."""
    if not isinstance(block, dict):
        return messages.generic("content", block)
    kind = block.get("type")
    translate = _BLOCKS.get(kind) if isinstance(kind, str) else None
    if translate is None and isinstance(kind, str) and kind.endswith("_tool_result"):
        translate = _server_tool_result
    return (translate(block) if translate else None) or _whole(block)


def _whole(block: dict[str, Any]) -> Part:
    return messages.generic(wire.text(block.get("type")) or "content", wire.rest(block, ()))


def _text(block: dict[str, Any]) -> Part | None:
    text = block.get("text")
    if not isinstance(text, str):
        return None
    return wire.extended(messages.text(text), block, ("type", "text"))


def _thinking(block: dict[str, Any]) -> Part | None:
    thinking = block.get("thinking")
    if not isinstance(thinking, str):
        return None
    return wire.extended(messages.reasoning(thinking), block, ("type", "thinking"))


def _redacted_thinking(block: dict[str, Any]) -> Part | None:
    data = block.get("data")
    if not isinstance(data, str):
        return None
    return wire.extended(messages.reasoning("", encrypted=data), block, ("type", "data"))


def _call(make: Callable[[str, str, Any], Part]) -> Callable[[dict[str, Any]], Part | None]:
    def translate(block: dict[str, Any]) -> Part | None:
        call_id, name = block.get("id"), block.get("name")
        if not isinstance(call_id, str) or not isinstance(name, str):
            return None
        made = make(call_id, name, block.get("input"))
        return wire.extended(made, block, ("type", "id", "name", "input"))

    return translate


def _tool_result(block: dict[str, Any]) -> Part | None:
    call_id, content, is_error = (block.get(k) for k in ("tool_use_id", "content", "is_error"))
    if not isinstance(call_id, str) or not isinstance(is_error, bool | None):
        return None
    response = [part(item) for item in content] if isinstance(content, list) else content
    made = messages.tool_call_response(call_id, response, is_error=is_error)
    return wire.extended(made, block, ("type", "tool_use_id", "content", "is_error"))


def _server_tool_result(block: dict[str, Any]) -> Part | None:
    kind, call_id = wire.text(block.get("type")), block.get("tool_use_id")
    if not isinstance(call_id, str):
        return None
    made = messages.server_tool_call_response(call_id, kind, block.get("content"))
    return wire.extended(made, block, ("type", "tool_use_id", "content"))


def _media(block: dict[str, Any]) -> Part | None:
    modality, source = wire.text(block.get("type")), wire.record(block.get("source"))
    made = _source(modality, source)
    if made is None:
        return None
    known = ("type", "media_type", "data", "url", "file_id")
    return wire.extended(wire.extended(made, block, ("type", "source")), source, known)


def _source(modality: str, source: dict[str, Any]) -> Part | None:
    match source:
        case {"type": "base64", "media_type": str(mime), "data": str(data)}:
            return messages.blob(modality, mime, data)
        case {"type": "url", "url": str(address)}:
            return messages.uri(modality, address)
        case {"type": "file", "file_id": str(file_id)}:
            return messages.file(modality, file_id)
    return None


_BLOCKS: dict[str, Callable[[dict[str, Any]], Part | None]] = {
    "text": _text,
    "thinking": _thinking,
    "redacted_thinking": _redacted_thinking,
    "tool_use": _call(messages.tool_call),
    "server_tool_use": _call(messages.server_tool_call),
    "mcp_tool_use": _call(messages.server_tool_call),
    "tool_result": _tool_result,
    "image": _media,
    "document": _media,
}
