"""What passes between an agent and a server, line by line, and the spans that come of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from traceproof.recorder import semconv
from traceproof.recorder.calls import ToolRequest
from traceproof.recorder.mcp.calls import McpCalls, McpServer
from traceproof.recorder.span import Attributes, Span, StatusCode
from traceproof.recorder.toolcalls import Asker, OpenTool

ROOT = Span("1" * 32, "a" * 16, "invoke_agent claude-code", start=0)
PIPE: Attributes = {semconv.NETWORK_TRANSPORT: "pipe"}


@dataclass
class Sink:
    """Keeps what it is given."""

    texts: list[str] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    waiting: dict[str, Span] = field(default_factory=dict)

    def text(self, value: str) -> str:
        self.texts.append(value)
        return f"text:{len(self.texts)}"

    def span(self, span: Span) -> None:
        assert span.span_id not in {each.span_id for each in self.spans}
        self.waiting.pop(span.span_id, None)
        self.spans.append(span)

    def pending(self, span: Span) -> None:
        self.waiting[span.span_id] = span

    @property
    def tools(self) -> list[Span]:
        return [span for span in self.spans if span.name.startswith("execute_tool")]


def connected(name: str = "sums") -> tuple[Sink, McpCalls, McpServer]:
    sink = Sink()
    calls = McpCalls(sink, ROOT)
    return sink, calls, calls.server(name, 10, PIPE)


def tool(call_id: str, name: str, arguments: str = "{}", *, exact: bool = True) -> OpenTool:
    span = Span("1" * 32, f"{call_id:0>16}", f"execute_tool {name}", start=20, end=90)
    return OpenTool(span, ToolRequest(call_id, name, arguments, exact), "c" * 16, Asker("", ""))


def request(key: Any, method: str, **params: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": key, "method": method, "params": params}).encode()


def call(key: Any, name: str, meta: dict[str, Any] | None = None, **arguments: Any) -> bytes:
    more = {"_meta": meta} if meta else {}
    return request(key, "tools/call", name=name, arguments=arguments, **more)


def note(method: str, **params: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "method": method, "params": params}).encode()


def result(key: Any, **what: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": key, "result": what}).encode()


def error(key: Any, code: int, message: str) -> bytes:
    said = {"jsonrpc": "2.0", "id": key, "error": {"code": code, "message": message}}
    return json.dumps(said).encode()


def test_a_call_and_its_result_are_a_span_under_the_models_call() -> None:
    sink, calls, server = connected()
    asked = tool("toolu_1", "mcp__sums__add", '{"a":1}')
    calls.asked(asked)

    server.from_client(30, call(2, "add", {"claudecode/toolUseId": "toolu_1"}, a=1))
    server.from_server(40, result(2, content=[], isError=False))

    (span,) = sink.tools
    assert (span.start, span.end, span.parent_id) == (30, 40, asked.span.span_id)
    assert span.name == "execute_tool add"
    assert span.attributes == {
        semconv.OPERATION_NAME: "execute_tool",
        semconv.TOOL_NAME: "add",
        semconv.TOOL_TYPE: "extension",
        semconv.MCP_METHOD: "tools/call",
        semconv.MCP_SERVER: "sums",
        semconv.JSONRPC_ID: "2",
        semconv.NETWORK_TRANSPORT: "pipe",
        semconv.JOIN: "exact",
        semconv.TOOL_CALL_ID: "toolu_1",
        semconv.TOOL_CALL_ARGUMENTS: '{"a": 1}',
        semconv.TOOL_CALL_RESULT: '{"content": [], "isError": false}',
        semconv.TOOL_IS_ERROR: False,
        semconv.TOOL_STATE: "answered",
    }
    assert not sink.tools[0].status


def test_a_call_waits_on_record_for_its_result() -> None:
    sink, _, server = connected()

    server.from_client(30, call(2, "add"))

    assert [span.name for span in sink.waiting.values()] == ["mcp sums", "execute_tool add"]


@pytest.mark.parametrize(
    ("answer", "error_type", "message"),
    [
        (result(2, content=[], isError=True), "tool_error", ""),
        (error(2, -32602, "no such tool"), "-32602", "no such tool"),
    ],
)
def test_a_failure_of_the_tool_and_one_of_the_server(
    answer: bytes, error_type: str, message: str
) -> None:
    sink, calls, server = connected()
    server.from_client(30, call(2, "add"))
    server.from_server(40, answer)
    calls.close(50)

    (span,) = sink.tools
    assert span.attributes[semconv.ERROR_TYPE] == error_type
    assert span.attributes[semconv.TOOL_IS_ERROR] is True
    assert (span.status, span.status_message) == (StatusCode.ERROR, message)


def test_answers_come_in_any_order_and_ids_are_told_apart_by_their_kind() -> None:
    sink, calls, server = connected()
    server.from_client(30, call(1, "add", a=1))
    server.from_client(31, call("1", "add", a=2))
    server.from_client(32, call(2, "wait"))
    server.from_server(40, result("1", said="two"))
    server.from_server(41, result(2, said="three"))
    server.from_server(42, result(1, said="one"))
    calls.close(50)

    found = {
        str(span.attributes[semconv.TOOL_CALL_ARGUMENTS]): span.attributes[semconv.TOOL_CALL_RESULT]
        for span in sink.tools
    }
    assert found == {
        '{"a": 1}': '{"said": "one"}',
        '{"a": 2}': '{"said": "two"}',
        "{}": '{"said": "three"}',
    }


def test_a_request_of_the_servers_is_no_answer_to_the_agents() -> None:
    """Both sides count from one: sampling under way has the id of a call."""
    sink, calls, server = connected()
    server.from_client(30, call(1, "add"))
    server.from_server(31, request(1, "sampling/createMessage", messages=[]))
    server.from_client(35, result(1, role="assistant"))
    server.from_server(40, result(1, content=[]))
    calls.close(50)

    (span,) = sink.tools
    assert (span.end, span.attributes[semconv.TOOL_STATE]) == (40, "answered")
    (event,) = sink.spans[-1].events
    assert event.name == "traceproof.mcp.request"
    assert event.attributes == {
        semconv.MCP_METHOD: "sampling/createMessage",
        semconv.JSONRPC_ID: "1",
        semconv.MCP_FROM: "server",
        semconv.MCP_SECONDS: 4e-9,
    }


def test_progress_and_what_is_no_message_changes_nothing() -> None:
    sink, calls, server = connected()
    server.from_client(30, call(1, "add"))
    for line in (
        note("notifications/progress", progressToken=1, progress=0.5),
        b"starting up...",
        b"",
        b'{"jsonrpc":"1.0","id":1,"result":{}}',
        b"\xff\xfe{",
        b"[]",
        b"null",
        b'{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"no"}}',
        result(7),
    ):
        server.from_server(35, line)
    server.from_server(40, result(1))
    calls.close(50)

    (span,) = sink.tools
    assert span.end == 40


def test_a_batch_is_its_messages() -> None:
    sink, calls, server = connected()
    batch = [json.loads(call(1, "add", a=1)), json.loads(call(2, "add", a=2))]
    server.from_client(30, json.dumps(batch).encode())
    server.from_server(40, b"[" + result(2) + b"," + result(1) + b"]")
    calls.close(50)

    assert [span.attributes[semconv.TOOL_STATE] for span in sink.tools] == ["answered"] * 2


def test_a_cancelled_call_ends_then_and_a_late_cancellation_is_nothing() -> None:
    sink, calls, server = connected()
    server.from_client(30, call(1, "wait"))
    server.from_client(31, call(2, "add"))
    server.from_client(35, note("notifications/cancelled", requestId=1, reason="no time"))
    server.from_server(36, result(2))
    server.from_client(37, note("notifications/cancelled", requestId=2, reason="over"))
    server.from_server(40, result(1))
    calls.close(50)

    first, second = sink.tools
    assert (first.end, first.attributes[semconv.ERROR_TYPE]) == (35, "cancelled")
    assert first.attributes[semconv.TOOL_STATE] == "unanswered"
    assert first.status_message == "no time"
    assert (second.end, semconv.ERROR_TYPE in second.attributes) == (36, False)


def test_a_server_that_ends_answers_nothing_more() -> None:
    sink, calls, server = connected()
    server.from_client(30, call(1, "wait"))
    server.ended(40, {semconv.PROCESS_EXIT_CODE: 3})
    calls.close(50)

    (span,) = sink.tools
    assert (span.end, span.attributes[semconv.ERROR_TYPE]) == (40, "unanswered")
    (server_span,) = [span for span in sink.spans if span.name == "mcp sums"]
    assert (server_span.start, server_span.end) == (10, 40)
    assert server_span.attributes[semconv.PROCESS_EXIT_CODE] == 3
    assert server_span.parent_id == ROOT.span_id


def test_what_it_says_of_itself_stands_on_the_server() -> None:
    sink, calls, server = connected()
    server.from_client(11, request(0, "initialize", protocolVersion="2025-06-18"))
    server.from_server(
        12,
        result(
            0,
            protocolVersion="2025-03-26",
            serverInfo={"name": "Sums", "version": "1"},
            instructions="Add.",
        ),
    )
    server.from_client(13, call(1, "add"))
    calls.close(50)

    (server_span,) = [span for span in sink.spans if span.name == "mcp sums"]
    facts = server_span.attributes
    assert facts[semconv.MCP_PROTOCOL_VERSION] == "2025-03-26"
    assert facts[semconv.MCP_SERVER_INFO] == '{"name": "Sums", "version": "1"}'
    assert facts[semconv.MCP_INSTRUCTIONS] == "Add."
    assert sink.tools[0].attributes[semconv.MCP_PROTOCOL_VERSION] == "2025-03-26"


def test_definitions_in_pages_are_one_list_and_a_new_list_replaces_it() -> None:
    sink, calls, server = connected()
    server.from_client(11, request(1, "tools/list"))
    server.from_server(12, result(1, tools=[{"name": "a"}], nextCursor="2"))
    server.from_client(13, request(2, "tools/list", cursor="2"))
    server.from_server(14, result(2, tools=[{"name": "b"}]))
    server.from_server(15, note("notifications/tools/list_changed"))
    server.from_client(16, request(3, "tools/list"))
    server.from_server(17, result(3, tools=[{"name": "c", "description": "x" * 2000}]))
    calls.close(50)

    span = sink.spans[-1]
    assert semconv.TOOL_DEFINITIONS not in span.attributes
    assert span.attributes[semconv.REF + semconv.TOOL_DEFINITIONS] == "text:1"
    assert json.loads(sink.texts[0])[0]["name"] == "c"
    told = [event for event in span.events if event.name == "traceproof.mcp.tools"]
    assert [event.time for event in told] == [14, 17]
    assert told[0].attributes == {semconv.TOOL_DEFINITIONS: '[{"name": "a"},{"name": "b"}]'}


def test_what_is_long_goes_into_blobs() -> None:
    sink, calls, server = connected()
    server.from_client(11, call(1, "add", text="x" * 2000))
    server.from_server(12, result(1, text="y" * 3_000_000))
    calls.close(50)

    facts = sink.tools[0].attributes
    assert facts[semconv.REF + semconv.TOOL_CALL_ARGUMENTS] == "text:1"
    assert facts[semconv.REF + semconv.TOOL_CALL_RESULT] == "text:2"
    assert len(sink.texts[1]) > 3_000_000


def test_requests_beyond_a_thousand_are_counted() -> None:
    sink, calls, server = connected()
    for key in range(1003):
        server.from_client(20, request(key, "ping"))
        server.from_server(21, result(key))
    calls.close(50)

    (span,) = sink.spans
    assert len(span.events) == 1000
    assert span.attributes[semconv.MCP_UNNOTED] == 3


def test_a_request_that_did_not_get_there_fails() -> None:
    sink, calls, server = connected("")
    server.from_client(30, call(1, "add"))
    server.from_client(30, call(2, "add"))
    server.failed(["1"], 35, "503")
    server.from_server(40, result(2))
    calls.close(50)

    first, second = sink.tools
    assert first.attributes[semconv.ERROR_TYPE] == "503"
    assert second.attributes[semconv.TOOL_STATE] == "answered"
    assert semconv.MCP_SERVER not in first.attributes


def test_params_of_any_kind_do_no_harm() -> None:
    sink, calls, server = connected()
    odd: list[Any] = [[1, 2], "text", None, {"name": 7}, {"_meta": []}]
    for key, params in enumerate(odd):
        line = {"jsonrpc": "2.0", "id": key, "method": "tools/call", "params": params}
        server.from_client(30, json.dumps(line).encode())
        server.from_server(40, result(key))
    for method in ("initialize", "tools/list"):
        server.from_client(41, request("x", method))
        server.from_server(42, b'{"jsonrpc":"2.0","id":"x","result":[3]}')
    calls.close(50)

    assert len(sink.tools) == 5


def test_an_answer_that_is_read_before_its_request() -> None:
    """Over HTTP they come on two connections, and the recorder reads one after the other."""
    sink, calls, server = connected()
    server.from_server(25, result(1, said="of another"))
    server.from_server(40, result(2, said="early"))
    server.from_client(30, call(1, "add"))
    server.from_client(30, call(2, "add"))
    for key in range(100, 300):
        server.from_server(41, result(key))
    calls.close(50)

    found = {
        span.attributes[semconv.JSONRPC_ID]: (span.attributes[semconv.TOOL_STATE], span.end)
        for span in sink.tools
    }
    assert found == {"1": ("unanswered", 50), "2": ("answered", 40)}
