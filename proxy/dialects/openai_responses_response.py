"""A response object of OpenAI's Responses API, or an error in its place, as a `ChatResponse`.

The streamed form is put together as the same object first (`openai_responses_stream`), so that both
are read by this one translation.
"""

from __future__ import annotations

from typing import Any

from traceproof.proxy.dialects import jsontext, wire
from traceproof.proxy.dialects import openai_responses_content as content
from traceproof.proxy.dialects.base import ChatResponse, Usage
from traceproof.recorder.messages import Message, Part

_INCOMPLETE = {"max_output_tokens": "length"}
_NAMED = ("id", "object", "model", "output", "output_text", "usage", "status", "error")
_ECHOED = ("instructions", "tools", "input", "prompt")
"""What a response repeats of its request, at length."""


def response(body: bytes) -> ChatResponse:
    """Read a body that was not streamed: a response, an error, or what a gateway said instead."""
    try:
        value = jsontext.decode(body)
    except ValueError:
        return wire.unreadable(body)
    if isinstance(value, dict) and ("output" in value or value.get("object") == "response"):
        return answer(value, wire.Notes())
    if isinstance(value, dict) and value.get("error") is not None:
        return failed(value)
    if isinstance(value, dict) and value.get("detail") is not None:
        return failed({"error": value["detail"]})  # ChatGPT's backend says it so
    return ChatResponse(problems=["the body is not a response"], unknown=[value])


def failed(value: dict[str, Any]) -> ChatResponse:
    """Read an error: under `error`, or bare as an event is; without a type, its code is its kind.

    The errors of responses and of events have a code alone: {"code": …, "message": …}.
    """
    error = value.get("error")
    if error is None:
        error, value = wire.rest(value, ("type", "sequence_number")), {}
    if isinstance(error, dict) and not error.get("type"):
        error = {**wire.rest(error, ("code",)), "type": error.get("code")}
    return wire.failed(wire.rest(value, ("sequence_number",)), error)


def report(made: ChatResponse, value: dict[str, Any]) -> None:
    """Add an error that came with, or amid, an answer; it did not finish by itself."""
    reported = failed(value)
    made.error = reported.error
    if "error" in reported.extra:
        made.extra["error"] = reported.extra["error"]
    if made.messages and not made.finish_reasons:
        made.finish_reasons = ["error"]


def answer(value: dict[str, Any], notes: wire.Notes) -> ChatResponse:
    """Translate a response object; `notes` take what is not of the documented shape."""
    extra = wire.rest(value, (*_NAMED, *_ECHOED))
    usage, more = _usage(value.get("usage"), notes)
    if more:
        extra["usage"] = more
    if not isinstance(value.get("output"), list | None):
        notes.add("output is not a list of items")
    said = [part for each in wire.items(value.get("output")) for part in _parts(each, notes)]
    made = ChatResponse(
        id=wire.named(value, "id", notes),
        model=wire.named(value, "model", notes),
        messages=[Message("assistant", said)] if said else [],
        finish_reasons=_finish(value, said, notes),
        usage=usage,
        extra=extra,
        problems=notes.lines(),
    )
    if value.get("error") is not None:
        report(made, {"error": value["error"]})
    return made


def _parts(value: Any, notes: wire.Notes) -> list[Part]:
    if not isinstance(value, dict):
        notes.add("an item is not an object")
        return content.item(value)
    if wire.text(value.get("type")) in {"function_call", "mcp_call"}:
        _check_arguments(value, notes)
    return content.item(value)


def _check_arguments(value: dict[str, Any], notes: wire.Notes) -> None:
    arguments = value.get("arguments")
    if isinstance(arguments, str) and arguments:
        try:
            jsontext.decode(arguments)
        except ValueError:
            notes.add(f"the arguments of {wire.brief(value.get('name'))} are not JSON")


def _finish(value: dict[str, Any], said: list[Part], notes: wire.Notes) -> list[str]:
    """Say why it ended: by its status, and whether it asks for tools."""
    status = wire.named(value, "status", notes)
    if status == "completed":
        return ["tool_call" if any(part["type"] == "tool_call" for part in said) else "stop"]
    if status == "incomplete":
        details = wire.section(value.get("incomplete_details"), "incomplete_details", notes)
        reason = wire.named(details, "reason", notes)
        return [_INCOMPLETE.get(reason, reason) or status]
    if status == "failed":
        return ["error"]
    return [] if status in {"", "in_progress", "queued"} else [status]


def _usage(value: Any, notes: wire.Notes) -> tuple[Usage, dict[str, Any]]:
    """Count tokens; OpenAI's `input_tokens` includes the cached, as OpenTelemetry wants it."""
    usage = wire.section(value, "usage", notes)
    read = wire.section(usage.get("input_tokens_details"), "input_tokens_details", notes)
    written = wire.section(usage.get("output_tokens_details"), "output_tokens_details", notes)
    top = wire.counts(usage, ("input_tokens", "output_tokens"), notes)
    counted = Usage(
        input=top["input_tokens"],
        output=top["output_tokens"],
        cache_read=wire.counts(read, ("cached_tokens",), notes)["cached_tokens"],
        reasoning=wire.counts(written, ("reasoning_tokens",), notes)["reasoning_tokens"],
    )
    more = wire.rest(usage, ("input_tokens", "output_tokens", "total_tokens"))
    more["input_tokens_details"] = wire.rest(read, ("cached_tokens",))
    more["output_tokens_details"] = wire.rest(written, ("reasoning_tokens",))
    return counted, {key: kept for key, each in more.items() if (kept := wire.nonzero(each))}
