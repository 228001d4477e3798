"""What is said to and by MCP servers, as spans: one for each server, one for each tool call.

Sans-io, on the recorder's thread: it is told lines and when they came, from whatever they came
over, and hands spans to a sink. Nothing that a server or an agent says can end it: what is no
JSON-RPC is passed over, answers may come in any order, or never.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import msgspec

from traceproof.recorder import semconv
from traceproof.recorder.mcp import jsonrpc
from traceproof.recorder.mcp.joins import ToolJoiner, Wanted
from traceproof.recorder.span import (
    Attributes,
    Event,
    Link,
    Span,
    SpanKind,
    StatusCode,
    new_span_id,
)
from traceproof.recorder.toolcalls import OpenTool

_INLINE = 1024
"""Arguments and results up to this many characters stand in the span, else in a blob."""

_MOST_EVENTS = 1000
"""Requests other than tool calls that are noted of a server; the rest are counted."""

_MOST_EARLY = 64
"""Answers to nobody that are kept, in case that their requests are yet to be read."""

_Early: TypeAlias = dict[str, tuple[jsonrpc.Message, int]]

_TOOLS = "traceproof.mcp.tools"
"""Event on a server's span: it said which tools it has."""

_REQUEST = "traceproof.mcp.request"
"""Event on a server's span: another request, of whichever side."""


class Sink(Protocol):
    """Where spans go: `traceproof.recorder.writer.TraceWriter`, or a list in a test."""

    def text(self, value: str) -> str:
        """Store a text and return the reference to it."""

    def span(self, span: Span) -> None:
        """Take a finished span."""

    def pending(self, span: Span) -> None:
        """Take a span in flight, as far as it is known."""


@dataclass(eq=False)
class _Call:
    """A tool call on its way: written once it has ended and its place is known."""

    span: Span
    ended: bool = False
    placed: bool = False


@dataclass(eq=False)
class _Asked:
    """A request that waits for its answer."""

    method: str
    key: str
    time: int
    side: int
    """Whose it was: 0 the agent's, 1 the server's."""
    call: _Call | None = None


class McpCalls:
    """The MCP side of a session."""

    def __init__(self, sink: Sink, root: Span) -> None:
        """Write to `sink` what belongs to the session of `root`."""
        self._sink = sink
        self._root = root
        self._joiner = ToolJoiner()
        self._servers: list[McpServer] = []

    def asked(self, tool: OpenTool) -> None:
        """Learn of a tool call that the model asked for."""
        self._joiner.asked(tool)

    def ended(self, tool: OpenTool) -> None:
        """Learn that a tool call was answered, or is given up."""
        self._joiner.ended(tool)

    def server(self, name: str, time: int, attributes: Attributes) -> McpServer:
        """Take a server that is connected to at `time` (Unix ns); `name` may be unknown, empty."""
        span = Span(
            trace_id=self._root.trace_id,
            span_id=new_span_id(),
            name=f"mcp {name}".rstrip(),
            kind=SpanKind.CLIENT,
            parent_id=self._root.span_id,
            start=time,
            attributes={semconv.MCP_SERVER: name, **attributes} if name else dict(attributes),
        )
        server = McpServer(name, span, self._sink, self._joiner)
        self._servers.append(server)
        return server

    def close(self, time: int) -> None:
        """End what is still open: the session is over."""
        self._joiner.close()
        for server in self._servers:
            server.ended(time, {})


