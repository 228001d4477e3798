"""What Gemini generates, or an error in its place, as a `ChatResponse`.

The streamed form is put together as the same object first (`gemini_stream`), so that both are read
by this one translation.
"""

from __future__ import annotations

from typing import Any

from traceproof.proxy.dialects import gemini_content as content
from traceproof.proxy.dialects import jsontext, wire
from traceproof.proxy.dialects.base import ChatResponse, Usage
from traceproof.recorder.messages import Message, Part

_FILTERED = ("BLOCKLIST", "IMAGE_SAFETY", "PROHIBITED_CONTENT", "RECITATION", "SAFETY", "SPII")
_FINISH = {"STOP": "stop", "MAX_TOKENS": "length", **dict.fromkeys(_FILTERED, "content_filter")}
_NAMED = ("responseId", "modelVersion", "candidates", "usageMetadata", "error")
_COUNTS = (
    "promptTokenCount",
    "toolUsePromptTokenCount",
    "cachedContentTokenCount",
    "candidatesTokenCount",
    "thoughtsTokenCount",
)
_ANSWERS = frozenset({"candidates", "promptFeedback", "usageMetadata"})


def response(body: bytes, inside: str = "") -> ChatResponse:
    """Read a body that was not streamed: an answer, an error, or what a gateway said instead.

    `inside` is the key under which the answer stands, where a gateway wraps it.
    """
    try:
        value = jsontext.decode(body)
    except ValueError:
        return wire.unreadable(body)
    if inside and isinstance(value, dict):
        value = unwrapped(value, inside)
    if isinstance(value, dict) and value.get("error") is not None:
        return failed(value)
    if isinstance(value, dict) and not _ANSWERS.isdisjoint(value):
        return answer(value, wire.Notes())
    return ChatResponse(problems=["the body is not what a model generated"], unknown=[value])


def unwrapped(value: dict[str, Any], inside: str) -> dict[str, Any]:
    """Return an answer without its wrapping; what that says besides goes with it."""
    inner = value.get(inside)
    return {**wire.rest(value, (inside,)), **inner} if isinstance(inner, dict) else value


def failed(value: dict[str, Any]) -> ChatResponse:
    """Read an error: {"error": {"code": 429, "message": …, "status": "RESOURCE_EXHAUSTED"}}."""
    error = value.get("error")
    if isinstance(error, dict) and "type" not in error:
        error = {**wire.rest(error, ("status",)), "type": error.get("status")}
    return wire.failed(wire.rest(value, _NAMED), error)


def answer(value: dict[str, Any], notes: wire.Notes) -> ChatResponse:
    """Translate what was generated; `notes` take what is not of the documented shape."""
    extra = wire.rest(value, _NAMED)
    usage, more = _usage(value.get("usageMetadata"), notes)
    if more:
        extra["usageMetadata"] = more
    candidates = [wire.section(each, "a candidate", notes) for each in _candidates(value, notes)]
    beyond = [_beyond(candidate) for candidate in candidates]
    if any(beyond):
        extra["candidates"] = beyond
    said = [_message(candidate, notes) for candidate in candidates]
    return ChatResponse(
        id=wire.named(value, "responseId", notes),
        model=wire.named(value, "modelVersion", notes),
        messages=said,
        finish_reasons=_finish(candidates, said, notes) or _blocked(value),
        usage=usage,
        extra=extra,
        problems=notes.lines(),
    )


def blocked(value: dict[str, Any]) -> bool:
    """Tell whether the prompt was refused, in which case there is no answer."""
    return wire.record(value.get("promptFeedback")).get("blockReason") is not None


def _blocked(value: dict[str, Any]) -> list[str]:
    return ["content_filter"] if blocked(value) else []


def _candidates(value: dict[str, Any], notes: wire.Notes) -> list[Any]:
    candidates = value.get("candidates")
    if not isinstance(candidates, list | None):
        notes.add("candidates is not a list")
    return wire.items(candidates)


def _message(candidate: dict[str, Any], notes: wire.Notes) -> Message:
    given = wire.section(candidate.get("content"), "a content", notes)
    said = [_noted(part, notes) for part in content.parts(given)]
    return Message("assistant", [part for part in said if not _empty(part)])


def _noted(part: Part, notes: wire.Notes) -> Part:
    if part["type"] == "functionCall":
        notes.add("a function call has no name")
    return part


def _empty(part: Part) -> bool:
    """Tell the empty text that a stream may end with."""
    return len(part) == 2 and part.get("content") == ""  # noqa: PLR2004  its type, its content


def _beyond(candidate: dict[str, Any]) -> dict[str, Any]:
    more = wire.rest(candidate, ("index", "content", "finishReason"))
    given = wire.rest(wire.record(candidate.get("content")), ("role", "parts"))
    if given:
        more["content"] = given
    reason = candidate.get("finishReason")
    if reason in _FILTERED and reason != "SAFETY":
        more["finishReason"] = reason
    return more


def _finish(candidates: list[dict[str, Any]], said: list[Message], notes: wire.Notes) -> list[str]:
    """Return a reason for each candidate; one that stopped to call a tool has that for a reason."""
    reasons = [wire.named(candidate, "finishReason", notes) for candidate in candidates]
    made = [_FINISH.get(reason, reason) for reason in reasons]
    for index, message in enumerate(said):
        calls = any(part["type"] == "tool_call" for part in message.parts)
        made[index] = "tool_call" if calls and made[index] == "stop" else made[index]
    return made if any(made) else []


def _usage(value: Any, notes: wire.Notes) -> tuple[Usage, dict[str, Any]]:
    """Count by OpenTelemetry's rule: thoughts are output, and so is what tools read input.

    A count that is zero is left out on this wire.
    """
    usage = wire.section(value, "usageMetadata", notes)
    prompt, tools, cached, said, thought = wire.counts(usage, _COUNTS, notes).values()
    read = Usage(
        input=prompt if prompt is None else wire.total((prompt, tools or 0)),
        output=None if said is None and thought is None else wire.total((said or 0, thought or 0)),
        cache_read=cached,
        reasoning=thought,
    )
    counted = [key for key in _COUNTS if wire.count(usage.get(key)) is not None]
    return read, wire.rest(usage, (*counted, "totalTokenCount"))
