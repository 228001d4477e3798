"""MCP over HTTP as exchanges: each is kept like any other, and together they are tool calls."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pytest

from traceproof.proxy.exchange import Chunk, Exchange
from traceproof.proxy.intake import Intake
from traceproof.proxy.intakes import new_intake
from traceproof.proxy.mcp import Address
from traceproof.proxy.mcpintake import McpIntake
from traceproof.recorder import semconv
from traceproof.recorder.span import Span

if TYPE_CHECKING:
    from tests.proxy.conftest import Desk, Kept

HOST = "mcp.example.com"
JSON = [("content-type", "application/json")]
STREAM = [("content-type", "text/event-stream")]
SECOND = 10**9


def request(key: int, method: str, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": key, "method": method, "params": params}


def call(key: int, name: str = "add") -> dict[str, Any]:
    return request(key, "tools/call", name=name, arguments={})


def result(key: int, **what: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": key, "result": what}


def events(*messages: Any) -> bytes:
    return b"".join(
        b"event: message\ndata: " + json.dumps(each).encode() + b"\n\n" for each in messages
    )


class Talk:
    """An agent and a server; exchanges begin, go on and end as the test says."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.now = SECOND
        self.pause = (0, 0)
        desk.context.mcp.names = {Address(HOST, 443, "/mcp"): "sums"}

    def consents(self, start: int, end: int) -> bool:
        paused, resumed = self.pause
        return end < paused or start > resumed

    def opens(self, sent: Any = None, **more: Any) -> tuple[Exchange, Intake]:
        self.now += 10
        session = more.pop("session", "")
        headers = [*JSON, *([("mcp-session-id", session)] if session else [])]
        fields = {
            "host": HOST,
            "path": "/mcp",
            "request_headers": [*headers, *more.pop("headers", [])],
            "started": self.now,
            "response_headers": JSON,
            "status": 0,
            "response_started": 0,
            "ended": 0,
            **more,
        }
        body = b"" if sent is None else json.dumps(sent).encode()
        exchange = self.desk.exchange(body, [], **fields)
        intake = new_intake(exchange, self.desk.context, self.consents)
        intake.begin()
        return exchange, intake

    def says(self, exchange: Exchange, *data: bytes, **more: Any) -> None:
        self.now += 10
        for name, value in {"status": 200, "response_started": self.now, **more}.items():
            setattr(exchange, name, value)
        exchange.response_chunks.extend(Chunk(self.now, each) for each in data)

    def ends(self, exchange: Exchange, intake: Intake) -> None:
        exchange.ended = self.now
        intake.end()

    def asks(self, sent: Any, said: Any = None, **more: Any) -> None:
        """Pass one whole exchange; `said` is JSON, or bytes with their own headers."""
        answer = {name: more.pop(name) for name in ("status", "response_headers") if name in more}
        exchange, intake = self.opens(sent, **more)
        data = said if isinstance(said, bytes) else json.dumps(said).encode()
        self.says(exchange, *([data] if said is not None else []), **answer)
        self.ends(exchange, intake)

    def starts(self, session: str = "s1") -> None:
        told = result(0, protocolVersion="2025-06-18", serverInfo={"name": "S"})
        named = [*JSON, *([("Mcp-Session-Id", session)] if session else [])]
        self.asks(request(0, "initialize"), told, response_headers=named)


def tools(kept: Kept) -> list[Span]:
    return [span for span in kept.spans if span.name.startswith("execute_tool")]


def servers(kept: Kept) -> list[Span]:
    return [span for span in kept.spans if span.name.startswith("mcp")]


def test_a_session_of_exchanges_is_one_server_and_its_calls(desk: Desk) -> None:
    talk = Talk(desk)
    talk.starts()
    talk.asks(request(1, "tools/list"), result(1, tools=[{"name": "add"}]), session="s1")
    talk.asks(call(2), result(2, content=[]), session="s1")
    talk.asks(None, method="DELETE", session="s1")

    kept = desk.kept()
    (server,), (tool,) = servers(kept), tools(kept)
    expected = {
        semconv.MCP_SERVER: "sums",
        semconv.NETWORK_TRANSPORT: "tcp",
        semconv.NETWORK_PROTOCOL: "http",
        semconv.SERVER_ADDRESS: HOST,
        semconv.SERVER_PORT: 443,
        semconv.MCP_SESSION_ID: "s1",
        semconv.MCP_PROTOCOL_VERSION: "2025-06-18",
        semconv.TOOL_DEFINITIONS: '[{"name": "add"}]',
        semconv.MCP_STATE: "ended",
    }
    assert {name: server.attributes[name] for name in expected} == expected
    assert tool.attributes[semconv.MCP_SESSION_ID] == "s1"
    assert tool.attributes[semconv.TOOL_CALL_RESULT] == '{"content": []}'
    (over,) = [link for link in tool.links if link.attributes[semconv.LINK_TYPE] == "sent_over"]
    (http,) = [span for span in kept.spans if span.span_id == over.span_id]
    assert http.name == "POST /mcp"
    assert json.loads(kept.body(http, "request")[0]) == call(2)
    assert json.loads(kept.body(http, "response")[0]) == result(2, content=[])
    assert (http.start, tool.start) == (tool.start, http.start)


