"""Assembles a session's spans: root, sub-agents, model calls, tool calls, retries.

Sans-io: it is told what happened and when, and hands finished spans to a `SpanSink`. It is used
from one thread, the recorder's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

import msgspec

from traceproof.recorder import humanevents, otlp, semconv, tracecontext
from traceproof.recorder.agentspans import AgentSpans
from traceproof.recorder.approvals import Approvals
from traceproof.recorder.calls import CallRequest, CallResult, ToolRequest, ToolResult, lineage
from traceproof.recorder.commandjoin import CommandJoiner
from traceproof.recorder.commandledger import CommandLedger, OpenCommand
from traceproof.recorder.mcp.calls import McpCalls
from traceproof.recorder.openjoins import Place
from traceproof.recorder.scopes import Failure, Scope, Scopes, argument
from traceproof.recorder.shell.command import CommandEnd, CommandStart
from traceproof.recorder.span import Attributes, Event, Link, Span, SpanKind, StatusCode
from traceproof.recorder.span import new_span_id as fresh_id
from traceproof.recorder.steps import Steps
from traceproof.recorder.toolcalls import Asker, OpenTool, ToolLedger

PROMPT_EVENT = "traceproof.user_prompt"
"""On an agent's span: the user said something, `content`."""

_CONTENT = "content"
_INLINE_PROMPT = 256
"""Prompts up to this many characters stand in the event: it is written several times."""

