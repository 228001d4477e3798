"""Assembles a session's spans: root, sub-agents, model calls, tool calls, retries.

Sans-io: it is told what happened and when, and hands finished spans to a `SpanSink`. It is used
from one thread, the recorder's.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Protocol

from traceproof.recorder import otlp, semconv, tracecontext
from traceproof.recorder.agentspans import AgentSpans
from traceproof.recorder.calls import CallRequest, CallResult, ToolRequest, ToolResult
from traceproof.recorder.scopes import Failure, Scope, sub_agent
from traceproof.recorder.span import Attributes, Event, Link, Span, SpanKind, StatusCode
from traceproof.recorder.span import new_span_id as fresh_id
from traceproof.recorder.toolcalls import OpenTool, ToolLedger

PROMPT_EVENT = "traceproof.user_prompt"
"""On an agent's span: the user said something, `content`."""

_INLINE = 1024
"""Tool arguments and results up to this many characters stand in the span, else in a blob."""


class SpanSink(Protocol):
    """Where spans go: `traceproof.recorder.writer.TraceWriter`, or a list in a test."""

    def text(self, value: str) -> str:
        """Store a text and return the reference to it."""

    def span(self, span: Span) -> None:
        """Take a finished span."""

    def pending(self, span: Span) -> None:
        """Take a span in flight, as far as it is known."""


@dataclass(slots=True)
class OpenCall:
    """A model call in flight."""

    request: CallRequest
    span: Span
    scope: Scope


