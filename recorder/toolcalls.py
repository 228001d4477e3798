"""The ledger of tool calls: from the model's asking to the result it gets to see.

A call opens when an answer asks for it, and closes when a later request carries its result. It owns
no file: it returns spans.
"""

from __future__ import annotations

import msgspec

from traceproof.recorder import semconv
from traceproof.recorder.calls import ToolRequest, ToolResult
from traceproof.recorder.span import Link, Span, StatusCode, new_span_id


class OpenTool(msgspec.Struct):
    """A tool call that has not been answered; `content` is its arguments, as asked."""

    span: Span
    request: ToolRequest
    chat_span_id: str


class ToolLedger:
    """Tool calls in flight, by call id."""

    def __init__(self) -> None:
        self._open: dict[str, OpenTool] = {}

    def ask(self, request: ToolRequest, chat: Span, parent_id: str) -> OpenTool:
        """Open a call that `chat` asked for, under the agent whose span is `parent_id`."""
        span = Span(
            trace_id=chat.trace_id,
            span_id=new_span_id(),
            name=f"execute_tool {request.name}",
            parent_id=parent_id,
            start=chat.end,
            attributes={
                semconv.OPERATION_NAME: "execute_tool",
                semconv.TOOL_NAME: request.name,
                semconv.TOOL_TYPE: "function",
                semconv.TOOL_CALL_ID: request.call_id,
                semconv.JOIN: "exact",
            },
            links=[Link(chat.trace_id, chat.span_id, {semconv.LINK_TYPE: "requested_by"})],
        )
        tool = OpenTool(span, request, chat.span_id)
        self._open[request.call_id] = tool
        return tool

    def answer(self, result: ToolResult, time: int) -> OpenTool | None:
        """Close the call that `result` answers; None when no such call is open."""
        tool = self._open.pop(result.call_id, None)
        if tool is None:
            return None
        tool.span.end = time
        tool.span.attributes[semconv.TOOL_STATE] = "answered"
        if result.is_error is not None:
            tool.span.attributes[semconv.TOOL_IS_ERROR] = result.is_error
        if result.is_error:
            tool.span.status = StatusCode.ERROR
            tool.span.attributes[semconv.ERROR_TYPE] = "tool_error"
        return tool

    def abandon(self, chat_span_id: str, time: int) -> list[OpenTool]:
        """Close the calls that a failed answer had asked for: its retry replaces them."""
        return [self._drop(tool, time) for tool in self.open() if tool.chat_span_id == chat_span_id]

    def close(self, time: int) -> list[OpenTool]:
        """Close whatever is still open: the session is over."""
        return [self._drop(tool, time) for tool in self.open()]

    def open(self) -> list[OpenTool]:
        """Return the calls in flight, oldest first."""
        return list(self._open.values())

    def _drop(self, tool: OpenTool, time: int) -> OpenTool:
        del self._open[tool.request.call_id]
        tool.span.end = max(time, tool.span.start)
        tool.span.attributes[semconv.TOOL_STATE] = "unanswered"
        return tool
