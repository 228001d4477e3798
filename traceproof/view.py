"""A trace as a person reads it: agents, their turns, the tools of each turn, sub-agents within.

Pure: from spans to a tree of nodes. `traceproof.render` draws it, `show --json` prints it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import msgspec

from traceproof.recorder import prices, semconv
from traceproof.recorder.consent import BY, CONSENT_EVENT, UNTIL
from traceproof.recorder.session import PROMPT_EVENT
from traceproof.recorder.span import Event, Span


class Tokens(msgspec.Struct, omit_defaults=True):
    """Token counts of one call, or summed; `input` includes what was read from a cache."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_creation: int = 0


class Node(msgspec.Struct, omit_defaults=True):
    """One line of the tree.

    `kind` is `agent`, `prompt`, `consent`, `turn`, `side`, `tool` or `http`. Times are seconds:
    `at` since the trace began, `duration` None while it has not ended. `detail` is what a turn said
    or a tool was given, `result` what the tool answered. `cost` is in US dollars, None where the
    price is not known. `notes` say what a reader must not overlook: retries, cuts, errors, guesses.
    """

    kind: str
    span_id: str
    title: str
    at: float = 0.0
    duration: float | None = None
    state: str = ""
    detail: str = ""
    result: str = ""
    tokens: Tokens | None = None
    cost: float | None = None
    notes: list[str] = []
    children: list[Node] = []


class Totals(msgspec.Struct):
    """What a trace adds up to; `cost` is None when the price of any call is not known."""

    turns: int
    side_calls: int
    tool_calls: int
    failed_calls: int
    tokens: Tokens
    cost: float | None


class View(msgspec.Struct):
    """A whole trace."""

    trace: str
    root: Node
    totals: Totals
    facts: dict[str, Any]
    problems: list[str]


_FACTS = (
    semconv.AGENT_NAME,
    semconv.AGENT_VERSION,
    semconv.CONVERSATION_ID,
    semconv.TASK_ID,
    semconv.TASK_TYPE,
    semconv.SCENARIO,
    semconv.ORIGIN,
    semconv.CONSENT,
    semconv.VCS_URL,
    semconv.VCS_REVISION,
    semconv.VCS_BRANCH,
    semconv.VCS_STATE,
    semconv.VCS_CAP,
    semconv.PROCESS_COMMAND_ARGS,
    semconv.PROCESS_WORKING_DIRECTORY,
    semconv.PROCESS_EXIT_CODE,
    semconv.RECORDING_MODE,
    semconv.RECORDING_LOST,
)


_EVENTS = {PROMPT_EVENT, CONSENT_EVENT}


def build(
    trace: str, spans: Iterable[Span], *, pending: Iterable[str] = (), problems: Iterable[str] = ()
) -> View:
    """Build the view of a trace from its (inlined) spans.

    Raises:
        ValueError: there is no root span.
    """
    tree = _Tree(list(spans), set(pending))
    root = tree.agent(tree.root)
    return View(
        trace=trace,
        root=root,
        totals=tree.totals(),
        facts={key: tree.root.attributes[key] for key in _FACTS if key in tree.root.attributes},
        problems=list(problems),
    )


class _Tree:
    """Nests spans: chats and prompts under agents, tools under chats, sub-agents under tools."""

    def __init__(self, spans: list[Span], pending: set[str]) -> None:
        self._spans = sorted(spans, key=lambda span: (span.start, span.end))
        self._pending = pending
        self._by_parent: defaultdict[str, list[Span]] = defaultdict(list)
        self._by_chat: defaultdict[str, list[Span]] = defaultdict(list)
        for span in self._spans:
            self._by_parent[span.parent_id].append(span)
            for chat_id in _requested_by(span):
                self._by_chat[chat_id].append(span)
        roots = [s for s in self._spans if not s.parent_id and _operation(s) == "invoke_agent"]
        if not roots:
            raise ValueError("the trace has no root span: nothing of the session was written")
        self.root = roots[0]

    def agent(self, span: Span) -> Node:
        """Build an agent's node with everything it did, in the order it happened."""
        node = self._node("agent", span, str(span.attributes.get(semconv.AGENT_NAME, span.name)))
        if span.attributes.get(semconv.JOIN) == "inferred":
            node.notes.append("which call started it is inferred")
        children = [self._event(event) for event in span.events if event.name in _EVENTS]
        children += [self._call(chat) for chat in self._children(span, "chat")]
        children += [self._node("http", http, http.name) for http in self._children(span, "")]
        children += [self.agent(sub) for sub in self._children(span, "invoke_agent")]
        _number_turns(children)
        node.children = sorted(children, key=lambda child: child.at)
        return node

    def totals(self) -> Totals:
        """Add up the whole trace."""
        chats = [span for span in self._spans if _operation(span) == "chat"]
        main = [span for span in chats if span.attributes.get(semconv.CALL_PURPOSE) == "main"]
        costs = [_cost(span) for span in chats if _tokens(span) is not None]
        return Totals(
            turns=len(main),
            side_calls=len(chats) - len(main),
            tool_calls=sum(_operation(span) == "execute_tool" for span in self._spans),
            failed_calls=sum(bool(span.attributes.get(semconv.ERROR_TYPE)) for span in chats),
            tokens=_sum(chats),
            cost=_sum_costs(costs),
        )

    def _children(self, parent: Span, operation: str) -> list[Span]:
        return [span for span in self._by_parent[parent.span_id] if _operation(span) == operation]

    def _event(self, event: Event) -> Node:
        at = self._seconds(event.time)
        if event.name == PROMPT_EVENT:
            return Node("prompt", "", str(event.attributes.get("content", "")), at=at)
        by = event.attributes.get(BY, "")
        node = Node("consent", "", f"{event.attributes.get(semconv.CONSENT, '')} by {by}", at=at)
        until = event.attributes.get(UNTIL)
        node.duration = (until - event.time) / 1e9 if isinstance(until, int) else None
        return node

    def _call(self, span: Span) -> Node:
        purpose = str(span.attributes.get(semconv.CALL_PURPOSE, "main"))
        kind = "turn" if purpose == "main" else "side"
        node = self._node(kind, span, str(span.attributes.get(semconv.REQUEST_MODEL, "")))
        node.detail = said(span) if kind == "turn" else purpose
        node.tokens, node.cost = _tokens(span), _cost(span)
        node.notes = _call_notes(span)
        asked = _asked(span)
        tools = sorted(
            self._by_chat[span.span_id],
            key=lambda tool: asked.get(str(tool.attributes.get(semconv.TOOL_CALL_ID)), len(asked)),
        )
        node.children = [self._tool(tool) for tool in tools]
        return node

    def _tool(self, span: Span) -> Node:
        node = self._node("tool", span, str(span.attributes.get(semconv.TOOL_NAME, span.name)))
        node.detail = str(span.attributes.get(semconv.TOOL_CALL_ARGUMENTS, ""))
        node.result = str(span.attributes.get(semconv.TOOL_CALL_RESULT, ""))
        if span.attributes.get(semconv.TOOL_IS_ERROR):
            node.notes.append("error")
        if span.attributes.get(semconv.TOOL_STATE) == "unanswered":
            node.notes.append("no result seen")
        node.children = [self.agent(sub) for sub in self._children(span, "invoke_agent")]
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


