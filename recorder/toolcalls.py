"""The ledger of tool calls: from the model's asking to the result it gets to see.

A call opens when an answer asks for it, and closes when a later request carries its result. Ids do
not tell calls apart: some servers number them anew in every answer, or give none. So a result
belongs to the agent whose request carries it, and to the answer that its conversation goes through.
The ledger owns no file: it returns spans.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import NamedTuple

import msgspec

from traceproof.recorder import semconv
from traceproof.recorder.calls import MessageNote, ToolRequest, ToolResult, lineage
from traceproof.recorder.span import Attributes, Link, Span, StatusCode, new_span_id

_REMEMBERED = 1 << 16
"""Results remembered as seen at most; some 6 MB of memory."""

_RECENT = 16
"""Messages in which what came of a call in text is looked for, the newest first."""

_EVIDENCE: dict[bool, Attributes] = {
    True: {semconv.TOOL_TYPE: "function"},
    False: {semconv.EVIDENCE: "inferred"},
}
"""What a call is by whether it is one of the API; in text it is what we make of the text."""


class Asker(NamedTuple):
    """The agent that asks for a tool call, its span, and its conversation (out of `lineage`)."""

    agent_id: str
    span_id: str
    conversation: int = 0


class OpenTool(msgspec.Struct):
    """A tool call that has not been answered: its span, what was asked, and by whom."""

    span: Span
    request: ToolRequest
    chat_span_id: str
    asker: Asker


class _Place(NamedTuple):
    """A result in a request: in which message, the how manyth of it; `new` to this agent."""

    message: int
    number: int
    new: bool


class ToolLedger:
    """Tool calls in flight, by the agent that asked and the call's id: a queue for each."""

    def __init__(self) -> None:
        self._open: dict[str, OpenTool] = {}
        self._queues: dict[tuple[str, str], list[OpenTool]] = {}
        self._seen: set[tuple[str, int]] = set()

    def ask(self, request: ToolRequest, chat: Span, asker: Asker) -> OpenTool:
        """Open a call that `chat` asked for."""
        span = Span(
            trace_id=chat.trace_id,
            span_id=new_span_id(),
            name=f"execute_tool {request.name}",
            parent_id=asker.span_id,
            start=chat.end,
            attributes={
                semconv.OPERATION_NAME: "execute_tool",
                semconv.TOOL_NAME: request.name,
                **_EVIDENCE[request.in_text is None],
                semconv.TOOL_CALL_ID: request.call_id,
                semconv.JOIN: "exact" if request.exact else "inferred",
            },
            links=[Link(chat.trace_id, chat.span_id, {semconv.LINK_TYPE: "requested_by"})],
        )
        tool = OpenTool(span, request, chat.span_id, asker)
        self._open[span.span_id] = tool
        self._queues.setdefault((asker.agent_id, request.call_id), []).append(tool)
        return tool

    def answer(
        self, agent_id: str, messages: Sequence[MessageNote], time: int
    ) -> list[tuple[OpenTool, ToolResult]]:
        """Close the calls of an agent that its request answers; returns them with their results."""
        names = lineage(messages)
        after = {name: number for number, name in enumerate(names, 1)}
        found: list[tuple[OpenTool, _Place]] = []
        for call_id, places in self._places(agent_id, messages, names).items():
            waiting = self._queues.get((agent_id, call_id), [])
            found += _matched(waiting, places, after)
        read = {at.message: messages[at.message].results for _, at in found}
        results = [(tool, read[at.message][at.number]) for tool, at in found]
        for tool, result in results:
            self._close(tool, time)
            _tell(tool.span, result)
        return results

    def answer_in_text(
        self, agent_id: str, messages: Sequence[MessageNote], time: int
    ) -> list[tuple[OpenTool, ToolResult | None]]:
        """Close the calls of an agent that were none of the API, as it asks again.

        What came of them is in what the user is made to say, if the agent tells the model at all.
        """
        waiting = [
            tool for tool in self.open() if tool.request.in_text and tool.asker.agent_id == agent_id
        ]
        if not waiting:
            return []
        after = {name: number for number, name in enumerate(lineage(messages), 1)}
        answered: list[tuple[OpenTool, ToolResult | None]] = []
        for tool in waiting:
            result = _told_in_text(tool.request, messages[after.get(tool.asker.conversation, 0) :])
            if result is None:
                self._drop(tool, time)
            else:
                self._close(tool, time)
                _tell(tool.span, result)
            answered.append((tool, result))
        return answered

    def abandon(self, chat_span_id: str, time: int) -> list[OpenTool]:
        """Close the calls that a failed answer had asked for: its retry replaces them."""
        return [self._drop(tool, time) for tool in self.open() if tool.chat_span_id == chat_span_id]

    def close(self, time: int) -> list[OpenTool]:
        """Close whatever is still open: the session is over."""
        return [self._drop(tool, time) for tool in self.open()]

    def open(self) -> list[OpenTool]:
        """Return the calls in flight, oldest first."""
        return list(self._open.values())

    def _places(
        self, agent_id: str, messages: Sequence[MessageNote], names: list[int]
    ) -> dict[str, list[_Place]]:
        """Find the results in a request, by call id, and remember that they were there."""
        places: dict[str, list[_Place]] = {}
        for at, (note, name) in enumerate(zip(messages, names, strict=True)):
            if note.answers:
                new = (agent_id, name) not in self._seen
                self._remember(agent_id, name)
                for number, call_id in enumerate(note.answers):
                    places.setdefault(call_id, []).append(_Place(at, number, new))
        return places

    def _remember(self, agent_id: str, name: int) -> None:
        if len(self._seen) >= _REMEMBERED:
            self._seen.clear()
        self._seen.add((agent_id, name))

    def _drop(self, tool: OpenTool, time: int) -> OpenTool:
        self._close(tool, time)
        tool.span.attributes[semconv.TOOL_STATE] = "unanswered"
        return tool

    def _close(self, tool: OpenTool, time: int) -> None:
        """Take a call out of the ledger; a clock that was set back makes no time negative."""
        del self._open[tool.span.span_id]
        key = tool.asker.agent_id, tool.request.call_id
        self._queues[key].remove(tool)
        if not self._queues[key]:
            del self._queues[key]
        tool.span.end = max(time, tool.span.start)


