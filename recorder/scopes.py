"""Who is speaking: the main agent and its sub-agents, each with a span of its own.

A scope also remembers what a later call must be compared with: prompts already seen, and failed
calls that a retry may repeat.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from traceproof.recorder import semconv
from traceproof.recorder.calls import CallRequest, MessageNote
from traceproof.recorder.span import Span, new_span_id


class Failure(NamedTuple):
    """A call that did not succeed: its span, and how often the same was tried before it."""

    span_id: str
    resends: int


@dataclass(slots=True)
class Scope:
    """One agent at work; `launched_by` is the id of the tool call that started it, once known."""

    agent_id: str
    span: Span
    launched_by: str = ""
    trace_parent: str = ""
    _prompts: Counter[str] = field(default_factory=Counter)
    _failures: dict[int, Failure] = field(default_factory=dict)

    def new_prompts(self, messages: Sequence[MessageNote]) -> list[str]:
        """Return the user's prompts not seen before; the same text again counts again.

        Only what came since the model spoke last: before that stands what the agent makes of the
        conversation (Aider puts words into both mouths), or a session that is resumed.
        """
        spoke = max((n for n, note in enumerate(messages) if note.role == "assistant"), default=-1)
        counts: Counter[str] = Counter()
        fresh = []
        for number, note in enumerate(messages):
            if not note.prompt:
                continue
            counts[note.sha256] += 1
            if counts[note.sha256] > self._prompts[note.sha256]:
                self._prompts[note.sha256] += 1
                if number > spoke:
                    fresh.append(note.prompt)
        return fresh

    def failed(self, request: CallRequest, failure: Failure) -> None:
        """Remember a failed call, so that its retry can be told."""
        self._failures[_fingerprint(request)] = failure

    def failure_of(self, request: CallRequest) -> Failure | None:
        """Return the failed call that asked the same as `request`, and forget it."""
        return self._failures.pop(_fingerprint(request), None)


def sub_agent(request: CallRequest, trace_id: str, parent_id: str, name: str) -> Scope:
    """Open the scope of a sub-agent at its first call."""
    span = Span(
        trace_id=trace_id,
        span_id=new_span_id(),
        name=f"invoke_agent {name}",
        parent_id=parent_id,
        start=request.started,
        attributes={
            semconv.OPERATION_NAME: "invoke_agent",
            semconv.AGENT_NAME: name,
            semconv.AGENT_ID: request.agent_id,
        },
    )
    if request.conversation_id:
        span.attributes[semconv.CONVERSATION_ID] = request.conversation_id
    return Scope(request.agent_id, span, trace_parent=request.trace_parent)


def _fingerprint(request: CallRequest) -> int:
    """Tell whether two calls ask the same; streaming or not, and the model, do not matter."""
    return hash((request.purpose, *(note.sha256 for note in request.messages)))
