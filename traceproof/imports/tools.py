"""The spans of tool calls and of commands, as a transcript tells them."""

from __future__ import annotations

from pathlib import PurePath

import msgspec

from traceproof.imports.events import Ran
from traceproof.recorder import semconv
from traceproof.recorder.calls import ToolRequest
from traceproof.recorder.span import Attributes, Link, Span, StatusCode, new_span_id

INLINE = 1024
"""Characters up to which arguments, results and output stand in a span."""


class Tool(msgspec.Struct):
    """A tool call that has not been answered; `duration` in nanoseconds, where it is told."""

    span: Span
    request: ToolRequest
    duration: int = -1


IN_TEXT = "bash"
"""The name of a call that an agent, or we, take out of a text."""


def in_text(call_id: str, command: str, name: str = IN_TEXT) -> ToolRequest:
    """Return a call that is none of the API, for a command in a text."""
    arguments = msgspec.json.encode({"command": command}).decode()
    return ToolRequest(call_id, name, arguments, exact=False)


def span(request: ToolRequest, agent: Span, chat: Span | None, start: int) -> Span:
    """Make the span of a tool call that `chat` asked for."""
    links = [Link(chat.trace_id, chat.span_id, {semconv.LINK_TYPE: "requested_by"})] if chat else []
    kind: Attributes = {semconv.TOOL_TYPE: "function"}
    return Span(
        trace_id=agent.trace_id,
        span_id=new_span_id(),
        name=f"execute_tool {request.name}",
        parent_id=agent.span_id,
        start=start,
        attributes={
            semconv.OPERATION_NAME: "execute_tool",
            semconv.TOOL_NAME: request.name,
            **(kind if request.exact else {semconv.EVIDENCE: "inferred"}),
            semconv.TOOL_CALL_ID: request.call_id,
            semconv.JOIN: "exact" if request.exact else "inferred",
        },
        links=links,
    )


def finish(tool: Tool, time: int, is_error: object) -> None:
    """Put on a tool call's span how it ended."""
    own = tool.span
    own.end = max(own.start, time if tool.duration < 0 else own.start + tool.duration)
    own.attributes[semconv.TOOL_STATE] = "answered"
    if isinstance(is_error, bool):
        own.attributes[semconv.TOOL_IS_ERROR] = is_error
        if is_error:
            own.status = StatusCode.ERROR
            own.attributes[semconv.ERROR_TYPE] = "tool_error"


def command(ran: Ran, trace_id: str, parent_id: str, times: tuple[int, int]) -> Span:
    """Make the span of a command; that it ran so is what the transcript says, not what was seen."""
    name = PurePath(ran.args[0]).name if ran.args else ran.shell
    attributes: Attributes = {
        semconv.PROCESS_EXECUTABLE_NAME: name,
        semconv.COMMAND_STATE: "ended",
        semconv.COMMAND_FOR: "tool",
        semconv.JOIN: "exact",
        semconv.EVIDENCE: "inferred",
    }
    if ran.args:
        attributes[semconv.PROCESS_COMMAND_ARGS] = list(ran.args)
    if ran.cwd:
        attributes[semconv.PROCESS_WORKING_DIRECTORY] = ran.cwd
    if ran.exit_code is not None:
        attributes[semconv.PROCESS_EXIT_CODE] = ran.exit_code
    made = Span(
        trace_id,
        new_span_id(),
        name,
        parent_id=parent_id,
        start=times[0],
        end=times[1],
        attributes=attributes,
    )
    if ran.exit_code:
        made.status = StatusCode.ERROR
        made.attributes[semconv.ERROR_TYPE] = str(ran.exit_code)
    return made