def _matched(
    waiting: list[OpenTool], places: list[_Place], after: dict[int, int]
) -> Iterable[tuple[OpenTool, _Place]]:
    """Match calls of one id with results of that id, those of the newest answer first.

    First come the answers that the conversation goes on from (`after` says how many messages each
    was given): theirs are the first results after that, new ones before those that were there when
    another call was answered. To the rest the conversation does not lead: it is another one, or it
    was shortened or rewritten. Theirs are the last results that are new.
    """
    left = list(places)
    answers = [list(group) for _, group in groupby(waiting, lambda tool: tool.chat_span_id)]
    answers.sort(key=lambda tools: tools[0].asker.conversation in after)
    for tools in reversed(answers):
        start = after.get(tools[0].asker.conversation)
        if start is None:
            taken = [place for place in left if place.new][-len(tools) :]
        else:
            later = [place for place in left if place.message >= start]
            taken = sorted(later, key=lambda place: not place.new)[: len(tools)]
        left = [place for place in left if place not in taken]
        yield from zip(tools, taken, strict=False)


def _told_in_text(request: ToolRequest, messages: Sequence[MessageNote]) -> ToolResult | None:
    """Find the newest message of the user's that tells what came of a call."""
    for note in reversed(messages[-_RECENT:]):
        text = note.read_text() if note.role == "user" else ""
        if request.in_text and request.in_text(text):
            return ToolResult(request.call_id, text, None)
    return None


def _tell(span: Span, result: ToolResult) -> None:
    """Put on a span how its tool ended."""
    span.attributes[semconv.TOOL_STATE] = "answered"
    if result.is_error is not None:
        span.attributes[semconv.TOOL_IS_ERROR] = result.is_error
    if result.is_error:
        span.status = StatusCode.ERROR
        span.attributes[semconv.ERROR_TYPE] = "tool_error"
