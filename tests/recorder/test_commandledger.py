"""Commands in a session: what of them is written, when, and under what."""

from __future__ import annotations

from hashlib import sha256

import msgspec

from traceproof.recorder import otlp, semconv
from traceproof.recorder.calls import CallRequest, CallResult, MessageNote, ToolRequest, ToolResult
from traceproof.recorder.commandledger import OpenCommand
from traceproof.recorder.session import OpenCall, Session
from traceproof.recorder.shell.command import CommandEnd, CommandStart, Output
from traceproof.recorder.span import Span, encode_attributes

ROOT = Span("1" * 32, "a" * 16, "invoke_agent mini", start=0)


class Sink:
    """Keeps what it is given, as a file would: each span as it was at that moment."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.spans: list[Span] = []
        self.on_record: dict[str, Span] = {}

    def text(self, value: str) -> str:
        self.texts.append(value)
        return f"text:{len(self.texts)}"

    def span(self, span: Span) -> None:
        self.on_record.pop(span.span_id, None)
        self.spans.append(_copy(span))

    def pending(self, span: Span) -> None:
        self.on_record[span.span_id] = _copy(span)

    def one(self, name: str) -> Span:
        (span,) = [span for span in self.spans if span.name == name]
        return span


def _copy(span: Span) -> Span:
    return msgspec.structs.replace(span, attributes=dict(span.attributes))


def begun() -> tuple[Session, Sink]:
    sink = Sink()
    return Session(sink, msgspec.structs.replace(ROOT, attributes={}, events=[])), sink


def note(role: str, text: str) -> MessageNote:
    return MessageNote(sha256(text.encode()).hexdigest(), role, read_text=lambda: text)


def result(call_id: str, content: str) -> MessageNote:
    name = sha256(content.encode()).hexdigest()
    return MessageNote(
        name, "tool", (call_id,), read_results=lambda: [ToolResult(call_id, content, None)]
    )


def ask(session: Session, time: int, *messages: MessageNote, purpose: str = "main") -> OpenCall:
    return session.open_call(CallRequest(time, "m", {}, list(messages), purpose=purpose))


def reply(session: Session, call: OpenCall, time: int, *tools: ToolRequest) -> None:
    session.close_call(call, CallResult(time, "complete", {}, list(tools)))


def run(session: Session, script: str, time: int, **environment: str) -> OpenCommand:
    start = CommandStart("shell", "/bin/bash", ("bash", "-c", script), "/w", 7, time)
    start.environment = environment
    return session.command_started(start)


def ended(time: int, code: int = 0) -> CommandEnd:
    return CommandEnd(time, code, outputs={"stdout": Output("hi\n", size=3)})


LS = ToolRequest("t1", "bash", '{"command":"ls"}')


def test_a_command_hangs_under_its_call_once_it_has_ended() -> None:
    session, sink = begun()
    reply(session, ask(session, 10, note("user", "go")), 20, LS)

    command = run(session, "ls", 21)
    pending = sink.on_record[command.span.span_id]
    session.command_ended(command, ended(30, code=2))

    span = sink.one("bash")
    tool = next(s for s in sink.on_record.values() if s.name == "execute_tool bash")
    assert (span.parent_id, span.start, span.end) == (tool.span_id, 21, 30)
    assert pending.parent_id == tool.span_id
    assert (pending.end, pending.attributes[semconv.COMMAND_STATE]) == (0, "pending")
    expected = {
        semconv.JOIN: "inferred",
        semconv.COMMAND_FOR: "tool",
        semconv.PROCESS_EXIT_CODE: 2,
        semconv.COMMAND_STDOUT: "hi\n",
        semconv.COMMAND_STATE: "ended",
    }
    assert {name: span.attributes.get(name) for name in expected} == expected


def test_one_that_begins_before_its_call_is_known_is_on_record_and_waits() -> None:
    session, sink = begun()
    call = ask(session, 10, note("user", "go"))

    command = run(session, "ls", 15)
    session.command_ended(command, ended(18))
    assert sink.spans == []
    waiting = sink.on_record[command.span.span_id]
    assert (waiting.parent_id, waiting.end) == (ROOT.span_id, 18)
    assert semconv.COMMAND_FOR not in waiting.attributes

    reply(session, call, 20, LS)

    tool = next(s for s in sink.on_record.values() if s.name == "execute_tool bash")
    assert sink.one("bash").parent_id == tool.span_id


def test_one_that_runs_on_is_on_record_under_its_call_as_soon_as_that_is_known() -> None:
    session, sink = begun()
    call = ask(session, 10, note("user", "go"))
    command = run(session, "ls", 15)
    assert sink.on_record[command.span.span_id].parent_id == ROOT.span_id

    reply(session, call, 20, LS)

    tool = next(s for s in sink.on_record.values() if s.name == "execute_tool bash")
    pending = sink.on_record[command.span.span_id]
    assert (pending.parent_id, pending.attributes[semconv.COMMAND_STATE]) == (
        tool.span_id,
        "pending",
    )


def test_the_agents_own_command_hangs_under_the_agent() -> None:
    session, sink = begun()

    session.command_ended(run(session, "git status", 5), ended(6))

    span = sink.one("bash")
    assert span.parent_id == ROOT.span_id
    assert span.attributes[semconv.COMMAND_FOR] == "agent"
    assert semconv.JOIN not in span.attributes


def test_one_that_outlives_its_call_stays_under_it() -> None:
    session, sink = begun()
    reply(session, ask(session, 10, note("user", "go")), 20, LS)
    command = run(session, "ls", 21)
    reply(session, ask(session, 30, note("user", "go"), result("t1", "started")), 40)

    session.command_going(command, CommandEnd(outputs={"stdout": Output("h", size=1)}))
    tool = sink.one("execute_tool bash")
    assert sink.on_record[command.span.span_id].attributes[semconv.COMMAND_STDOUT] == "h"
    session.command_ended(command, ended(50))

    assert sink.one("bash").parent_id == tool.span_id


def test_the_agents_own_spans_settle_it_after_its_end() -> None:
    session, sink = begun()
    same = ToolRequest("t2", "bash", LS.arguments)
    reply(session, ask(session, 10, note("user", "go")), 20, LS, same)
    tools = [s for s in sink.on_record.values() if s.name == "execute_tool bash"]
    command = run(session, "ls", 21, TRACEPARENT=f"00-{'2' * 32}-{'c' * 16}-01")
    session.command_ended(command, ended(22))
    assert sink.on_record[command.span.span_id].parent_id == tools[0].span_id

    named = encode_attributes({semconv.TOOL_CALL_ID: "t2"})
    session.agent_span(otlp.Span("2" * 32, "c" * 16, "claude_code.tool", attributes=named))

    span = sink.one("bash")
    assert (span.parent_id, span.attributes[semconv.JOIN]) == (tools[1].span_id, "exact")


def test_what_is_left_is_written_when_the_session_closes() -> None:
    session, sink = begun()
    reply(session, ask(session, 10, note("user", "go")), 20, LS)
    trace_parent = f"00-{'2' * 32}-{'c' * 16}-01"
    over = run(session, "ls", 21, TRACEPARENT=trace_parent)
    session.command_ended(over, ended(22))
    going = run(session, "sleep 99", 23)

    session.close(60)
    session.command_ended(going, ended(70))

    spans = {span.span_id: span for span in sink.spans if span.name == "bash"}
    assert len(sink.spans) == 5
    assert sink.on_record == {}
    assert spans[over.span.span_id].attributes[semconv.JOIN] == "inferred"
    cut = spans[going.span.span_id]
    assert (cut.end, cut.attributes[semconv.COMMAND_STATE]) == (60, "running")
    assert cut.attributes[semconv.COMMAND_FOR] == "agent"
    assert sink.spans[-1].name == ROOT.name


def test_what_passed_on_a_web_socket_is_told_before_a_command_is_joined() -> None:
    session, sink = begun()
    call = ask(session, 10, note("user", "go"))
    session.catch_up = lambda: reply(session, call, 20, LS)

    session.command_ended(run(session, "ls", 21), ended(22))

    assert sink.one("bash").attributes[semconv.COMMAND_FOR] == "tool"


def test_test_runs_are_children_of_their_command() -> None:
    session, sink = begun()
    command = run(session, "pytest", 5)

    suite = Span("", "d" * 16, "test a", start=6, end=7)
    session.within_command(command, [suite, Span("", "e" * 16, "test b", parent_id="d" * 16)])

    assert sink.one("test a").parent_id == command.span.span_id
    assert sink.one("test b").parent_id == "d" * 16
    assert {span.trace_id for span in sink.spans} == {ROOT.trace_id}


def said(command: str, *, call_id: str = "bash#0.1") -> ToolRequest:
    tells = f"Output of {command}"
    arguments = msgspec.json.encode({"command": command}).decode()
    return ToolRequest(call_id, "bash", arguments, exact=False, in_text=tells.__eq__)


def test_a_command_in_the_models_text_is_a_call_that_is_inferred() -> None:
    session, sink = begun()
    asked = [note("user", "go")]
    call = ask(session, 10, *asked)
    reply(session, call, 20, said("ls\npwd"))
    for number, line in enumerate(("ls", "pwd")):
        session.command_ended(run(session, line, 21 + number), ended(30))
    answer = [note("assistant", "```bash"), note("user", "Output of ls\npwd")]
    ask(session, 40, *asked, *answer)

    tool = sink.one("execute_tool bash")
    expected = {
        semconv.EVIDENCE: "inferred",
        semconv.JOIN: "inferred",
        semconv.TOOL_STATE: "answered",
        semconv.TOOL_CALL_ARGUMENTS: '{"command":"ls\\npwd"}',
        semconv.TOOL_CALL_RESULT: "Output of ls\npwd",
    }
    assert {name: tool.attributes.get(name) for name in expected} == expected
    assert (tool.start, tool.end) == (20, 40)
    assert tool.links[0].span_id == call.span.span_id
    assert [s.parent_id for s in sink.spans if s.name == "bash"] == [tool.span_id] * 2


def test_one_that_the_model_is_told_nothing_of_ends_as_the_agent_asks_again() -> None:
    session, sink = begun()
    reply(session, ask(session, 10, note("user", "go")), 20, said("ls"))

    ask(session, 30, note("user", "a title?"), purpose="title")
    assert [span.name for span in sink.spans] == ["chat m"]
    ask(session, 40, note("user", "go on"))

    tool = sink.one("execute_tool bash")
    assert (tool.end, tool.attributes[semconv.TOOL_STATE]) == (40, "unanswered")