def test_an_answer_as_events_is_taken_as_it_comes(desk: Desk) -> None:
    talk = Talk(desk)
    talk.starts()
    exchange, intake = talk.opens(call(2), session="s1", response_headers=STREAM)
    data = events({"jsonrpc": "2.0", "method": "notifications/progress"}, result(2, said=1))
    talk.says(exchange, data[:50])
    intake.look()
    talk.says(exchange, data[50:])
    intake.look()
    came = talk.now
    talk.now += 1000
    talk.ends(exchange, intake)

    (tool,) = tools(desk.kept())
    assert (tool.end, tool.attributes[semconv.TOOL_CALL_RESULT]) == (came, '{"said": 1}')


def test_an_answer_on_the_stream_that_a_get_opened(desk: Desk) -> None:
    """Also how a stream that was cut is resumed."""
    talk = Talk(desk)
    talk.starts()
    stream, taking = talk.opens(method="GET", session="s1", response_headers=STREAM)
    talk.says(stream, events(request(1, "sampling/createMessage")))
    talk.asks(call(2), status=202, session="s1")
    talk.asks(result(1, role="assistant"), status=202, session="s1")
    talk.says(stream, events(result(2, content=[])))
    talk.ends(stream, taking)

    kept = desk.kept()
    (tool,), (server,) = tools(kept), servers(kept)
    assert tool.attributes[semconv.TOOL_STATE] == "answered"
    sampled = [each for each in server.events if each.attributes.get(semconv.MCP_FROM) == "server"]
    assert [each.attributes[semconv.MCP_METHOD] for each in sampled] == ["sampling/createMessage"]


def test_one_stream_for_all_answers_as_it_was_before(desk: Desk) -> None:
    """Agents try the newer way first."""
    talk = Talk(desk)
    desk.context.mcp.names = {Address(HOST, 443, "/sse"): "old"}
    accepts = [("accept", "text/event-stream")]
    talk.asks(request(0, "initialize"), b"no", status=405, path="/sse")
    stream, taking = talk.opens(method="GET", path="/sse", headers=accepts, response_headers=STREAM)
    talk.says(stream, b"event: endpoint\ndata: /messages?sessionId=7\n\n")
    for sent, said in (
        (request(0, "initialize"), result(0, protocolVersion="2024-11-05")),
        (call(1), result(1, content=[])),
    ):
        talk.asks(sent, b"Accepted", status=202, path="/messages?sessionId=7")
        talk.says(stream, events(said))
    talk.ends(stream, taking)

    kept = desk.kept()
    (tool,), (server,) = tools(kept), servers(kept)
    assert tool.attributes[semconv.TOOL_STATE] == "answered"
    assert server.attributes[semconv.MCP_PROTOCOL_VERSION] == "2024-11-05"
    assert server.attributes[semconv.MCP_SERVER] == "old"
    assert tool.attributes[semconv.MCP_SERVER] == "old"


def test_sessions_of_one_server_are_told_apart(desk: Desk) -> None:
    talk = Talk(desk)
    talk.starts("s1")
    talk.starts("s2")
    one, first = talk.opens(call(1), session="s1")
    two, second = talk.opens(call(1), session="s2")
    talk.says(two, json.dumps(result(1, said="two")).encode())
    talk.ends(two, second)
    talk.says(one, json.dumps(result(1, said="one")).encode())
    talk.ends(one, first)

    kept = desk.kept()
    assert len(servers(kept)) == 2
    found = {
        tool.attributes[semconv.MCP_SESSION_ID]: tool.attributes[semconv.TOOL_CALL_RESULT]
        for tool in tools(kept)
    }
    assert found == {"s1": '{"said": "one"}', "s2": '{"said": "two"}'}


def test_a_server_without_sessions(desk: Desk) -> None:
    talk = Talk(desk)
    talk.starts("")
    talk.asks(call(1), result(1))
    talk.starts("")
    talk.asks(call(1), result(1))

    kept = desk.kept()
    assert [tool.attributes[semconv.TOOL_STATE] for tool in tools(kept)] == ["answered"] * 2
    assert len(servers(kept)) == 2


