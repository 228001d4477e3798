"""A call's messages and tools as OpenInference spreads them: an attribute for each little thing.

A message with several tool results becomes one message a result, as OpenInference has it; what is
no text, thinking, image or tool call stands as JSON text, so that nothing is left out.
"""

from __future__ import annotations

from typing import Any

import msgspec

from traceproof.recorder import semconv
from traceproof.recorder.messages import Message, Part
from traceproof.recorder.span import Attributes

_TEXTS = {"text": "text", "reasoning": "reasoning"}


def attributes_of(attributes: Attributes) -> Attributes:
    """Return the messages, the tools, and the last words either side said, as attributes."""
    system = _parts(attributes.get(semconv.SYSTEM_INSTRUCTIONS))
    asked = _messages(attributes.get(semconv.INPUT_MESSAGES))
    answered = _messages(attributes.get(semconv.OUTPUT_MESSAGES))
    if system:
        asked.insert(0, Message("system", system))
    return (
        _spread("llm.input_messages", asked)
        | _spread("llm.output_messages", answered)
        | _tools(attributes.get(semconv.TOOL_DEFINITIONS))
        | _last_words("input", asked)
        | _last_words("output", answered)
    )


def _messages(value: Any) -> list[Message]:
    try:
        return msgspec.json.decode(value, type=list[Message]) if isinstance(value, str) else []
    except (ValueError, RecursionError):
        return []


def _parts(value: Any) -> list[Part]:
    try:
        return msgspec.json.decode(value, type=list[Part]) if isinstance(value, str) else []
    except (ValueError, RecursionError):
        return []


def _spread(prefix: str, messages: list[Message]) -> Attributes:
    found: Attributes = {}
    single = [one for message in messages for one in _by_result(message)]
    for number, message in enumerate(single):
        for name, value in _message(message).items():
            found[f"{prefix}.{number}.message.{name}"] = value
    return found


def _by_result(message: Message) -> list[Message]:
    """Part a message at its tool results: each stands alone, with the role `tool`."""
    results = [part for part in message.parts if _type(part) == "tool_call_response"]
    rest = [part for part in message.parts if _type(part) != "tool_call_response"]
    parted = [Message("tool", [part]) for part in results]
    return [*parted, Message(message.role, rest)] if rest or not results else parted


def _message(message: Message) -> Attributes:
    """Return one message's attributes, without their prefix."""
    found: Attributes = {"role": message.role}
    contents: list[Attributes] = []
    calls = 0
    for part in message.parts:
        match _type(part):
            case "tool_call":
                for name, value in _call(part).items():
                    found[f"tool_calls.{calls}.tool_call.{name}"] = value
                calls += 1
            case "tool_call_response":
                found["tool_call_id"] = str(part.get("id", ""))
                contents.append({"type": "text", "text": _text(part.get("response"))})
            case _:
                contents.append(_content(part))
    if len(contents) == 1 and contents[0]["type"] == "text":
        found["content"] = contents[0]["text"]
        return found
    for number, content in enumerate(contents):
        for name, value in content.items():
            found[f"contents.{number}.message_content.{name}"] = value
    return found


def _call(part: Part) -> Attributes:
    arguments = part.get("arguments")
    return {
        "id": str(part.get("id", "")),
        "function.name": str(part.get("name", "")),
        "function.arguments": _text({} if arguments is None else arguments),
    }


def _content(part: Part) -> Attributes:
    kind = _type(part)
    if kind in _TEXTS:
        return {"type": _TEXTS[kind], "text": _text(part.get("content", ""))}
    if part.get("modality") == "image":
        url = part.get("uri")
        if kind == "blob":
            url = f"data:{part.get('mime_type', '')};base64,{part.get('content', '')}"
        if url:
            return {"type": "image", "image.image.url": str(url)}
    return {"type": "text", "text": _text(part)}


def _tools(value: Any) -> Attributes:
    return {
        f"llm.tools.{number}.tool.json_schema": _text(_tool(tool))
        for number, tool in enumerate(_parts(value))
    }


def _tool(tool: Part) -> Part:
    """Wrap a tool's definition as OpenInference's readers expect it."""
    function = {name: tool[name] for name in ("name", "description", "parameters") if name in tool}
    return {"type": tool.get("type", "function"), "function": function}


def _last_words(side: str, messages: list[Message]) -> Attributes:
    """Say what a call came to, for lists of calls: the last message's text, or its tool calls."""
    if not messages:
        return {}
    parts = messages[-1].parts
    texts = [_text(part.get("content", "")) for part in parts if _type(part) == "text"]
    texts += [_text(p.get("response")) for p in parts if _type(p) == "tool_call_response"]
    if texts:
        return {f"{side}.value": "\n".join(texts), f"{side}.mime_type": "text/plain"}
    return {f"{side}.value": _text(parts), f"{side}.mime_type": "application/json"}


def _type(part: Part) -> str:
    return str(part.get("type", ""))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