def said(span: Span) -> str:
    """Return the text of a call's answer, thinking and tool calls left out."""
    parts = _parts(span)
    return "\n".join(str(part["content"]) for part in parts if part.get("type") == "text")


def _asked(span: Span) -> dict[str, int]:
    """Number the tool calls of an answer in the order in which it asks for them."""
    ids = [str(part.get("id")) for part in _parts(span) if part.get("type") == "tool_call"]
    return {call_id: number for number, call_id in enumerate(ids)}


def _parts(span: Span) -> list[dict[str, Any]]:
    messages = _json(span.attributes.get(semconv.OUTPUT_MESSAGES))
    return [part for message in messages for part in message.get("parts", [])]


def _json(value: object) -> list[dict[str, Any]]:
    if not isinstance(value, str):
        return []
    decoded = msgspec.json.decode(value)
    return [item for item in decoded if isinstance(item, dict)]


def _operation(span: Span) -> str:
    return str(span.attributes.get(semconv.OPERATION_NAME, ""))


def _requested_by(span: Span) -> list[str]:
    return [
        link.span_id
        for link in span.links
        if link.attributes.get(semconv.LINK_TYPE) == "requested_by"
    ]


def _number_turns(nodes: list[Node]) -> None:
    turns = sorted((node for node in nodes if node.kind == "turn"), key=lambda node: node.at)
    for number, node in enumerate(turns, 1):
        node.title = f"{number}  {node.title}"


def _call_notes(span: Span) -> list[str]:
    notes = []
    resends = span.attributes.get(semconv.HTTP_RESEND_COUNT)
    if resends:
        notes.append(f"retry {resends}")
    if span.attributes.get(semconv.CALL_STATE) == "cut":
        notes.append("stream cut")
    error = span.attributes.get(semconv.ERROR_TYPE)
    if error:
        notes.append(f"{error}: {span.status_message}".rstrip(": "))
    problem = span.attributes.get(semconv.CALL_PROBLEM)
    if problem:
        notes.append(str(problem))
    return notes


def _count(span: Span, name: str) -> int:
    value = span.attributes.get(name, 0)
    return value if isinstance(value, int) else 0


def _tokens(span: Span) -> Tokens | None:
    if not {semconv.INPUT_TOKENS, semconv.OUTPUT_TOKENS} & span.attributes.keys():
        return None
    return Tokens(
        input=_count(span, semconv.INPUT_TOKENS),
        output=_count(span, semconv.OUTPUT_TOKENS),
        cache_read=_count(span, semconv.CACHE_READ_TOKENS),
        cache_creation=_count(span, semconv.CACHE_CREATION_TOKENS),
    )


def _sum(spans: list[Span]) -> Tokens:
    counted = [tokens for tokens in map(_tokens, spans) if tokens is not None]
    return Tokens(
        input=sum(tokens.input for tokens in counted),
        output=sum(tokens.output for tokens in counted),
        cache_read=sum(tokens.cache_read for tokens in counted),
        cache_creation=sum(tokens.cache_creation for tokens in counted),
    )


def _sum_costs(costs: list[float | None]) -> float | None:
    known = [cost for cost in costs if cost is not None]
    return sum(known) if known and len(known) == len(costs) else None


def _cost(span: Span) -> float | None:
    tokens = _tokens(span)
    if tokens is None:
        return None
    model = span.attributes.get(semconv.RESPONSE_MODEL) or span.attributes.get(
        semconv.REQUEST_MODEL, ""
    )
    return prices.cost(
        str(model),
        input_tokens=tokens.input,
        output_tokens=tokens.output,
        cache_read=tokens.cache_read,
        cache_write=tokens.cache_creation,
    )
