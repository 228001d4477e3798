"""A server over stdio as its tee's packets make it, down to the trace file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from traceproof.recorder import semconv
from traceproof.recorder.mcp import peer as module
from traceproof.recorder.mcp.calls import McpCalls
from traceproof.recorder.mcp.peer import McpContext, StdioServer
from traceproof.recorder.reader import TraceReader
from traceproof.recorder.redaction import Redactor
from traceproof.recorder.secrets import Secret
from traceproof.recorder.shell.connection import Hello, Packet
from traceproof.recorder.shell.peers import PASS, RECORD, Fields
from traceproof.recorder.shim import wire
from traceproof.recorder.span import Span
from traceproof.recorder.writer import TraceWriter

ROOT = Span("1" * 32, "a" * 16, "invoke_agent claude-code", start=1)
HELLO = Hello(
    1000,
    [
        (b"kind", b"mcp"),
        (b"server", b"sums"),
        (b"arg", b"sums-server"),
        (b"arg", b"--fast"),
        (b"cwd", b"/here"),
        (b"pid", b"42"),
        (b"fd2", b"pipe"),
    ],
)
CALL = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","arguments":{}}}'
ANSWER = b'{"jsonrpc":"2.0","id":1,"result":{"content":[]}}'


class Desk:
    """A recording that takes servers in; what is posted is done at once."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "t.otlp.jsonl.zst"
        redactor = Redactor()
        redactor.add_all([Secret("TOKEN", "tok-abcdefgh12345678")])
        self.writer = TraceWriter(self.path, resource={}, mask=redactor.mask)
        self.calls = McpCalls(self.writer, ROOT)
        self.agreed = True
        self.context = McpContext(
            post=self.post,
            calls=self.calls,
            writer=self.writer,
            redactor=redactor,
            consents=lambda _start, _end: self.agreed,
        )
        self.answers: list[Fields] = []

    def post(self, action: Callable[[], None], *, at_once: bool = False) -> None:
        assert not at_once
        action()

    def answer(self, fields: Fields = RECORD) -> None:
        self.answers.append(fields)

    def take(self) -> StdioServer:
        taken = self.context.take(HELLO, self.answer)
        assert taken is not None
        return taken

    def spans(self) -> list[Span]:
        self.calls.close(10**18)
        self.writer.close()
        with TraceReader.open(self.path) as reader:
            found = [record.span for record in reader.records(inline=True)]
        return sorted(found, key=lambda span: span.name)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = Desk(tmp_path)
    yield opened
    opened.writer.close()


def packet(kind: bytes, payload: bytes = b"", time: int = 2000) -> Packet:
    return Packet(kind, time, payload)


def fields(**said: str) -> bytes:
    return wire.encode_fields([(key.encode(), value.encode()) for key, value in said.items()])


def test_a_server_from_its_hello_to_its_end(desk: Desk) -> None:
    server = desk.take()
    assert desk.answers == [RECORD]

    assert not server.packets([packet(wire.STDERR, b"ready\n"), packet(wire.FROM_CLIENT, CALL)])
    server.look()
    assert not server.packets([packet(wire.FROM_SERVER, ANSWER, 3000)])
    assert not server.packets([packet(wire.ENDED, fields(code="3"), 4000)])
    assert server.packets([packet(wire.DRAINED, fields(outlived="0"), 5000)])

    call, found = desk.spans()
    assert (call.name, call.start, call.end) == ("execute_tool add", 2000, 3000)
    assert (found.name, found.start, found.end) == ("mcp sums", 1000, 4000)
    expected = {
        semconv.MCP_SERVER: "sums",
        semconv.NETWORK_TRANSPORT: "pipe",
        semconv.PROCESS_COMMAND_ARGS: ["sums-server", "--fast"],
        semconv.PROCESS_WORKING_DIRECTORY: "/here",
        semconv.PROCESS_PID: 42,
        semconv.PROCESS_EXIT_CODE: 3,
        semconv.MCP_STATE: "ended",
        semconv.MCP_STDERR: "ready\n",
    }
    assert {name: found.attributes[name] for name in expected} == expected