_TOLD = ("prompt", "message")
"""The argument of a tool call that says what a sub-agent is to do; agents differ."""

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
        self,
        sink: SpanSink,
        root: Span,
        *,
        agent_id_in_result: re.Pattern[str] | None = None,
        steps: Steps | None = None,
        approvals: Approvals | None = None,
    ) -> None:
        """Start with `root` as the main agent's span.

        `agent_id_in_result` finds (as its first group) the id of a sub-agent in the result of the
        tool call that ran it, where the agent says so; its last match counts, since what the
        sub-agent said stands before it. `steps` are told at which moments the workspace may have
        changed.
        """
        self._sink = sink
        self._steps = steps
        self._scopes = Scopes(root)
        self._ledger = ToolLedger()
        self._agent_spans = AgentSpans()
        self._approvals = approvals or Approvals()
        self._asked: dict[str, Place | None] = {}
        self._in_flight: dict[str, OpenCall] = {}
        self._joiner = CommandJoiner(root.span_id, self._agent_spans, self._asked.get)
        self._commands = CommandLedger(sink, root, self._agent_span_id, self._joiner, steps)
        self.mcp = McpCalls(sink, root)
        """What is said to MCP servers; who hears it tells it here, on the recorder's thread."""
        self._agent_id_in_result = agent_id_in_result
        self._launched: dict[str, Place] = {}
        """The calls that started sub-agents which have not asked anything yet."""
        self.catch_up: Callable[[], None] = _nothing
        """Tells what has passed and was not told yet: asked for before a command is joined."""
        self._put_on_record(self._scopes.main)
        if steps is not None:
            steps.begin(root, lambda: self._put_on_record(self._scopes.main))

    @property
    def root(self) -> Span:
        """The root span, which the caller may add attributes and events to until `close`."""
        return self._scopes.main.span

    def open_call(self, request: CallRequest) -> OpenCall:
        """Begin a model call: close the tool calls it answers, note new prompts, link a retry."""
        if self._steps is not None:
            self._steps.model_asked(request)
        self._joiner.thread(request.thread_id, request.agent_id)
        scope = self._scope(request)
        self._take_results(request)
        if request.conversation_id:
            self.root.attributes.setdefault(semconv.CONVERSATION_ID, request.conversation_id)
        if request.purpose == "main":
            self._take_prompts(scope, request)
        span = self._chat_span(request, scope)
        failure = scope.failure_of(request)
        if failure is not None:
            self._link_retry(span, failure, request.started)
        call = self._in_flight[span.span_id] = OpenCall(request, span, scope)
        self._commands.look(request.started)
        return call

    def pending_call(self, call: OpenCall, attributes: Attributes) -> None:
        """Put a call in flight on record, with what has arrived of its answer."""
        if self._steps is not None:
            self._steps.streaming()
        pending = {**call.span.attributes, **attributes, semconv.CALL_STATE: "pending"}
        self._sink.pending(_with(call.span, pending))

    def close_call(self, call: OpenCall, result: CallResult) -> None:
        """End a model call, and open the tool calls it asks for."""
        span, scope = call.span, call.scope
        span.end = max(result.ended, span.start)
        scope.span.end = max(scope.span.end, span.end)
        span.attributes.update(result.attributes)
        span.attributes[semconv.CALL_STATE] = result.state
        if result.state != "complete" or result.error_type:
            resends = int(str(span.attributes.get(semconv.HTTP_RESEND_COUNT, 0)))
            scope.failed(call.request, Failure(span.span_id, resends))
        if result.error_type:
            span.status, span.status_message = StatusCode.ERROR, result.error_message
            span.attributes[semconv.ERROR_TYPE] = result.error_type
        self._sink.span(span)
        tools = [self._ask(tool, call) for tool in result.tools]
        self._in_flight.pop(span.span_id, None)
        self._joiner.call_ended(span.span_id)
        self._commands.place(span.end)  # some began before the answer that asked for them ended
        if self._steps is not None and (tools or call.request.purpose == "main"):
            self._steps.answered(tools, span.end)
        self._commands.look(span.end)

    def http(self, span: Span) -> None:
        """Take a call that is no model call, or one no dialect could read, as it is."""
        span.trace_id, span.parent_id = self.root.trace_id, self.root.span_id
        self._sink.span(span)

    def agent_span(self, span: otlp.Span) -> None:
        """Take note of a span that the agent sent of itself."""
        self._agent_spans.add(span)
        self._approvals.add(span)
        self._approvals.look(self._sink.span)
        self._commands.look(int(span.end_time_unix_nano))

    def command_started(self, start: CommandStart) -> OpenCommand:
        """Take a shell command that begins."""
        self.catch_up()
        return self._commands.started(start, self._in_flight)

    def command_going(self, opened: OpenCommand, so_far: CommandEnd) -> None:
        """Put a command on record as far as it has come."""
        self.catch_up()
        self._commands.going(opened, so_far)

    def command_ended(self, opened: OpenCommand, end: CommandEnd) -> None:
        """Take a command's end: nothing more will come of it."""
        self.catch_up()
        self._commands.ended(opened, end)

    def within_command(self, opened: OpenCommand, spans: Iterable[Span]) -> None:
        """Take spans of what ran in a command: they are its children, unless they say whose."""
        self._commands.within(opened, spans)

    def close(self, time: int) -> None:
        """End the session: what is still open ends with it, then sub-agents, then the root."""
        if self._steps is not None:
            self._steps.close(self.root)
        self.mcp.close(time)
        for tool in self._ledger.close(time):
            self._write_tool(tool, None)
        self._approvals.close(self._sink.span)
        self._commands.close(time)
        for scope in self._scopes.sub_agents():
            self._write_sub_agent(scope)
        self.root.end = max(time, self.root.end, self.root.start)
        self._sink.span(self._written(self.root))

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
        events = scope.span.events
        for prompt in scope.new_prompts(request.messages, request.conversation_id):
            told = humanevents.read(prompt)
            said = [(PROMPT_EVENT, told.prompt)] if told.prompt else []
            for name, content in (*told.events, *said):
                event = Event(name, request.started, {_CONTENT: content})
                # the first one stays whole in memory: the recording names the task by it
                events.append(self._without_long_content(event) if events else event)
        if scope.due():
            self._put_on_record(scope)

    def _take_results(self, request: CallRequest) -> None:
        told = request.agent_id, request.messages, request.started
        for tool, result in self._ledger.answer(*told):
            self._write_tool(tool, result)
        in_text = self._ledger.answer_in_text(*told) if request.purpose == "main" else []
        for tool, found in in_text:
            self._write_tool(tool, found)

    def _ask(self, request: ToolRequest, call: OpenCall) -> OpenTool:
        conversation = (lineage(call.request.messages) or [0])[-1]
        asker = Asker(call.scope.agent_id, call.scope.span.span_id, conversation)
        tool = self._ledger.ask(request, call.span, asker)
        known = request.call_id in self._asked
        asked = Place(tool.span.span_id, asker.agent_id)
        self._asked[request.call_id] = None if known else asked
        self._joiner.asked(tool)
        self.mcp.asked(tool)
        self._put(tool.span, semconv.TOOL_CALL_ARGUMENTS, request.arguments)
        self._sink.pending(tool.span)
        return tool

    def _write_tool(self, tool: OpenTool, result: ToolResult | None) -> None:
        self._joiner.answered(tool, result.content if result else "")
        self.mcp.ended(tool)
        if self._steps is not None:
            self._steps.tool_ended(tool)
        if result is not None:
            self._put(tool.span, semconv.TOOL_CALL_RESULT, result.content)
            self._note_sub_agent(tool, result)
        told = result.content if result is not None else None
        known = self._approvals.finish(tool.span, told, self._sink.span)
        (self._sink.span if known else self._sink.pending)(tool.span)

    def _put(self, span: Span, name: str, value: str) -> None:
        if len(value) <= _INLINE:
            span.attributes[name] = value
        else:
            span.attributes[semconv.REF + name] = self._sink.text(value)

    # --- sub-agents -------------------------------------------------------------------------------

    def _scope(self, request: CallRequest) -> Scope:
        scope = self._scopes.get(request.agent_id)
        if scope is None:
            scope = self._scopes.add(request, self._ledger.open())
            if request.agent_id in self._launched:
                self._scopes.tie(scope, *self._launched.pop(request.agent_id))
            self._put_on_record(scope)
        return scope

    def _note_sub_agent(self, tool: OpenTool, result: ToolResult) -> None:
        """Tie a sub-agent to the call that ran it, where the call's result names it.

        Any tool may print an agent's id. So this must be one that was given something to do, and
        what is known of the sub-agent already stands.
        """
        told = any(argument(tool.request, name) for name in _TOLD)
        if self._agent_id_in_result is None or not told:
            return
        named = [match[1] for match in self._agent_id_in_result.finditer(result.content)]
        if not named:
            return
        scope = self._scopes.get(named[-1])
        if scope is None:
            self._launched[named[-1]] = Place(tool.span.span_id, tool.asker.agent_id)
        elif scope.span.attributes.get(semconv.JOIN) != "exact":
            self._scopes.tie(scope, tool.span.span_id, tool.asker.agent_id)

    def _write_sub_agent(self, scope: Scope) -> None:
        asked = self._asked.get(self._agent_spans.launched_by(scope.trace_parent))
        if asked is not None:
            self._scopes.tie(scope, *asked)
        scope.span.end = max(scope.span.end, scope.span.start)
        self._sink.span(self._written(scope.span))

    # --- agents' spans ----------------------------------------------------------------------------

    def _agent_span_id(self, agent_id: str) -> str:
        scope = self._scopes.get(agent_id)
        return scope.span.span_id if scope else ""

    def _put_on_record(self, scope: Scope) -> None:
        self._sink.pending(msgspec.structs.replace(self._written(scope.span), end=0))

    def _written(self, span: Span) -> Span:
        """Return an agent's span as it is written: long prompts are in blobs."""
        events = [self._without_long_content(event) for event in span.events]
        return msgspec.structs.replace(span, events=events)

    def _without_long_content(self, event: Event) -> Event:
        content = event.attributes.get(_CONTENT)
        if not isinstance(content, str) or len(content) <= _INLINE_PROMPT:
            return event
        rest = {name: value for name, value in event.attributes.items() if name != _CONTENT}
        return Event(
            event.name, event.time, {**rest, semconv.REF + _CONTENT: self._sink.text(content)}
        )


def _nothing() -> None:
    pass


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
