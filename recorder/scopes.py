"""Who is speaking: the main agent and its sub-agents, each with a span of its own.

A scope also remembers what a later call must be compared with: prompts already seen, and failed
calls that a retry may repeat. `Scopes` knows who started whom, and never lets that be a circle.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from traceproof.recorder import semconv
from traceproof.recorder.calls import CallRequest, MessageNote, ToolRequest
from traceproof.recorder.span import Span, new_span_id
from traceproof.recorder.toolcalls import OpenTool


class Failure(NamedTuple):
    """A call that did not succeed: its span, and how often the same was tried before it."""

    span_id: str
    resends: int


@dataclass(slots=True)
class Scope:
    """One agent at work.

    `launched_by` is the span id of the tool call that started it, once known, and `parent` the
    agent that asked for that call.
    """

    agent_id: str
    span: Span
    parent: Scope | None = None
    launched_by: str = ""
    trace_parent: str = ""
    _prompts: Counter[tuple[str, str]] = field(default_factory=Counter)
    _failures: dict[int, Failure] = field(default_factory=dict)
    _events_written: int = 0

    def new_prompts(self, messages: Sequence[MessageNote], conversation_id: str = "") -> list[str]:
        """Return the user's prompts not seen before; the same text again counts again.

        Only what came since the model spoke last: before that stands what the agent makes of the
        conversation (Aider puts words into both mouths), or a session that is resumed. A new
        conversation starts counting anew: after `/clear`, the same words are another prompt.
        """
        spoke = max((n for n, note in enumerate(messages) if note.role == "assistant"), default=-1)
        counts: Counter[str] = Counter()
        fresh = []
        for number, note in enumerate(messages):
            if not note.prompt:
                continue
            counts[note.sha256] += 1
            if counts[note.sha256] > self._prompts[conversation_id, note.sha256]:
                self._prompts[conversation_id, note.sha256] += 1
                if number > spoke:
                    fresh.append(note.prompt)
        return fresh

    def due(self) -> bool:
        """Tell whether to put the span on record again, because of the events it has by now.

        A span is written whole each time. So it is at growing distances, whenever its events are a
        quarter more than at the last time: all the writing together is five times the last, and of
        the events at most a fifth is not on record.
        """
        count = len(self.span.events)
        if count == self._events_written or 4 * count < 5 * self._events_written:
            return False
        self._events_written = count
        return True

    def failed(self, request: CallRequest, failure: Failure) -> None:
        """Remember a failed call, so that its retry can be told."""
        self._failures[_fingerprint(request.purpose, request.messages)] = failure

    def failure_of(self, request: CallRequest) -> Failure | None:
        """Return the failed call that asked the same as `request`, and forget it.

        What came of a broken answer may stand at the end of its retry: opencode sends it back.
        """
        messages: Sequence[MessageNote] = request.messages
        found = self._failures.pop(_fingerprint(request.purpose, messages), None)
        while found is None and messages and messages[-1].role == "assistant":
            messages = messages[:-1]
            found = self._failures.pop(_fingerprint(request.purpose, messages), None)
        return found

    def within(self, other: Scope) -> bool:
        """Tell whether this agent is `other`, or was started by it or by one within it."""
        scope: Scope | None = self
        while scope is not None and scope is not other:
            scope = scope.parent
        return scope is other


class Scopes:
    """All agents of a session, by agent id; the main agent's is empty."""

    def __init__(self, root: Span) -> None:
        self.main = Scope("", root)
        self._scopes = {"": self.main}

    def get(self, agent_id: str) -> Scope | None:
        """Return an agent that has been met."""
        return self._scopes.get(agent_id)

    def sub_agents(self) -> list[Scope]:
        """Return all but the main agent."""
        return [scope for scope in self._scopes.values() if scope is not self.main]

    def add(self, request: CallRequest, tools: Iterable[OpenTool]) -> Scope:
        """Open a sub-agent at its first call, under the one of the open `tools` that fits."""
        parent = self._scopes.get(request.parent_agent_id, self.main)
        launcher = self._launcher(request, tools)
        name = argument(launcher.request, "subagent_type") if launcher else ""
        scope = _sub_agent(request, parent, name or "sub-agent")
        if launcher:
            self._put_under(scope, launcher.span.span_id, launcher.asker.agent_id, "inferred")
        self._scopes[request.agent_id] = scope
        return scope

    def tie(self, scope: Scope, tool_span_id: str, asked_by: str) -> None:
        """Put a sub-agent under the tool call that is known to have started it.

        One that would then have started itself stays where it is.
        """
        if not self._scopes[asked_by].within(scope):
            self._put_under(scope, tool_span_id, asked_by, "exact")

    def _put_under(self, scope: Scope, tool_span_id: str, asked_by: str, join: str) -> None:
        scope.launched_by, scope.parent = tool_span_id, self._scopes[asked_by]
        scope.span.parent_id = tool_span_id
        scope.span.attributes[semconv.JOIN] = join

    def _launcher(self, request: CallRequest, tools: Iterable[OpenTool]) -> OpenTool | None:
        """Find the open tool call whose prompt is the first thing a new sub-agent is told."""
        told = next((note.prompt for note in request.messages if note.prompt), "")
        taken = {scope.launched_by for scope in self._scopes.values()}
        for tool in tools:
            prompt = argument(tool.request, "prompt")
            if prompt and prompt in told and tool.span.span_id not in taken:
                return tool
        return None


def argument(request: ToolRequest, name: str) -> str:
    """Return one string argument of a tool call, or "" where there is none."""
    try:
        arguments = json.loads(request.arguments)
    except (ValueError, RecursionError):
        return ""
    value = arguments.get(name) if isinstance(arguments, dict) else None
    return value if isinstance(value, str) else ""


def _sub_agent(request: CallRequest, parent: Scope, name: str) -> Scope:
    span = Span(
        trace_id=parent.span.trace_id,
        span_id=new_span_id(),
        name=f"invoke_agent {name}",
        parent_id=parent.span.span_id,
        start=request.started,
        attributes={
            semconv.OPERATION_NAME: "invoke_agent",
            semconv.AGENT_NAME: name,
            semconv.AGENT_ID: request.agent_id,
        },
    )
    if request.conversation_id:
        span.attributes[semconv.CONVERSATION_ID] = request.conversation_id
    return Scope(request.agent_id, span, parent, trace_parent=request.trace_parent)


def _fingerprint(purpose: str, messages: Sequence[MessageNote]) -> int:
    """Tell whether two calls ask the same; streaming or not, and the model, do not matter."""
    return hash((purpose, *(note.sha256 for note in messages)))