def test_a_line_in_pieces_is_one(desk: Desk) -> None:
    server = desk.take()
    server.packets([packet(wire.FROM_CLIENT_PIECE, CALL[:10])])
    server.packets([packet(wire.FROM_SERVER_PIECE, b"ready or")])
    server.packets([packet(wire.FROM_CLIENT_PIECE, CALL[10:20])])
    server.packets([packet(wire.FROM_SERVER, b" not"), packet(wire.FROM_CLIENT, CALL[20:])])
    server.packets([packet(wire.FROM_SERVER, ANSWER)])
    server.close()

    call, _ = desk.spans()
    assert call.attributes[semconv.TOOL_STATE] == "answered"


def test_a_line_without_an_end_is_let_go(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LONGEST", 1000)
    server = desk.take()
    for _ in range(5):
        server.packets([packet(wire.FROM_CLIENT_PIECE, b"x" * 300)])
    server.packets([packet(wire.FROM_CLIENT, b"x")])
    server.packets([packet(wire.FROM_CLIENT, CALL), packet(wire.FROM_SERVER, ANSWER)])
    server.close()

    assert [span.name for span in desk.spans()] == ["execute_tool add", "mcp sums"]


@pytest.mark.parametrize(("how", "state"), [("hung_up", "cut"), ("close", "running")])
def test_a_server_whose_end_is_not_known(desk: Desk, how: str, state: str) -> None:
    server = desk.take()
    server.packets([packet(wire.FROM_CLIENT, CALL)])
    if how == "close":
        server.close()
    else:
        server.hung_up("the tee has gone")

    call, found = desk.spans()
    assert call.attributes[semconv.TOOL_STATE] == "unanswered"
    assert found.attributes[semconv.MCP_STATE] == state


def test_nothing_is_taken_while_recording_is_paused(desk: Desk) -> None:
    server = desk.take()
    desk.agreed = False
    server.packets([packet(wire.FROM_CLIENT, CALL)])
    assert desk.context.take(HELLO, desk.answer) is None
    desk.agreed = True
    server.packets([packet(wire.FROM_SERVER, ANSWER)])
    server.close()

    assert [span.name for span in desk.spans()] == ["mcp sums"]
    assert desk.answers == [RECORD, PASS]


def test_what_a_server_writes_on_stderr_in_a_pause_is_not_kept(desk: Desk) -> None:
    server = desk.take()
    server.packets([packet(wire.STDERR, b"before\n")])
    desk.agreed = False
    server.packets([packet(wire.STDERR, b"meanwhile\n")])
    server.look()
    desk.agreed = True
    server.packets([packet(wire.STDERR, b"after\n"), packet(wire.DRAINED, fields(outlived="0"))])

    (found,) = desk.spans()
    assert found.attributes[semconv.MCP_STDERR] == "before\nafter\n"


def test_a_line_that_began_in_a_pause_is_not_kept(desk: Desk) -> None:
    desk.context.consents = lambda start, _end: not 2000 <= start < 3000
    server = desk.take()
    server.packets([packet(wire.FROM_CLIENT_PIECE, CALL[:10], 2000)])
    server.packets([packet(wire.FROM_CLIENT, CALL[10:], 3000)])
    server.packets([packet(wire.FROM_CLIENT, CALL, 4000), packet(wire.FROM_SERVER, ANSWER, 5000)])
    server.close()

    call, _ = desk.spans()
    assert call.start == 4000


def test_secrets_are_masked_wherever_they_pass(desk: Desk) -> None:
    server = desk.take()
    secret = b"tok-abcdefgh12345678"
    given = json.loads(CALL)
    given["params"]["arguments"] = {"key": secret.decode(), "long": "x" * 2000}
    server.packets([packet(wire.FROM_CLIENT, json.dumps(given).encode())])
    server.packets([packet(wire.FROM_SERVER, ANSWER.replace(b"[]", b'["%b"]' % secret))])
    server.packets([packet(wire.STDERR, secret[:9]), packet(wire.STDERR, secret[9:] + b"\n")])
    server.hung_up("")

    call, found = desk.spans()
    assert '"key": "<SECRET:TOKEN>"' in str(call.attributes[semconv.TOOL_CALL_ARGUMENTS])
    assert "<SECRET:TOKEN>" in str(call.attributes[semconv.TOOL_CALL_RESULT])
    assert found.attributes[semconv.MCP_STDERR] == "<SECRET:TOKEN>\n"
    assert secret not in desk.path.read_bytes()
