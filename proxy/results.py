"""What became of a call: its state and error, and the answer's attributes and tool calls."""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec

from traceproof.proxy.callids import is_made
from traceproof.proxy.dialects.base import ChatResponse, Usage
from traceproof.proxy.exchange import Exchange
from traceproof.recorder import messages, semconv
from traceproof.recorder.agents.base import MAIN, text_of
from traceproof.recorder.agents.intext import InText
from traceproof.recorder.calls import CallRequest, CallResult, ToolRequest
from traceproof.recorder.manifests import ListPart, Spliced
from traceproof.recorder.messages import Message, Part
from traceproof.recorder.span import Attributes, new_span_id
from traceproof.recorder.writer import TraceWriter

_REFUSED = 400
_IN_TEXT = "bash"
"""The name of a tool that has none: a block of shell commands in the model's text."""


def call_result(
    exchange: Exchange, response: ChatResponse | None, writer: TraceWriter
) -> CallResult:
    """Say how a call ended; without a `response` nothing is known of what the model said."""
    complete = response.complete if response is not None else not exchange.error
    state, error_type, message = failure(exchange, complete=complete)
    if response is not None and response.error is not None:
        error_type, message = response.error.type or error_type, response.error.message
        state = "cut" if state == "complete" else state
    result = CallResult(exchange.ended, state, {}, error_type=error_type, error_message=message)
    if response is not None:
        result.attributes = answer_attributes(response, writer)
        result.tools = [
            request for message_ in response.messages for request in tool_requests(message_)
        ]
    return result


def failure(exchange: Exchange, *, complete: bool) -> tuple[str, str, str]:
    """Return an exchange's state, and the type and message of its error ("" when it has none)."""
    if not exchange.response_started:
        return "failed", "no_response", exchange.error or "the call ended without a response"
    if exchange.status >= _REFUSED:
        return "refused", str(exchange.status), f"HTTP status {exchange.status}"
    if not complete:
        return "cut", "stream_cut", exchange.error or "the answer ended before its end marker"
    return "complete", "", ""


def tool_requests(message: Message) -> list[ToolRequest]:
    """Return the tool calls in a model's message."""
    return [_tool_request(part) for part in message.parts if part.get("type") == "tool_call"]


def in_text(how: InText, response: ChatResponse, request: CallRequest) -> list[ToolRequest]:
    """Return the commands that the agent takes out of an answer's text; of side calls none."""
    if request.purpose != MAIN:
        return []
    said = "\n".join(text_of(message.parts) for message in response.messages)
    return [
        ToolRequest(
            f"{_IN_TEXT}#{number}.{new_span_id()[:8]}",
            _IN_TEXT,
            msgspec.json.encode({"command": command}).decode(),
            exact=False,
            in_text=partial(how.tells, command),
        )
        for number, command in enumerate(how.find(said))
    ]


def _tool_request(part: Part) -> ToolRequest:
    call_id = str(part.get("id", ""))
    arguments = _text(part.get("arguments"))
    return ToolRequest(call_id, str(part.get("name", "")), arguments, not is_made(call_id))


def _text(arguments: Any) -> str:
    return arguments if isinstance(arguments, str) else msgspec.json.encode(arguments).decode()


def answer_attributes(response: ChatResponse, writer: TraceWriter) -> Attributes:
    """Store an answer, and return what a span says of it."""
    found: Attributes = _usage(response.usage)
    if response.id:
        found[semconv.RESPONSE_ID] = response.id
    if response.model:
        found[semconv.RESPONSE_MODEL] = response.model
    if response.finish_reasons:
        found[semconv.FINISH_REASONS] = response.finish_reasons
    if response.messages:
        found[semconv.REF + semconv.OUTPUT_MESSAGES] = _output(response, writer)
    if response.extra:
        found[semconv.RESPONSE_EXTRA] = msgspec.json.encode(response.extra).decode()
    if response.unknown:
        found[semconv.RESPONSE_UNKNOWN] = msgspec.json.encode(response.unknown).decode()
    if response.problems:
        found[semconv.CALL_PROBLEM] = "; ".join(response.problems)
    return found


def _usage(usage: Usage) -> Attributes:
    counts = {
        semconv.INPUT_TOKENS: usage.input,
        semconv.OUTPUT_TOKENS: usage.output,
        semconv.CACHE_READ_TOKENS: usage.cache_read,
        semconv.CACHE_CREATION_TOKENS: usage.cache_creation,
        semconv.REASONING_TOKENS: usage.reasoning,
    }
    return {name: count for name, count in counts.items() if count is not None}


def _output(response: ChatResponse, writer: TraceWriter) -> str:
    """Store the answer's messages, each as the next request will send it back.

    So a message and its finish reason, which the next request lacks, are kept apart, and the
    message is stored once.
    """
    reasons: list[str | None] = [*response.finish_reasons]
    reasons += [None] * (len(response.messages) - len(reasons))
    parts: list[ListPart] = []
    for message, reason in zip(response.messages, reasons, strict=False):
        stored = writer.masked(messages.encode(message))
        name = writer.element(stored.data, stored.masks)
        if not reason:
            parts.append(name)
        else:
            text = f',"finish_reason":{msgspec.json.encode(reason).decode()}'
            parts.append(Spliced(name, ((len(stored.data) - 1, text),)))
    return writer.list_(parts, semconv.OUTPUT_MESSAGES)