class Session:
    """One agent session, from the root span's start to its end."""

    def __init__(
        self, sink: SpanSink, root: Span, *, agent_id_in_result: re.Pattern[str] | None = None
    ) -> None:
        """Start with `root` as the main agent's span.

        `agent_id_in_result` finds (as its first group) the id of a sub-agent in the result of the
        tool call that ran it, where the agent says so.
        """
        self._sink = sink
        self._main = Scope("", root)
        self._scopes: dict[str, Scope] = {"": self._main}
        self._ledger = ToolLedger()
        self._agent_spans = AgentSpans()
        self._tool_spans: dict[str, str] = {}
        self._agent_id_in_result = agent_id_in_result
        sink.pending(root)

    @property
    def root(self) -> Span:
        """The root span, which the caller may add attributes and events to until `close`."""
        return self._main.span

    def open_call(self, request: CallRequest) -> OpenCall:
        """Begin a model call: close the tool calls it answers, note new prompts, link a retry."""
        self._take_results(request)
        scope = self._scope(request)
        if request.conversation_id:
            self.root.attributes.setdefault(semconv.CONVERSATION_ID, request.conversation_id)
        if request.purpose == "main":
            self._take_prompts(scope, request)
        span = self._chat_span(request, scope)
        failure = scope.failure_of(request)
        if failure is not None:
            self._link_retry(span, failure, request.started)
        return OpenCall(request, span, scope)

    def pending_call(self, call: OpenCall, attributes: Attributes) -> None:
        """Put a call in flight on record, with what has arrived of its answer."""
        pending = {**call.span.attributes, **attributes, semconv.CALL_STATE: "pending"}
        self._sink.pending(_with(call.span, pending))

    def close_call(self, call: OpenCall, result: CallResult) -> None:
        """End a model call, and open the tool calls it asks for."""
        span, scope = call.span, call.scope
        span.end = scope.span.end = max(result.ended, span.start)
        span.attributes.update(result.attributes)
        span.attributes[semconv.CALL_STATE] = result.state
        if result.state != "complete" or result.error_type:
            resends = int(str(span.attributes.get(semconv.HTTP_RESEND_COUNT, 0)))
            scope.failed(call.request, Failure(span.span_id, resends))
        if result.error_type:
            span.status, span.status_message = StatusCode.ERROR, result.error_message
            span.attributes[semconv.ERROR_TYPE] = result.error_type
        self._sink.span(span)
        for tool in result.tools:
            self._ask(tool, span, scope)

    def http(self, span: Span) -> None:
        """Take a call that is no model call, or one no dialect could read, as it is."""
        span.trace_id, span.parent_id = self.root.trace_id, self.root.span_id
        self._sink.span(span)

    def agent_span(self, span: otlp.Span) -> None:
        """Take note of a span that the agent sent of itself."""
        self._agent_spans.add(span)

    def close(self, time: int) -> None:
        """End the session: what is still open ends with it, then sub-agents, then the root."""
        for tool in self._ledger.close(time):
            self._write_tool(tool, None)
        for scope in self._scopes.values():
            if scope is not self._main:
                self._write_sub_agent(scope)
        self.root.end = time
        self._sink.span(self.root)

    # --- calls ------------------------------------------------------------------------------------

    def _chat_span(self, request: CallRequest, scope: Scope) -> Span:
        attributes: Attributes = {
            semconv.OPERATION_NAME: "chat",
            semconv.REQUEST_MODEL: request.model,
            semconv.CALL_PURPOSE: request.purpose,
            **request.attributes,
        }
        for name, value in (
            (semconv.CONVERSATION_ID, request.conversation_id),
            (semconv.AGENT_ID, request.agent_id),
        ):
            if value:
                attributes[name] = value
        span = Span(
            trace_id=self.root.trace_id,
            span_id=fresh_id(),
            name=f"chat {request.model}".rstrip(),
            kind=SpanKind.CLIENT,
            parent_id=scope.span.span_id,
            start=request.started,
            attributes=attributes,
        )
        self._link_agent_span(span, request.trace_parent)
        return span

    def _link_agent_span(self, span: Span, trace_parent: str) -> None:
        named = tracecontext.parse(trace_parent) if trace_parent else None
        if named:
            span.links.append(Link(*named, {semconv.LINK_TYPE: "agent_span"}))

    def _link_retry(self, span: Span, failure: Failure, time: int) -> None:
        span.links.append(
            Link(span.trace_id, failure.span_id, {semconv.LINK_TYPE: "retry_of"}),
        )
        span.attributes[semconv.HTTP_RESEND_COUNT] = failure.resends + 1
        for tool in self._ledger.abandon(failure.span_id, time):
            self._write_tool(tool, None)

    # --- prompts and tools ------------------------------------------------------------------------

    def _take_prompts(self, scope: Scope, request: CallRequest) -> None:
        fresh = scope.new_prompts(request.messages)
        for prompt in fresh:
            scope.span.events.append(
                Event(PROMPT_EVENT, request.started, {"content": prompt}),
            )
        if fresh:
            self._sink.pending(scope.span)

    def _take_results(self, request: CallRequest) -> None:
        for note in request.messages:
            for result in note.results:
                tool = self._ledger.answer(result, request.started)
                if tool is not None:
                    self._write_tool(tool, result)
            note.results.clear()

    def _ask(self, request: ToolRequest, chat: Span, scope: Scope) -> None:
        tool = self._ledger.ask(request, chat, scope.span.span_id)
        self._tool_spans[request.call_id] = tool.span.span_id
        self._put(tool.span, semconv.TOOL_CALL_ARGUMENTS, request.arguments)
        self._sink.pending(tool.span)

    def _write_tool(self, tool: OpenTool, result: ToolResult | None) -> None:
        if result is not None:
            self._put(tool.span, semconv.TOOL_CALL_RESULT, result.content)
            self._note_sub_agent(tool, result)
        self._sink.span(tool.span)

    def _put(self, span: Span, name: str, value: str) -> None:
        if len(value) <= _INLINE:
            span.attributes[name] = value
        else:
            span.attributes[semconv.REF + name] = self._sink.text(value)

    # --- sub-agents -------------------------------------------------------------------------------

    def _scope(self, request: CallRequest) -> Scope:
        scope = self._scopes.get(request.agent_id)
        if scope is None:
            scope = self._new_scope(request)
            self._scopes[request.agent_id] = scope
            self._sink.pending(scope.span)
        return scope

    def _new_scope(self, request: CallRequest) -> Scope:
        parent = self._scopes.get(request.parent_agent_id, self._main)
        launcher = self._launcher(request)
        name = _agent_type(launcher) if launcher else "sub-agent"
        scope = sub_agent(request, self.root.trace_id, parent.span.span_id, name)
        if launcher:
            scope.launched_by = launcher.request.call_id
            scope.span.parent_id = launcher.span.span_id
            scope.span.attributes[semconv.JOIN] = "inferred"
        return scope

    def _launcher(self, request: CallRequest) -> OpenTool | None:
        """Find the open tool call whose prompt is the first thing a new sub-agent is told."""
        told = next((note.prompt for note in request.messages if note.prompt), "")
        taken = {scope.launched_by for scope in self._scopes.values()}
        for tool in self._ledger.open():
            prompt = _argument(tool.request, "prompt")
            if prompt and prompt in told and tool.request.call_id not in taken:
                return tool
        return None

    def _note_sub_agent(self, tool: OpenTool, result: ToolResult) -> None:
        match = self._agent_id_in_result and self._agent_id_in_result.search(result.content)
        if match and match.group(1) in self._scopes:
            self._tie(self._scopes[match.group(1)], tool.request.call_id)

    def _tie(self, scope: Scope, call_id: str) -> None:
        if call_id not in self._tool_spans:
            return
        scope.launched_by = call_id
        scope.span.parent_id = self._tool_spans[call_id]
        scope.span.attributes[semconv.JOIN] = "exact"

    def _write_sub_agent(self, scope: Scope) -> None:
        call_id = self._agent_spans.launched_by(scope.trace_parent)
        if call_id:
            self._tie(scope, call_id)
        scope.span.end = max(scope.span.end, scope.span.start)
        self._sink.span(scope.span)


def _with(span: Span, attributes: Attributes) -> Span:
    """Copy a span with other attributes."""
    return Span(
        trace_id=span.trace_id,
        span_id=span.span_id,
        name=span.name,
        kind=span.kind,
        parent_id=span.parent_id,
        start=span.start,
        attributes=attributes,
        links=span.links,
    )


def _argument(request: ToolRequest, name: str) -> str:
    """Return one string argument of a tool call, or "" where there is none."""
    try:
        arguments = json.loads(request.arguments)
    except ValueError:
        return ""
    value = arguments.get(name) if isinstance(arguments, dict) else None
    return value if isinstance(value, str) else ""


def _agent_type(tool: OpenTool) -> str:
    """Name a sub-agent by the kind that was asked for."""
    return _argument(tool.request, "subagent_type") or "sub-agent"
