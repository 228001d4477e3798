"""Messages in the shape of the OpenTelemetry GenAI conventions.

A message is `{"role": …, "parts": […]}`; each part names its `type`. Parts are plain dictionaries,
not structs, because the conventions allow any further type and any further key, and a provider's
news must be kept, not dropped. These constructors are the parts that dialects make.

Source: the JSON schemas `gen-ai-input-messages.json` and `gen-ai-output-messages.json` of the
semantic conventions v1.41.1.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec

Part: TypeAlias = dict[str, Any]


class Message(msgspec.Struct):
    """One message: `role` is system, user, assistant or tool."""

    role: str
    parts: list[Part]


def text(content: str, **more: Any) -> Part:
    """Plain text; `more` keeps what the provider adds, citations for instance."""
    return {"type": "text", "content": content, **more}


def reasoning(content: str, **more: Any) -> Part:
    """A model's thinking; `more` holds its signature or its encrypted form."""
    return {"type": "reasoning", "content": content, **more}


def tool_call(call_id: str, name: str, arguments: Any) -> Part:
    """A tool call; `arguments` is the decoded value, or the raw text where it is not JSON."""
    return {"type": "tool_call", "id": call_id, "name": name, "arguments": arguments}


def tool_call_response(call_id: str, response: Any, *, is_error: bool | None = None) -> Part:
    """What a tool answered; `is_error` only where the provider says so."""
    part = {"type": "tool_call_response", "id": call_id, "response": response}
    return part if is_error is None else {**part, "is_error": is_error}


def server_tool_call(call_id: str, name: str, arguments: Any) -> Part:
    """A call of a tool that the provider itself runs (web search, code execution)."""
    content = {"type": name, "arguments": arguments}
    return {"type": "server_tool_call", "id": call_id, "name": name, "server_tool_call": content}


def server_tool_call_response(call_id: str, kind: str, response: Any) -> Part:
    """What a provider's own tool answered; `kind` is the provider's name for the result block."""
    content = {"type": kind, "response": response}
    return {
        "type": "server_tool_call_response",
        "id": call_id,
        "server_tool_call_response": content,
    }


def blob(modality: str, mime_type: str, content: str) -> Part:
    """Inline data in base64; `modality` is image, audio or video, or document."""
    return {"type": "blob", "modality": modality, "mime_type": mime_type, "content": content}


def uri(modality: str, address: str) -> Part:
    """Data by address."""
    return {"type": "uri", "modality": modality, "uri": address}


def file(modality: str, file_id: str) -> Part:
    """Data by a provider's file id."""
    return {"type": "file", "modality": modality, "file_id": file_id}


def generic(kind: str, value: Any) -> Part:
    """Anything else, whole, under the provider's own type name."""
    return {"type": kind, "value": value}


def encode(message: Message) -> bytes:
    """Encode a message as compact JSON with its keys in one order: equal messages, equal bytes."""
    return msgspec.json.encode(message, order="deterministic")
