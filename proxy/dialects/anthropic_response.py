"""An Anthropic message, or an error in its place, as a `ChatResponse`.

The streamed form is put together as the same message object first (`anthropic_stream`), so that
both are read by this one translation.
"""

from __future__ import annotations

from typing import Any

from traceproof.proxy.dialects import jsontext, wire
from traceproof.proxy.dialects.anthropic_content import parts
from traceproof.proxy.dialects.base import ChatResponse, Usage
from traceproof.recorder.messages import Message

_FINISH = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "tool_use": "tool_call",
    "refusal": "content_filter",
}
_INPUTS = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
_NAMED = ("id", "type", "role", "model", "content", "stop_reason", "usage")


def response(body: bytes) -> ChatResponse:
    """Read a body that was not streamed: a message, an error, or what a gateway said instead."""
    try:
        value = jsontext.decode(body)
    except ValueError:
        return wire.unreadable(body)
    notes = wire.Notes()
    if isinstance(value, dict) and value.get("type") == "error":
        return failed(value)
    if isinstance(value, dict) and (value.get("type") == "message" or "content" in value):
        return answer(value, notes)
    if isinstance(value, dict) and "error" in value:
        return failed(value)
    return ChatResponse(problems=["the body is not a message"], unknown=[value])


def failed(value: dict[str, Any]) -> ChatResponse:
    """Read an error object: {"type": "error", "error": {"type": …, "message": …}}."""
    return wire.failed(value, value.get("error"))


def answer(message: dict[str, Any], notes: wire.Notes) -> ChatResponse:
    """Translate a message object; `notes` take what is not of the documented shape."""
    extra = wire.rest(message, _NAMED)
    usage, more = _usage(message.get("usage"), notes)
    if more:
        extra["usage"] = more
    if not isinstance(message.get("content"), str | list | None):
        notes.add("the content is not a list of blocks")
    said = Message(wire.text(message.get("role")) or "assistant", parts(message.get("content")))
    return ChatResponse(
        id=wire.named(message, "id", notes),
        model=wire.named(message, "model", notes),
        messages=[said],
        finish_reasons=_finish(message.get("stop_reason"), notes),
        usage=usage,
        extra=extra,
        problems=notes.lines(),
    )


def _finish(reason: Any, notes: wire.Notes) -> list[str]:
    if not isinstance(reason, str | None):
        notes.add(f"stop_reason is a {wire.brief(reason)}")
    return [_FINISH.get(reason, reason)] if isinstance(reason, str) else []


def _usage(value: Any, notes: wire.Notes) -> tuple[Usage, dict[str, Any]]:
    """Count by OpenTelemetry's rule: Anthropic's `input_tokens` leaves out what the cache held."""
    usage = wire.section(value, "usage", notes)
    counts = wire.counts(usage, (*_INPUTS, "output_tokens"), notes)
    read = Usage(
        input=sum(counts[key] or 0 for key in _INPUTS)
        if counts["input_tokens"] is not None
        else None,
        output=counts["output_tokens"],
        cache_read=counts["cache_read_input_tokens"],
        cache_creation=counts["cache_creation_input_tokens"],
    )
    return read, wire.rest(usage, [key for key, number in counts.items() if number is not None])
