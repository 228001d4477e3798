"""A chat completion, or an error in its place, as a `ChatResponse`.

The streamed form is put together as the same completion object first (`openai_chat_stream`), so
that both are read by this one translation.
"""

from __future__ import annotations

from typing import Any

from traceproof.proxy.dialects import jsontext, wire
from traceproof.proxy.dialects import openai_chat_content as content
from traceproof.proxy.dialects.base import ChatResponse, Usage
from traceproof.recorder.messages import Message

_FINISH = {"tool_calls": "tool_call", "function_call": "tool_call"}
_NAMED = (
    "id",
    "object",
    "model",
    "choices",
    "usage",
    "error",
    "obfuscation",
)  # the last is padding


def response(body: bytes) -> ChatResponse:
    """Read a body that was not streamed: a completion, an error, or what a gateway said instead."""
    try:
        value = jsontext.decode(body)
    except ValueError:
        return wire.unreadable(body)
    if not isinstance(value, dict) or not ("choices" in value or is_error(value)):
        return ChatResponse(problems=["the body is not a chat completion"], unknown=[value])
    return answer(value, wire.Notes()) if "choices" in value else failed(value)


def is_error(value: dict[str, Any]) -> bool:
    """Tell an error object: OpenAI's, or vLLM's, which is bare."""
    return value.get("error") is not None or value.get("object") == "error"


def failed(value: dict[str, Any]) -> ChatResponse:
    """Read an error object: {"error": {"message": …, "type": …, "code": …}} and its kin."""
    return wire.failed(value, value["error"]) if "error" in value else wire.failed({}, value)


def report(made: ChatResponse, value: dict[str, Any]) -> None:
    """Add an error that came with, or amid, an answer; its choices did not finish by themselves."""
    reported = failed(value)
    made.error = reported.error
    if "error" in reported.extra:
        made.extra["error"] = reported.extra["error"]
    if made.messages and not made.finish_reasons:
        made.finish_reasons = ["error"] * len(made.messages)


def answer(completion: dict[str, Any], notes: wire.Notes) -> ChatResponse:
    """Translate a completion object; `notes` take what is not of the documented shape."""
    extra = wire.rest(completion, _NAMED)
    usage, more = _usage(completion.get("usage"), notes)
    if more:
        extra["usage"] = more
    choices = [wire.section(choice, "a choice", notes) for choice in _choices(completion, notes)]
    beyond = [_beyond(choice) for choice in choices]
    if any(beyond):
        extra["choices"] = beyond
    made = ChatResponse(
        id=wire.named(completion, "id", notes),
        model=wire.named(completion, "model", notes),
        messages=[_message(choice, notes) for choice in choices],
        finish_reasons=_finish(choices, notes),
        usage=usage,
        extra=extra,
        problems=notes.lines(),
    )
    if is_error(completion):
        report(made, completion)
    return made


def _choices(completion: dict[str, Any], notes: wire.Notes) -> list[Any]:
    choices = completion.get("choices")
    if not isinstance(choices, list):
        notes.add("choices is not a list")
    return wire.items(choices)


def _message(choice: dict[str, Any], notes: wire.Notes) -> Message:
    message = wire.section(choice.get("message"), "a message", notes)
    for call in wire.items(message.get("tool_calls")):
        _check_arguments(wire.record(wire.record(call).get("function")), notes)
    return Message(wire.text(message.get("role")) or "assistant", content.said(message))


def _check_arguments(function: dict[str, Any], notes: wire.Notes) -> None:
    arguments = function.get("arguments")
    if isinstance(arguments, str) and arguments:
        try:
            jsontext.decode(arguments)
        except ValueError:
            notes.add(f"the arguments of {wire.brief(function.get('name'))} are not JSON")


def _beyond(choice: dict[str, Any]) -> dict[str, Any]:
    more = wire.rest(choice, ("index", "message", "finish_reason"))
    message = content.beyond(wire.record(choice.get("message")))
    return {**more, "message": message} if message else more


def _finish(choices: list[dict[str, Any]], notes: wire.Notes) -> list[str]:
    """Return a reason for each choice, an empty one where it has none; nothing if none has any."""
    reasons = [wire.named(choice, "finish_reason", notes) for choice in choices]
    return [_FINISH.get(reason, reason) for reason in reasons] if any(reasons) else []


def _usage(value: Any, notes: wire.Notes) -> tuple[Usage, dict[str, Any]]:
    """Count tokens; OpenAI's `prompt_tokens` includes the cached, as OpenTelemetry wants it."""
    usage = wire.section(value, "usage", notes)
    prompt = wire.section(usage.get("prompt_tokens_details"), "prompt_tokens_details", notes)
    completion = wire.section(
        usage.get("completion_tokens_details"), "completion_tokens_details", notes
    )
    top = wire.counts(
        usage, ("prompt_tokens", "completion_tokens", "prompt_cache_hit_tokens"), notes
    )
    cached = wire.counts(prompt, ("cached_tokens",), notes)["cached_tokens"]
    read = Usage(
        input=top["prompt_tokens"],
        output=top["completion_tokens"],
        cache_read=cached if cached is not None else top["prompt_cache_hit_tokens"],
        reasoning=wire.counts(completion, ("reasoning_tokens",), notes)["reasoning_tokens"],
    )
    return read, _more_usage(usage, prompt, completion)


def _more_usage(
    usage: dict[str, Any], prompt: dict[str, Any], completion: dict[str, Any]
) -> dict[str, Any]:
    """Return the counts without a conventional name; zeros and the total say nothing new."""
    more = wire.rest(usage, ("prompt_tokens", "completion_tokens", "total_tokens"))
    more["prompt_tokens_details"] = wire.rest(prompt, ("cached_tokens",))
    more["completion_tokens_details"] = wire.rest(completion, ("reasoning_tokens",))
    return {key: kept for key, value in more.items() if (kept := wire.nonzero(value))}