class McpServer:
    """One connection to a server: its span, and the requests on it that wait for an answer."""

    def __init__(self, name: str, span: Span, sink: Sink, joiner: ToolJoiner) -> None:
        self._name = name
        self._span = span
        self._sink = sink
        self._joiner = joiner
        self._asked: tuple[dict[str, _Asked], dict[str, _Asked]] = ({}, {})
        self._early: tuple[_Early, _Early] = ({}, {})
        self._tools: list[msgspec.Raw] = []
        self._unnoted = 0
        self._over = False
        self.began = False
        """Whether the agent has asked for its initialization."""
        self._sink.pending(self._span)

    @property
    def over(self) -> bool:
        """Whether its span is written."""
        return self._over

    def note(self, attributes: Attributes) -> None:
        """Add to what is known of it."""
        self._span.attributes |= attributes

    def from_client(self, time: int, line: bytes, link: Link | None = None) -> None:
        """Take a line, or a body, that the agent sent; `link` to what it came over."""
        for message in jsonrpc.read(line):
            self._take(message, time, 0, link)

    def from_server(self, time: int, line: bytes) -> None:
        """Take a line, or a body, that the server sent."""
        for message in jsonrpc.read(line):
            self._take(message, time, 1, None)

    def failed(self, keys: Iterable[str], time: int, error_type: str) -> None:
        """End requests of the agent's (by their ids as JSON) that did not get to the server."""
        for key in keys:
            asked = self._asked[0].pop(key, None)
            if asked is not None:
                self.began = self.began and asked.method != "initialize"
                self._give_up(asked, time, error_type)

    def ended(self, time: int, attributes: Attributes) -> None:
        """End it: the connection is gone, and what was not answered will not be."""
        if self._over:
            return
        self._over = True
        for asked in [*self._asked[0].values(), *self._asked[1].values()]:
            self._give_up(asked, time, "unanswered")
        self._span.end = max(time, self._span.start)
        self._span.attributes |= attributes
        if self._unnoted:
            self._span.attributes[semconv.MCP_UNNOTED] = self._unnoted
        self._sink.span(self._span)

    # --- messages ---------------------------------------------------------------------------------

    def _take(self, message: jsonrpc.Message, time: int, side: int, link: Link | None) -> None:
        if message.asks and message.method is not None:
            asked = _Asked(message.method, message.key, time, side)
            self.began = self.began or (message.method == "initialize" and side == 0)
            if message.method == "tools/call" and side == 0:
                asked.call = self._call(message, time, link)
            self._asked[side][message.key] = asked
            early = self._early[side].pop(message.key, None)
            if early is not None and early[1] >= time:
                self._take(*early, 1 - side, None)
        elif message.answers:
            asked_for = self._asked[1 - side].pop(message.key, None)
            if asked_for is None:
                self._keep(message, time, 1 - side)
            else:
                self._answer(asked_for, message, time)
        elif message.method == "notifications/cancelled":
            self._cancel(message, time, side)

    def _keep(self, message: jsonrpc.Message, time: int, side: int) -> None:
        """Keep an answer that was read before its request: they came over two connections."""
        early = self._early[side]
        if len(early) >= _MOST_EARLY:
            del early[next(iter(early))]
        early[message.key] = message, time

    def _answer(self, asked: _Asked, message: jsonrpc.Message, time: int) -> None:
        failure = message.error
        if asked.call is not None:
            self._result(asked.call, message, time)
            return
        if asked.side == 0 and failure is None:
            self._learn(asked.method, message.result, time)
        self._note_request(asked, time, str(failure.code) if failure else "")

    def _learn(self, method: str, result: msgspec.Raw, time: int) -> None:
        if method == "initialize":
            self._initialized(result)
        elif method == "tools/list":
            self._listed(result, time)

    def _cancel(self, message: jsonrpc.Message, time: int, side: int) -> None:
        """End a request that its side does not want any more; many cancel what was answered."""
        told = jsonrpc.parse(message.params, jsonrpc.Cancelled)
        key = jsonrpc.text(told.request_id) if told else ""
        asked = self._asked[side].pop(key, None)
        if asked is not None and told is not None:
            self._give_up(asked, time, "cancelled", told.reason)

    def _give_up(self, asked: _Asked, time: int, error_type: str, why: str = "") -> None:
        """End a request that gets no answer."""
        if asked.call is not None:
            self._close(asked.call, time, error_type, why, answered=False)
        else:
            self._note_request(asked, time, error_type)

    def _initialized(self, result: msgspec.Raw) -> None:
        told = jsonrpc.parse(result, jsonrpc.Initialize)
        if told is None:
            return
        if told.protocol:
            self.note({semconv.MCP_PROTOCOL_VERSION: told.protocol})
        if jsonrpc.text(told.server):
            self._put(self._span.attributes, semconv.MCP_SERVER_INFO, jsonrpc.text(told.server))
        if told.instructions:
            self._put(self._span.attributes, semconv.MCP_INSTRUCTIONS, told.instructions)
        self._sink.pending(self._span)

    def _listed(self, result: msgspec.Raw, time: int) -> None:
        """Keep the definitions; a long list comes in pages."""
        told = jsonrpc.parse(result, jsonrpc.Tools)
        if told is None:
            return
        self._tools += [msgspec.Raw(bytes(tool)) for tool in told.tools]
        if told.cursor:
            return
        whole = "[" + ",".join(map(jsonrpc.text, self._tools)) + "]"
        self._tools = []
        known = dict(self._span.attributes)
        known.pop(semconv.TOOL_DEFINITIONS, None)
        known.pop(semconv.REF + semconv.TOOL_DEFINITIONS, None)
        said: Attributes = {}
        self._put(said, semconv.TOOL_DEFINITIONS, whole)
        self._span.attributes = {**known, **said}
        self._span.events.append(Event(_TOOLS, time, said))
        self._sink.pending(self._span)

    def _note_request(self, asked: _Asked, time: int, error_type: str) -> None:
        if len(self._span.events) >= _MOST_EVENTS:
            self._unnoted += 1
            return
        attributes: Attributes = {
            semconv.MCP_METHOD: asked.method,
            semconv.JSONRPC_ID: asked.key.strip('"'),
            semconv.MCP_FROM: ("client", "server")[asked.side],
            semconv.MCP_SECONDS: max(time - asked.time, 0) / 1e9,
            semconv.ERROR_TYPE: error_type,
        }
        known = {name: value for name, value in attributes.items() if value != ""}
        self._span.events.append(Event(_REQUEST, asked.time, known))

    # --- tool calls -------------------------------------------------------------------------------

    def _call(self, message: jsonrpc.Message, time: int, link: Link | None) -> _Call:
        told = jsonrpc.parse(message.params, jsonrpc.Call) or jsonrpc.Call()
        known = self._span.attributes
        span = Span(
            trace_id=self._span.trace_id,
            span_id=new_span_id(),
            name=f"execute_tool {told.name}".rstrip(),
            kind=SpanKind.CLIENT,
            parent_id=self._span.parent_id,
            start=time,
            attributes={
                semconv.OPERATION_NAME: "execute_tool",
                semconv.TOOL_NAME: told.name,
                semconv.TOOL_TYPE: "extension",
                semconv.MCP_METHOD: "tools/call",
                semconv.JSONRPC_ID: message.key.strip('"'),
                **({semconv.MCP_SERVER: self._name} if self._name else {}),
                **{name: known[name] for name in semconv.MCP_SHARED if name in known},
            },
            links=[
                Link(self._span.trace_id, self._span.span_id, {semconv.LINK_TYPE: "mcp_server"}),
                *([link] if link else []),
            ],
        )
        self._put(span.attributes, semconv.TOOL_CALL_ARGUMENTS, jsonrpc.text(told.arguments))
        call = _Call(span)
        arguments = jsonrpc.parse(told.arguments, object) if told.arguments else {}
        self._sink.pending(span)
        self._joiner.join(
            Wanted(
                told.name,
                self._name,
                time,
                arguments,
                told.meta,
                lambda tool, how: self._place(call, tool, how),
            )
        )
        return call

    def _place(self, call: _Call, tool: OpenTool | None, how: str) -> None:
        call.placed = True
        if tool is not None:
            call.span.parent_id = tool.span.span_id
            call.span.attributes[semconv.JOIN] = how
            call.span.attributes[semconv.TOOL_CALL_ID] = tool.request.call_id
        self._write(call)

    def _result(self, call: _Call, message: jsonrpc.Message, time: int) -> None:
        span, failure = call.span, message.error
        if failure is not None:
            span.attributes[semconv.RPC_STATUS] = str(failure.code)
            span.attributes[semconv.TOOL_IS_ERROR] = True
            self._close(call, time, str(failure.code), failure.message)
            return
        self._put(span.attributes, semconv.TOOL_CALL_RESULT, jsonrpc.text(message.result))
        told = jsonrpc.parse(message.result, jsonrpc.CallResult)
        failed = told is not None and told.is_error
        span.attributes[semconv.TOOL_IS_ERROR] = failed
        self._close(call, time, "tool_error" if failed else "", "")

    def _close(
        self, call: _Call, time: int, error_type: str, message: str, *, answered: bool = True
    ) -> None:
        span = call.span
        span.end = max(time, span.start)
        span.attributes[semconv.TOOL_STATE] = "answered" if answered else "unanswered"
        if error_type:
            span.status, span.status_message = StatusCode.ERROR, message
            span.attributes[semconv.ERROR_TYPE] = error_type
        call.ended = True
        self._write(call)

    def _write(self, call: _Call) -> None:
        if call.ended and call.placed:
            self._sink.span(call.span)
        elif not call.ended:
            self._sink.pending(call.span)

    def _put(self, attributes: Attributes, name: str, value: str) -> None:
        if len(value) <= _INLINE:
            attributes[name] = value
        else:
            attributes[semconv.REF + name] = self._sink.text(value)
