"""A trace as a person reads it: agents, their turns, the tools of each turn, sub-agents within.

Pure: from spans to a tree of nodes. `traceproof.render` draws it, `show --json` prints it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from traceproof import commandfacts, given, spanfacts
from traceproof.node import Node
from traceproof.recorder import semconv
from traceproof.recorder.agents.base import MAIN
from traceproof.recorder.consent import BY, CONSENT_EVENT, UNTIL
from traceproof.recorder.humanevents import (
    COMPACTION,
    INTERRUPTION,
    QUEUED,
    SLASH_COMMAND,
    UNQUEUED,
)
from traceproof.recorder.session import PROMPT_EVENT
from traceproof.recorder.span import Event, Span
from traceproof.recorder.summary import has_failed, is_asked, is_turn
from traceproof.spanfacts import Tokens
from traceproof.spantree import SpanTree


class Totals(msgspec.Struct):
    """What a trace adds up to; `cost` is None when the price of any call is not known.

    `commands` are those that tool calls asked for.

    What is a turn and what a failed call, `traceproof.recorder.summary` says.
    """

    turns: int
    side_calls: int
    tool_calls: int
    failed_calls: int
    tokens: Tokens
    cost: float | None
    commands: int = 0


class View(msgspec.Struct):
    """A whole trace."""

    trace: str
    root: Node
    totals: Totals
    facts: dict[str, Any]
    problems: list[str]


_SAID = {
    PROMPT_EVENT: "prompt",
    INTERRUPTION: "interruption",
    SLASH_COMMAND: "slash_command",
    QUEUED: "queued",
    UNQUEUED: "taken_back",
    COMPACTION: "compaction",
}
"""Events with a text that people said, by the kinds of their nodes."""

_EVENTS = {*_SAID, CONSENT_EVENT}
_DEPTH = 64
"""Agents within agents at most; those deeper stand under the root."""


def build(
    trace: str, spans: Iterable[Span], *, pending: Iterable[str] = (), problems: Iterable[str] = ()
) -> View:
    """Build the view of a trace from its spans, with `spanfacts.CONTENT` inlined in them.

    Raises:
        ValueError: there is no root span.
    """
    tree = _Tree(spans, set(pending))
    root = tree.grown()
    return View(
        trace=trace,
        root=root,
        totals=tree.totals(),
        facts={
            key: tree.root.attributes[key] for key in spanfacts.FACTS if key in tree.root.attributes
        },
        problems=list(problems),
    )


class _Tree:
    """Nests spans: chats and prompts under agents, tools under chats, sub-agents under tools."""

    def __init__(self, spans: Iterable[Span], pending: set[str]) -> None:
        self._tree = SpanTree(spans)
        self._pending = pending
        self._placed: set[str] = set()
        root = self._tree.root
        if root is None:
            raise ValueError("the trace has no root span: nothing of the session was written")
        self.root = root

    def grown(self) -> Node:
        """Build the whole tree: the root's, and under it the agents that nothing leads to."""
        root = self._agent(self.root)
        root.children += given.task(self.root)
        root.children += given.final_diff(self.root, self._seconds(self.root.end))
        for span in self._tree.of("invoke_agent"):
            if span.span_id not in self._placed:
                node = self._agent(span)
                node.notes.append("what started it is not known")
                root.children.append(node)
        root.children += [
            self._command(span, None)
            for span in self._tree.of(spanfacts.COMMAND)
            if span.span_id not in self._placed
        ]
        root.children.sort(key=lambda child: (child.kind != "task", child.at))
        return root

    def _agent(self, span: Span, depth: int = 0) -> Node:
        """Build an agent's node with everything it did, in the order it happened."""
        self._placed.add(span.span_id)
        node = self._node("agent", span, str(span.attributes.get(semconv.AGENT_NAME, span.name)))
        if span.attributes.get(semconv.JOIN) == "inferred":
            node.notes.append("which call started it is inferred")
        children = [self._event(event) for event in span.events if event.name in _EVENTS]
        children += self._changes(span)
        children += self._turns(span, depth)
        children += [
            self._node("http", http, http.name) for http in self._tree.children(span.span_id, "")
        ]
        children += self._sub_agents(span, depth) + self._commands(span) + self._parts(span)
        children += [
            self._server(server) for server in self._tree.children(span.span_id, spanfacts.SERVER)
        ]
        node.children = sorted(children, key=lambda child: child.at)
        return node

    def _sub_agents(self, parent: Span, depth: int) -> list[Node]:
        """Build the agents under a span; a trace may say that two started each other."""
        return [
            self._agent(span, depth + 1)
            for span in self._tree.children(parent.span_id, "invoke_agent")
            if span.span_id not in self._placed and depth < _DEPTH
        ]

    def _turns(self, agent: Span, depth: int) -> list[Node]:
        """Build an agent's calls; one that failed has the number of the turn it was to be."""
        nodes, number = [], 1
        for chat in self._tree.children(agent.span_id, "chat"):
            node = self._call(chat, depth)
            if node.kind == "turn":
                node.title = f"{number}  {node.title}"
            number += is_turn(chat.attributes)
            nodes.append(node)
        return nodes

    def totals(self) -> Totals:
        """Add up the whole trace."""
        chats = self._tree.of("chat")
        costs = [spanfacts.cost(span) for span in chats if spanfacts.tokens_of(span) is not None]
        return Totals(
            turns=sum(is_turn(span.attributes) for span in chats),
            side_calls=sum(spanfacts.purpose(span) != MAIN for span in chats),
            tool_calls=sum(map(is_asked, self._tree.of("execute_tool"))),
            failed_calls=sum(has_failed(span.attributes) for span in chats),
            tokens=spanfacts.sum_tokens(chats),
            cost=spanfacts.sum_costs(costs),
            commands=sum(
                span.attributes.get(semconv.COMMAND_FOR) == "tool"
                for span in self._tree.of(spanfacts.COMMAND)
            ),
        )

    def _event(self, event: Event) -> Node:
        at = self._seconds(event.time)
        if event.name in _SAID:
            said = str(event.attributes.get(spanfacts.PROMPT, ""))
            node = Node(_SAID[event.name], "", said, at=at)
            node.cut = spanfacts.cut(event.attributes, title=spanfacts.PROMPT)
            return node
        by = event.attributes.get(BY, "")
        node = Node("consent", "", f"{event.attributes.get(semconv.CONSENT, '')} by {by}", at=at)
        until = event.attributes.get(UNTIL)
        node.duration = (until - event.time) / 1e9 if isinstance(until, int) else None
        return node

    def _call(self, span: Span, depth: int) -> Node:
        purpose = spanfacts.purpose(span)
        kind = "turn" if purpose == MAIN else "side"
        node = self._node(kind, span, str(span.attributes.get(semconv.REQUEST_MODEL, "")))
        node.detail = spanfacts.said(span) if kind == "turn" else purpose
        node.tokens, node.cost = spanfacts.tokens_of(span), spanfacts.cost(span)
        node.notes = spanfacts.call_notes(span)
        node.cut = spanfacts.cut(span.attributes, detail=semconv.OUTPUT_MESSAGES)
        asked = spanfacts.asked(span)
        tools = sorted(
            self._tree.requested(span.span_id),
            key=lambda tool: asked.get(str(tool.attributes.get(semconv.TOOL_CALL_ID)), len(asked)),
        )
        node.children = [
            *given.nodes(span, node.at),
            *(self._tool(tool, depth) for tool in tools),
        ]
        return node

    def _server(self, span: Span) -> Node:
        node = self._node("server", span, span.name)
        node.children = list(given.nodes(span, node.at))
        return node

    def _tool(self, span: Span, depth: int) -> Node:
        node = self._node("tool", span, str(span.attributes.get(semconv.TOOL_NAME, span.name)))
        node.detail = str(span.attributes.get(semconv.TOOL_CALL_ARGUMENTS, ""))
        node.result = str(span.attributes.get(semconv.TOOL_CALL_RESULT, ""))
        node.approval = str(span.attributes.get(semconv.TOOL_APPROVAL, ""))
        node.approved_by = spanfacts.approved_by(span)
        node.cut = spanfacts.cut(
            span.attributes, detail=semconv.TOOL_CALL_ARGUMENTS, result=semconv.TOOL_CALL_RESULT
        )
        if span.attributes.get(semconv.TOOL_IS_ERROR):
            node.notes.append("error")
        if span.attributes.get(semconv.TOOL_STATE) == "unanswered":
            node.notes.append("no result seen")
        if semconv.EVIDENCE in span.attributes:
            node.notes.append("asked for in the text of the answer")
        elif span.attributes.get(semconv.JOIN) == "inferred":
            what = "result is its own" if is_asked(span) else "call it is of"
            node.notes.append(f"which {what} is inferred")
        children = self._sub_agents(span, depth) + self._commands(span) + self._parts(span)
        node.children = sorted(children, key=lambda child: child.at) + self._changes(span)
        return node

    def _changes(self, span: Span) -> list[Node]:
        """Build what a span says of the workspace, where something in it changed."""
        told = [(e, commandfacts.changed(e)) for e in span.events if e.name in commandfacts.CHANGES]
        return [self._change(event, what) for event, what in told if what]

    def _change(self, event: Event, what: str) -> Node:
        node = Node("change", "", what, at=self._seconds(event.time))
        node.detail = commandfacts.text_of(event.attributes.get(semconv.SNAPSHOT_DIFF)) or ""
        node.cut = spanfacts.cut(event.attributes, detail=semconv.SNAPSHOT_DIFF)
        return node

    def _parts(self, span: Span) -> list[Node]:
        """Build the calls of servers' tools (MCP) that a tool call came to, or is not known."""
        parts = self._tree.children(span.span_id, "execute_tool")
        nodes = [self._tool(part, _DEPTH) for part in parts if not is_asked(part)]
        for node in nodes:
            node.kind = "mcp"
        return nodes

    def _commands(self, parent: Span) -> list[Node]:
        """Build the commands under a span, a tool call's or an agent's."""
        tool = parent if spanfacts.operation(parent) == "execute_tool" else None
        commands = self._tree.children(parent.span_id, spanfacts.COMMAND)
        return [self._command(span, tool) for span in commands]

    def _command(self, span: Span, tool: Span | None) -> Node:
        self._placed.add(span.span_id)
        node = self._node("command", span, span.name)
        node.detail = commandfacts.script_of(span, tool)
        node.ran = commandfacts.ran(span, tool)
        node.notes = commandfacts.notes(span)
        node.cut = spanfacts.cut(
            span.attributes, detail=semconv.COMMAND_SCRIPT, **commandfacts.OUTPUTS
        )
        tests = self._tree.children(span.span_id, spanfacts.TEST)
        node.children = [*map(self._test, tests), *self._changes(span)]
        return node

    def _test(self, span: Span) -> Node:
        title = str(span.attributes.get(semconv.TEST_SUITE_NAME, span.name))
        node = self._node("test", span, title)
        further = self._tree.children(span.span_id, spanfacts.TEST)
        failed = [name for each in (span, *further) for name in commandfacts.unhappy(each)]
        node.detail = "\n".join(failed)
        told = (case for each in (span, *further) for case in commandfacts.cases(each))
        node.cases = [f"{ended}  {name}".strip() for name, ended, _ in told]
        node.result = commandfacts.outcome(span)
        source = span.attributes.get(semconv.TEST_SOURCE, "plugin")
        node.notes = [] if source == "plugin" else [f"learned from its {source}".replace("_", " ")]
        return node

    def _node(self, kind: str, span: Span, title: str) -> Node:
        node = Node(kind, span.span_id, title, at=self._seconds(span.start))
        if span.span_id in self._pending:
            node.state = "pending"
        elif span.end:
            node.duration = (span.end - span.start) / 1e9
        node.state = node.state or str(
            span.attributes.get(semconv.CALL_STATE) or span.attributes.get(semconv.TOOL_STATE, "")
        )
        return node

    def _seconds(self, time: int) -> float:
        return (time - self.root.start) / 1e9