@pytest.mark.parametrize(("status", "error_type"), [(503, "503"), (404, "404"), (0, "no_response")])
def test_a_call_that_the_server_did_not_take(desk: Desk, status: int, error_type: str) -> None:
    talk = Talk(desk)
    talk.starts()
    exchange, intake = talk.opens(call(2), session="s1")
    if status:
        talk.says(exchange, b"no", status=status)
    else:
        exchange.error = "connection refused"
    talk.ends(exchange, intake)

    (tool,) = tools(desk.kept())
    assert tool.attributes[semconv.ERROR_TYPE] == error_type


def test_an_encoded_answer_is_read_when_it_is_whole(desk: Desk) -> None:
    talk = Talk(desk)
    talk.starts()
    for key, headers, data in (
        (2, JSON, json.dumps(result(2)).encode()),
        (3, STREAM, events(result(3))),
    ):
        coded = [*headers, ("content-encoding", "gzip")]
        talk.asks(call(key), gzip.compress(data), session="s1", response_headers=coded)

    assert [tool.attributes[semconv.TOOL_STATE] for tool in tools(desk.kept())] == ["answered"] * 2


def test_a_session_that_began_before_the_recording(desk: Desk) -> None:
    talk = Talk(desk)
    talk.asks(call(7), result(7), session="old")

    kept = desk.kept()
    (server,), (tool,) = servers(kept), tools(kept)
    assert server.attributes[semconv.MCP_SESSION_ID] == "old"
    assert tool.attributes[semconv.TOOL_STATE] == "answered"


def test_a_call_during_a_pause_is_not_known_to_have_ended(desk: Desk) -> None:
    talk = Talk(desk)
    talk.starts()
    exchange, intake = talk.opens(call(2), session="s1")
    talk.says(exchange, json.dumps(result(2, secret="x")).encode())
    intake.forget()

    (tool,) = tools(desk.kept())
    assert tool.attributes[semconv.TOOL_STATE] == "unanswered"


def test_what_comes_in_a_pause_on_a_stream_that_outlasts_it_is_not_told(desk: Desk) -> None:
    talk = Talk(desk)
    talk.starts()
    stream, taking = talk.opens(method="GET", session="s1", response_headers=STREAM)
    talk.asks(call(2), status=202, session="s1")
    before = talk.now
    private = events(request(7, "sampling/createMessage"), result(2, content=["private"]))
    talk.says(stream, private, events(request(8, "roots/list"))[:20])
    talk.pause = (before + 1, talk.now)
    talk.says(stream, events(request(8, "roots/list"))[20:], events(request(9, "ping")))
    talk.asks(call(3), result(3, content=[]), session="s1")
    talk.says(stream, events(request(10, "ping")))
    taking.forget()

    kept = desk.kept()
    states = [tool.attributes[semconv.TOOL_STATE] for tool in tools(kept)]
    assert sorted(map(str, states)) == ["answered", "unanswered"]
    (server,) = servers(kept)
    asked = [each.attributes[semconv.JSONRPC_ID] for each in server.events]
    assert asked == ["0", "9", "10"]


@pytest.mark.parametrize(
    ("method", "body", "headers", "is_one"),
    [
        ("POST", b'{"jsonrpc":"2.0"}', [], True),
        ("POST", b' [{"jsonrpc": "2.0"}]', [], True),
        ("POST", b'{"a":1}', [], False),
        ("POST", b'not "jsonrpc"', [], False),
        ("PUT", b'{"jsonrpc":"2.0"}', [], False),
        ("GET", b"", [("Accept", "text/event-stream")], True),
        ("GET", b"", [("Accept", "*/*")], False),
        ("DELETE", b"", [("Mcp-Session-Id", "1")], True),
    ],
)
def test_which_exchanges_may_be_of_a_server(
    desk: Desk, method: str, body: bytes, headers: Sequence[tuple[str, str]], is_one: bool
) -> None:
    exchange = desk.exchange(body, [], host=HOST, method=method, request_headers=headers, path="/x")

    assert isinstance(new_intake(exchange, desk.context), McpIntake) is is_one


def test_a_model_call_is_none(desk: Desk) -> None:
    exchange = desk.answered(body=b'{"jsonrpc":"2.0"}')

    assert not isinstance(new_intake(exchange, desk.context), McpIntake)


def test_other_streams_of_events_are_only_kept(desk: Desk) -> None:
    talk = Talk(desk)
    accepts = [("accept", "text/event-stream")]
    stream, taking = talk.opens(
        method="GET", path="/news", headers=accepts, response_headers=STREAM
    )
    talk.says(stream, b'data: {"jsonrpc":"2.0","id":1,"result":{}}\n\ndata: x\n\n')
    talk.ends(stream, taking)

    assert [span.name for span in desk.kept().spans] == ["GET /news"]
