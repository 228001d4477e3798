"""What was asked, and what began: these tests tell both in some order, and see what was joined."""

from __future__ import annotations

import json

from traceproof.recorder import otlp, semconv
from traceproof.recorder.agentspans import AgentSpans
from traceproof.recorder.calls import ToolRequest
from traceproof.recorder.commandjoin import CommandJoiner
from traceproof.recorder.openjoins import Join, Place
from traceproof.recorder.shell.command import CommandStart
from traceproof.recorder.span import Span, encode_attributes
from traceproof.recorder.toolcalls import Asker, OpenTool

ROOT = "a" * 16
SECOND = 1_000_000_000


class Told:
    """A joiner, and what it is told in few words."""

    def __init__(self) -> None:
        self.spans = AgentSpans()
        self.known: dict[str, Place | None] = {}
        self.joiner = CommandJoiner(ROOT, self.spans, self.known.get)

    def ask(self, command: str, *, call: str = "", chat: str = "chat", agent: str = "") -> OpenTool:
        call_id = call or f"t{len(self.known)}"
        arguments = command if command.startswith("await") else json.dumps({"command": command})
        span = Span("1" * 32, f"span of {call_id}", "execute_tool bash")
        tool = OpenTool(span, ToolRequest(call_id, "bash", arguments), chat, Asker(agent, agent))
        if call_id in self.known:
            span.span_id = f"{span.span_id} again"
            self.known[call_id] = None
        else:
            self.known[call_id] = Place(span.span_id, agent)
        self.joiner.asked(tool)
        return tool

    def begin(
        self, script: str, *in_flight: str, time: int = 1, pid: int = 7, **environment: str
    ) -> Join:
        start = CommandStart("shell", "/bin/sh", ("sh", "-c", script), "/", pid, time)
        start.environment = environment
        return self.joiner.began(start, in_flight)

    def agent_span(self, span_id: str, parent_id: str = "", *, call: str = "") -> None:
        attributes = encode_attributes({semconv.TOOL_CALL_ID: call} if call else {})
        self.spans.add(otlp.Span("2" * 32, span_id, "", parent_id, attributes=attributes))


def where(join: Join) -> tuple[str, str, bool]:
    return (join.place.span_id if join.place else "", join.how, join.settled)


def trace_parent(span_id: str) -> str:
    return f"00-{'2' * 32}-{span_id}-01"


def test_codex_names_the_call() -> None:
    told = Told()
    told.ask("ls", call="c1")
    told.ask("ls", call="c2")

    second = told.begin("ls", CODEX_TOOL_CALL_ID="c2")
    first = told.begin("ls")

    assert told.joiner.look(2) == [second, first]
    assert where(second) == ("span of c2", "exact", True)
    assert where(first) == ("span of c1", "inferred", True)


def test_a_call_that_is_named_before_it_is_known_is_waited_for() -> None:
    told = Told()
    join = told.begin("ls", "chat", CODEX_TOOL_CALL_ID="c1")
    assert told.joiner.look(2) == []

    told.ask("ls", call="c1")
    told.joiner.call_ended("chat")

    assert told.joiner.look(3) == [join]
    assert where(join) == ("span of c1", "exact", True)


def test_claudes_span_leads_to_the_call_even_long_after_the_command() -> None:
    told = Told()
    told.ask("ls", call="t1")
    told.ask("ls", call="t2")
    join = told.begin("ls", TRACEPARENT=trace_parent("c" * 16))
    assert told.joiner.look(2) == []
    assert where(join) == ("span of t1", "inferred", False)
    join.ended = 3

    told.agent_span("c" * 16, "d" * 16)
    assert told.joiner.look(4) == []
    told.agent_span("d" * 16, call="t2")

    assert told.joiner.look(5) == [join]
    assert where(join) == ("span of t2", "exact", True)


def test_an_agents_span_that_never_comes_is_waited_for_so_long_and_no_longer() -> None:
    told = Told()
    told.ask("ls")
    join = told.begin("ls", TRACEPARENT=trace_parent("c" * 16))
    assert told.joiner.look(100 * SECOND) == []  # it has not ended
    join.ended = 100 * SECOND

    assert told.joiner.look(129 * SECOND) == []
    assert told.joiner.look(131 * SECOND) == [join]
    assert where(join) == ("span of t0", "inferred", True)


def test_what_names_the_sessions_span_was_asked_for_by_no_call() -> None:
    told = Told()
    told.ask("ls")

    join = told.begin("git status", TRACEPARENT=trace_parent(ROOT))

    assert told.joiner.look(2) == [join]
    assert where(join) == ("", "", True)


def test_equal_commands_are_matched_in_order_each_once() -> None:
    told = Told()
    for _ in range(3):
        told.ask("pytest -q")
    joins = [told.begin("pytest -q", time=time * SECOND) for time in (3, 1, 2, 4)]

    told.joiner.close()

    names = [where(join)[0] for join in joins]
    assert names == ["span of t2", "span of t0", "span of t1", ""]


def test_equal_commands_of_one_moment_are_told_apart_by_their_process_ids() -> None:
    told = Told()
    tools = [told.ask("pytest -q") for _ in range(2)]
    later, first = (told.begin("pytest -q", time=time, pid=9 - time) for time in (1, 2))
    assert told.joiner.look(3) == []

    for number, (tool, join) in enumerate(zip(tools, (later, first), strict=True)):
        told.joiner.answered(tool)
        join.end(5 + number, [])
    told.joiner.look(9)

    assert where(first) == ("span of t0", "inferred", True)
    assert where(later) == ("span of t1", "inferred", True)


