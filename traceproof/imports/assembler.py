"""Makes spans of what a transcript tells: root, sub-agents, model calls, tool calls, commands.

It knows no format, and reads no file. Spans are like those that a recording has, so that whatever
reads one reads the other. What must be in memory is the names of messages, not what they say.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from traceproof.imports import events, tools
from traceproof.imports.clock import Clock
from traceproof.imports.missing import Fact
from traceproof.imports.speaker import Speaker
from traceproof.proxy.notes import as_text
from traceproof.proxy.results import answer_attributes, tool_requests
from traceproof.recorder import messages, semconv
from traceproof.recorder.agents.base import text_of
from traceproof.recorder.calls import ToolRequest
from traceproof.recorder.messages import Part
from traceproof.recorder.session import PROMPT_EVENT
from traceproof.recorder.span import Attributes, Event, Span, SpanKind, StatusCode, new_span_id
from traceproof.recorder.writer import TraceWriter

CONTENT = "content"
_INLINE_EVENT = 256


class Assembler:
    """One trace in the making; `take` what the source yields, then `close`."""

    def __init__(self, writer: TraceWriter, root: Span, clock: Clock) -> None:
        """Begin with the root span, of which name and attributes are known."""
        self.root = root
        self.calls = self.tools = self.commands = self.prompts = 0
        self.system_prompt = self.final_diff = False
        self.known: set[str] = set()
        """The attributes that any span has had: what the source told at least once."""
        self.lacks: frozenset[Fact] = frozenset()
        self._writer = writer
        self._clock = clock
        self._speakers = {"": Speaker("", root)}
        self._callers: dict[str, tuple[str, str]] = {}
        """Tool call id → its span, and the agent that asked."""
        self._conversation = ""
        self._handlers: dict[type, Callable[[Any], None]] = {
            events.Said: self._said,
            events.Answered: self._answered,
            events.Ran: self._ran,
            events.Took: self._took,
            events.Happened: self._note,
            events.Known: self._learn,
            events.Started: self._start,
            events.Decided: self._decide,
            events.Back: lambda event: self._speaker(event.agent_id).back(event.key),
            events.Forgot: lambda event: self._speaker(event.agent_id).forget(),
        }

    @property
    def agents(self) -> int:
        """How many agents have been met."""
        return len(self._speakers)

    def take(self, event: events.Event) -> None:
        """Take the next thing that the transcript tells."""
        handler = self._handlers[type(event)]
        handler(event)

    def close(self) -> None:
        """End what is open, then the sub-agents, then the root."""
        for speaker in self._speakers.values():
            for tool in speaker.open_tools():
                tool.span.attributes[semconv.TOOL_STATE] = "unanswered"
                tool.span.end = max(tool.span.start, speaker.last)
                self._write(tool.span)
        for speaker in list(self._speakers.values())[1:]:
            speaker.span.end = max(speaker.last, speaker.span.start)
            self._write_agent(speaker.span)
        self.root.start = self._clock.first
        self.root.end = max(self._clock.last, self.root.start)
        self._write_agent(self.root)

    # --- agents -----------------------------------------------------------------------------------

    def _speaker(self, agent_id: str) -> Speaker:
        found = self._speakers.get(agent_id)
        if found is None:
            self._start(events.Started(agent_id, "sub-agent", join=""))
            found = self._speakers[agent_id]
        return found

    def _start(self, event: events.Started) -> None:
        if event.agent_id in self._speakers:
            return
        parent = self._speakers.get(event.parent_agent_id, self._speakers[""]).span.span_id
        caller = self._callers.get(event.call_id)
        span = Span(
            self.root.trace_id,
            new_span_id(),
            f"invoke_agent {event.name}",
            parent_id=caller[0] if caller else parent,
            attributes={
                semconv.OPERATION_NAME: "invoke_agent",
                semconv.AGENT_NAME: event.name,
                semconv.AGENT_ID: event.agent_id,
            },
        )
        if self._conversation:
            span.attributes[semconv.CONVERSATION_ID] = self._conversation
        if caller and event.join:
            span.attributes[semconv.JOIN] = event.join
        self._speakers[event.agent_id] = Speaker(event.agent_id, span)

    def _learn(self, event: events.Known) -> None:
        speaker = self._speaker(event.agent_id)
        self.lacks |= event.lacks
        speaker.span.attributes.update(event.attributes)
        self._conversation = str(self.root.attributes.get(semconv.CONVERSATION_ID, ""))
        self._learn_more(event)
        for name, values in (
            (semconv.SYSTEM_INSTRUCTIONS, event.system),
            (semconv.TOOL_DEFINITIONS, event.tools),
        ):
            if values:
                self.known.add(name)
                parts = [self._writer.element(msgspec.json.encode(value)) for value in values]
                speaker.context[semconv.REF + name] = self._writer.list_(parts, name)

    def _learn_more(self, event: events.Known) -> None:
        self.system_prompt = self.system_prompt or bool(event.system)
        extra = dict(event.extra)
        if event.final_diff:
            self.final_diff = True
            stored = self._writer.text(event.final_diff)
            self.root.attributes[semconv.REF + semconv.WORKSPACE_DIFF] = stored
        if extra:
            told = msgspec.json.encode(extra).decode()
            self._put(self._speaker(event.agent_id).span, semconv.IMPORT_EXTRA, told)

    def _write_agent(self, span: Span) -> None:
        kept = [self._short(event) for event in span.events]
        self._write(msgspec.structs.replace(span, events=kept))

    def _short(self, event: Event) -> Event:
        content = event.attributes.get(CONTENT)
        if not isinstance(content, str) or len(content) <= _INLINE_EVENT:
            return event
        rest = {name: value for name, value in event.attributes.items() if name != CONTENT}
        rest[semconv.REF + CONTENT] = self._writer.text(content)
        return Event(event.name, event.time, rest)

    def _note(self, event: events.Happened) -> None:
        time = self._clock.read(event.time)
        self._happened(self._speaker(event.agent_id), event.name, time, event.content)

    def _happened(self, speaker: Speaker, name: str, time: int, content: str) -> None:
        event = Event(name, time, {CONTENT: content} if content else {})
        # the first one stays whole in memory: the task is named by it
        speaker.span.events.append(self._short(event) if speaker.span.events else event)

    # --- the conversation -------------------------------------------------------------------------

    def _said(self, event: events.Said) -> None:
        speaker = self._speaker(event.agent_id)
        time = speaker.at(self._clock.read(event.time))
        speaker.heard(event.key, self._writer.element(messages.encode(event.message)))
        self.system_prompt = self.system_prompt or event.message.role == "system"
        if event.prompt and not event.copied:
            self.prompts += not event.agent_id
            self._happened(speaker, PROMPT_EVENT, time, event.prompt)
        if event.copied:
            return
        if event.answers:
            said = text_of(event.message.parts)
            self._end(speaker, messages.tool_call_response(event.answers, said), time)
        for part in event.message.parts:
            if part.get("type") == "tool_call_response":
                self._end(speaker, part, time)

    def _end(self, speaker: Speaker, result: Part, time: int) -> None:
        """Close a tool call with its result."""
        tool = speaker.answer(str(result.get("id", "")))
        if tool is not None:
            tools.finish(tool, time, result.get("is_error"))
            self._put(tool.span, semconv.TOOL_CALL_RESULT, as_text(result.get("response")))
            self._write(tool.span)

    def _answered(self, event: events.Answered) -> None:
        speaker = self._speaker(event.agent_id)
        before = speaker.last
        ended = speaker.at(self._clock.read(event.time))
        chat = self._chat(event, speaker, event.started or before or ended, ended)
        if event.is_call:
            self.calls += 1
            self._write(chat)
        for message in event.response.messages:
            speaker.heard(event.key, self._writer.element(messages.encode(message)))
            for request in tool_requests(message):
                self._ask(request, event, chat, speaker)
        for request in event.asked:
            self._ask(request, event, chat, speaker)

    def _chat(self, event: events.Answered, speaker: Speaker, start: int, end: int) -> Span:
        model = event.model or event.response.model
        attributes: Attributes = {
            semconv.OPERATION_NAME: "chat",
            semconv.REQUEST_MODEL: model,
            semconv.CALL_PURPOSE: event.purpose,
            semconv.CALL_STATE: event.state,
            **speaker.context,
        }
        for name, value in (
            (semconv.PROVIDER_NAME, event.provider),
            (semconv.CONVERSATION_ID, self._conversation),
            (semconv.AGENT_ID, event.agent_id),
        ):
            if value:
                attributes[name] = value
        if speaker.names:
            kind = f"{semconv.INPUT_MESSAGES} {event.agent_id}"
            attributes[semconv.REF + semconv.INPUT_MESSAGES] = self._writer.list_(
                speaker.names, kind
            )
        attributes |= answer_attributes(event.response, self._writer)
        span = Span(
            self.root.trace_id,
            new_span_id(),
            f"chat {model}".rstrip(),
            SpanKind.CLIENT,
            speaker.span.span_id,
            min(start, end),
            end,
            attributes,
        )
        if event.response.error is not None:
            span.status, span.status_message = StatusCode.ERROR, event.response.error.message
            span.attributes[semconv.ERROR_TYPE] = event.response.error.type or "error"
        return span

    # --- tools ------------------------------------------------------------------------------------

    def _ask(
        self, request: ToolRequest, event: events.Answered, chat: Span, speaker: Speaker
    ) -> None:
        self.tools += 1
        start = event.starts.get(request.call_id, 0) or chat.end
        span = tools.span(request, speaker.span, chat if event.is_call else None, start)
        self._put(span, semconv.TOOL_CALL_ARGUMENTS, request.arguments)
        speaker.ask(tools.Tool(span, request))
        self._callers[request.call_id] = span.span_id, speaker.agent_id

    def _took(self, event: events.Took) -> None:
        tool = self._speaker(event.agent_id).tool(event.call_id)
        if tool is not None:
            tool.duration = event.duration
            if not self._clock.told:
                self._clock.let_pass(event.duration)

    def _decide(self, event: events.Decided) -> None:
        tool = self._speaker(event.agent_id).tool(event.call_id)
        if tool is not None:
            tool.span.attributes[semconv.TOOL_APPROVAL] = event.approval
            tool.span.attributes[semconv.TOOL_APPROVAL_FROM] = event.evidence
            if event.source:
                tool.span.attributes[semconv.TOOL_APPROVAL_SOURCE] = event.source

    def _ran(self, event: events.Ran) -> None:
        """Write a command under the call that ran it, else under its agent."""
        self.commands += 1
        speaker = self._speaker(event.agent_id)
        tool = speaker.tool(event.call_id)
        end = self._clock.read(event.ended) if event.ended else speaker.last
        parent = (tool.span if tool else speaker.span).span_id
        start = event.started or (tool.span.start if tool else end)
        span = tools.command(event, self.root.trace_id, parent, (min(start, end), end))
        if event.script:
            self._put(span, semconv.COMMAND_SCRIPT, event.script)
        if event.output is not None:
            self._put(span, semconv.COMMAND_OUTPUT, event.output)
        self._write(span)

    # --- writing ----------------------------------------------------------------------------------

    def _put(self, span: Span, name: str, value: str) -> None:
        if len(value) <= tools.INLINE:
            span.attributes[name] = value
        else:
            span.attributes[semconv.REF + name] = self._writer.text(value)

    def _write(self, span: Span) -> None:
        self.known.update(span.attributes)
        self._writer.span(span)