def test_equal_commands_are_told_apart_by_what_came_of_them() -> None:
    told = Told()
    tools = [told.ask("echo $RANDOM") for _ in range(2)]
    joins = [told.begin("echo $RANDOM", time=time * SECOND) for time in (1, 2)]
    for join, output in zip(joins, ("two\n", "one\n"), strict=True):
        join.end(5 * SECOND, [output, b"\xff", ""])

    for tool, result in zip(tools, ("one", "two"), strict=True):
        told.joiner.answered(tool, result)
    told.joiner.look(6 * SECOND)

    assert [where(join)[0] for join in joins] == ["span of t1", "span of t0"]


def test_one_that_could_be_anothers_is_not_settled_before_its_end() -> None:
    told = Told()
    tools = [told.ask("sleep 9 &") for _ in range(2)]
    joins = [told.begin("sleep 9 &", time=time) for time in (1, 2)]
    for tool in tools:
        told.joiner.answered(tool)
    assert told.joiner.look(3) == []

    for join in joins:
        join.end(5, [])

    assert told.joiner.look(6) == joins


def test_nothing_is_guessed_while_a_better_answer_may_be_on_its_way() -> None:
    told = Told()
    told.ask("cat README", chat="first")
    join = told.begin("cat README.md && true", "second")
    assert told.joiner.look(2) == []
    assert where(join) == ("span of t0", "inferred", False)

    told.ask("cat README.md && true", chat="second")
    told.joiner.call_ended("second")
    told.joiner.look(3)

    assert where(join) == ("span of t1", "inferred", True)


def test_a_likeness_is_not_settled_before_the_call_is_over() -> None:
    told = Told()
    tool = told.ask("git status")
    own = told.begin("git status --porcelain", time=1)
    assert told.joiner.look(2) == []

    asked = told.begin("git status", time=3)
    told.joiner.look(3)
    told.joiner.answered(tool)
    told.joiner.look(4)

    assert where(asked) == ("span of t0", "inferred", True)
    assert where(own) == ("", "", True)


def test_only_calls_that_were_open_or_on_their_way_may_have_asked() -> None:
    told = Told()
    told.joiner.answered(told.ask("ls", chat="first"))
    late = told.begin("ls", "second")
    told.ask("ls", chat="third")

    told.joiner.call_ended("second")

    assert told.joiner.look(2) == [late]
    assert where(late) == ("", "", True)


def test_a_call_that_is_answered_meanwhile_is_not_lost() -> None:
    told = Told()
    join = told.begin("sleep 9 &", "chat", "another")
    tool = told.ask("sleep 9 &")
    told.joiner.call_ended("chat")
    told.joiner.answered(tool)
    assert told.joiner.look(2) == []

    told.joiner.call_ended("another")

    assert told.joiner.look(3) == [join]
    assert where(join) == ("span of t0", "inferred", True)


def test_the_agent_that_asked_is_told_by_its_thread() -> None:
    told = Told()
    told.joiner.thread("T1", "")
    told.joiner.thread("T2", "sub")
    told.ask("await tools.exec_command({cmd: 'make all'})", agent="")
    told.ask("await tools.exec_command({cmd: 'make all'})", agent="sub")

    sub = told.begin("make all", CODEX_THREAD_ID="T2", CODEX_TOOL_CALL_ID="exec-1")
    main = told.begin("make all", CODEX_THREAD_ID="T1", CODEX_TOOL_CALL_ID="exec-2")
    told.joiner.close()

    assert where(sub) == ("span of t1", "inferred", True)
    assert where(main) == ("span of t0", "inferred", True)
    assert told.joiner.agent_of(sub.start) == "sub"


def test_a_program_runs_what_its_text_does_not_say() -> None:
    told = Told()
    told.ask("await tools.exec_command({cmd: 'a' + 'b'})")

    computed = told.begin("ab", CODEX_TOOL_CALL_ID="exec-1")
    codexs_own = told.begin("git rev-parse HEAD")
    told.joiner.close()

    assert where(computed) == ("span of t0", "inferred", True)
    assert where(codexs_own) == ("", "", True)


def test_programs_with_the_same_command_get_one_each() -> None:
    told = Told()
    for number in range(2):
        told.ask(f"await tools.exec_command({{cmd: 'make all'}}); text('{number}')")

    joins = [told.begin("make all", time=n, CODEX_TOOL_CALL_ID=f"exec-{n}") for n in range(3)]
    told.joiner.close()

    assert [where(join)[0] for join in joins] == ["span of t0", "span of t1", "span of t1"]


def test_an_id_that_many_calls_have_means_the_one_that_is_open() -> None:
    told = Told()
    told.joiner.answered(told.ask("ls", call="call_0"))
    told.ask("ls", call="call_0")

    join = told.begin("echo", CODEX_TOOL_CALL_ID="call_0")
    told.joiner.look(2)

    assert where(join) == ("span of call_0 again", "exact", True)


def test_an_exact_join_takes_the_call_from_what_was_given_it() -> None:
    told = Told()
    told.ask("ls", call="t1")
    told.ask("ls", call="t2")
    first = told.begin("ls", time=1, TRACEPARENT=trace_parent("c" * 16))
    second = told.begin("ls", time=2, TRACEPARENT=trace_parent("d" * 16))
    told.joiner.look(3)
    assert (where(first)[0], where(second)[0]) == ("span of t1", "span of t2")

    told.agent_span("d" * 16, call="t1")
    told.joiner.look(4)

    assert where(second) == ("span of t1", "exact", True)
    assert where(first) == ("span of t2", "inferred", False)
