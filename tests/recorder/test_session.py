"""A session is told what happened; these tests read as that telling."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field
from hashlib import sha256

import msgspec

from traceproof.recorder import otlp, semconv
from traceproof.recorder.approvals import Approvals
from traceproof.recorder.calls import (
    CallRequest,
    CallResult,
    MessageNote,
    ToolRequest,
    ToolResult,
)
from traceproof.recorder.session import OpenCall, Session
from traceproof.recorder.span import Span, encode_attributes

AGENT_ID = re.compile(r"agentId: (\w+)")


@dataclass
class Sink:
    """Keeps what it is given, as a file would: each pending span as it was at that moment."""

    texts: list[str] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    pending_names: list[str] = field(default_factory=list)
    pending_roots: list[Span] = field(default_factory=list)

    def text(self, value: str) -> str:
        self.texts.append(value)
        return f"text:{len(self.texts)}"

    def span(self, span: Span) -> None:
        self.spans.append(span)

    def pending(self, span: Span) -> None:
        self.pending_names.append(span.name)
        if not span.parent_id:
            self.pending_roots.append(msgspec.structs.replace(span, events=list(span.events)))

    def named(self, name: str) -> list[Span]:
        return [span for span in self.spans if span.name == name]

    def one(self, name: str) -> Span:
        (span,) = self.named(name)
        return span


def started() -> tuple[Session, Sink]:
    sink = Sink()
    root = Span("1" * 32, "a" * 16, "invoke_agent claude-code", start=0)
    return Session(sink, root, agent_id_in_result=AGENT_ID), sink


def user(prompt: str) -> MessageNote:
    return MessageNote(sha256(prompt.encode()).hexdigest(), "user", prompt=prompt)


def said(text: str) -> MessageNote:
    return MessageNote(sha256(text.encode()).hexdigest(), "assistant")


def answered(call_id: str, content: str, *, is_error: bool | None = None) -> MessageNote:
    return results(ToolResult(call_id, content, is_error))


def results(*told: ToolResult) -> MessageNote:
    name = sha256(repr(told).encode()).hexdigest()
    answers = tuple(result.call_id for result in told)
    return MessageNote(name, "tool", answers, read_results=lambda: list(told))


def ask(session: Session, time: int, *messages: MessageNote, agent: str = "") -> OpenCall:
    request = CallRequest(time, "sonnet", {}, list(messages), agent_id=agent)
    return session.open_call(request)


def reply(session: Session, call: OpenCall, time: int, *tools: ToolRequest) -> None:
    session.close_call(call, CallResult(time, "complete", {}, list(tools)))


def fail(session: Session, call: OpenCall, time: int, state: str, *tools: ToolRequest) -> None:
    session.close_call(call, CallResult(time, state, {}, list(tools), "overloaded_error", "busy"))


def links(span: Span, kind: str) -> list[str]:
    return [link.span_id for link in span.links if link.attributes[semconv.LINK_TYPE] == kind]


def test_a_tool_call_lasts_from_the_answer_that_asks_to_the_request_that_answers() -> None:
    session, sink = started()

    first = ask(session, 10, user("fix it"))
    reply(session, first, 20, ToolRequest("t1", "Bash", '{"command":"ls"}'))
    second = ask(session, 30, user("fix it"), answered("t1", "calc.py", is_error=False))
    reply(session, second, 40)
    session.close(50)

    tool = sink.one("execute_tool Bash")
    assert (tool.start, tool.end) == (20, 30)
    assert tool.attributes[semconv.TOOL_CALL_ARGUMENTS] == '{"command":"ls"}'
    assert tool.attributes[semconv.TOOL_CALL_RESULT] == "calc.py"
    assert tool.attributes[semconv.TOOL_STATE] == "answered"
    assert tool.parent_id == session.root.span_id
    assert links(tool, "requested_by") == [first.span.span_id]
    assert [span.name for span in sink.spans] == [
        "chat sonnet",
        "execute_tool Bash",
        "chat sonnet",
        "invoke_agent claude-code",
    ]


def test_everything_in_flight_is_put_on_record_as_pending() -> None:
    session, sink = started()

    call = ask(session, 10, user("fix it"))
    session.pending_call(call, {})
    reply(session, call, 20, ToolRequest("t1", "Bash", "{}"))

    assert sink.pending_names[0] == "invoke_agent claude-code"
    assert sink.pending_names[-2:] == ["chat sonnet", "execute_tool Bash"]


def test_parallel_tool_calls_are_answered_each_by_its_id() -> None:
    session, sink = started()
    call = ask(session, 10, user("go"))
    reply(session, call, 20, *(ToolRequest(f"t{n}", f"Tool{n}", "{}") for n in range(20)))

    ask(session, 30, user("go"), *(answered(f"t{n}", f"out {n}") for n in reversed(range(20))))

    results = {span.name: span.attributes[semconv.TOOL_CALL_RESULT] for span in sink.spans[1:]}
    assert results == {f"execute_tool Tool{n}": f"out {n}" for n in range(20)}


def test_a_tool_error_is_an_error_of_the_tool_call() -> None:
    session, sink = started()
    reply(session, ask(session, 10, user("go")), 20, ToolRequest("t1", "Bash", "{}"))

    ask(session, 30, answered("t1", "no such file", is_error=True))

    assert sink.one("execute_tool Bash").attributes[semconv.TOOL_IS_ERROR] is True


def test_a_tool_call_without_a_result_is_said_to_be_unanswered() -> None:
    session, sink = started()
    reply(session, ask(session, 10, user("go")), 20, ToolRequest("t1", "Bash", "{}"))

    session.close(99)

    tool = sink.one("execute_tool Bash")
    assert tool.attributes[semconv.TOOL_STATE] == "unanswered"
    assert tool.end == 99


def test_the_same_id_with_the_same_result_in_every_turn_answers_each_call() -> None:
    session, sink = started()
    conversation = [user("go")]
    same = said("ls"), answered("call_0", "ok")

    for turn in range(3):
        call = ask(session, 100 * turn, *conversation)
        reply(session, call, 100 * turn + 20, ToolRequest("call_0", "Bash", "{}"))
        conversation += same
    ask(session, 300, *conversation)

    tools = sink.named("execute_tool Bash")
    assert [(tool.start, tool.end) for tool in tools] == [(20, 100), (120, 200), (220, 300)]
    assert {tool.attributes[semconv.TOOL_CALL_RESULT] for tool in tools} == {"ok"}


def test_a_long_result_that_comes_again_is_not_lost() -> None:
    session, sink = started()
    conversation = [user("go")]
    same = said("ls"), answered("call_0", "x" * 5000)

    for turn in range(2):
        call = ask(session, 100 * turn, *conversation)
        reply(session, call, 100 * turn + 20, ToolRequest("call_0", "Bash", "{}"))
        conversation += same
    ask(session, 200, *conversation)

    assert len(sink.named("execute_tool Bash")) == 2
    assert sink.texts == ["x" * 5000] * 2


def test_a_clock_that_was_set_back_makes_nothing_end_before_it_began() -> None:
    session, sink = started()
    session.root.start = 5
    reply(session, ask(session, 10, user("go")), 20, ToolRequest("t1", "Bash", "{}"))

    ask(session, 3, user("go"), answered("t1", "done"))
    session.close(1)

    tool, root = sink.one("execute_tool Bash"), sink.spans[-1]
    assert (tool.start, tool.end) == (20, 20)
    assert (root.start, root.end) == (5, 20)


def test_results_of_a_resumed_conversation_answer_nothing() -> None:
    session, sink = started()

    reply(session, ask(session, 10, answered("from yesterday", "…"), user("go on")), 20)

    assert [span.name for span in sink.spans] == ["chat sonnet"]


def test_a_long_result_goes_to_a_blob() -> None:
    session, sink = started()
    reply(session, ask(session, 10, user("go")), 20, ToolRequest("t1", "Bash", "{}"))

    ask(session, 30, answered("t1", "x" * 5000))

    attributes = sink.one("execute_tool Bash").attributes
    assert attributes[semconv.REF + semconv.TOOL_CALL_RESULT] == "text:1"
    assert sink.texts == ["x" * 5000]


def test_each_prompt_is_an_event_once_and_the_same_text_again_is_another() -> None:
    session, _ = started()

    ask(session, 10, user("continue"))
    ask(session, 20, user("continue"), answered("t", "…"))
    ask(session, 30, user("continue"), answered("t", "…"), user("continue"))

    events = [(event.time, event.attributes["content"]) for event in session.root.events]
    assert events == [(10, "continue"), (30, "continue")]


def test_what_stood_before_the_models_last_word_is_no_new_prompt() -> None:
    session, _ = started()

    ask(session, 10, user("from yesterday"), said("Done."), user("go on"))
    ask(session, 20, user("from yesterday"), said("Done."), user("go on"), said("…"), user("go on"))

    events = [(event.time, event.attributes["content"]) for event in session.root.events]
    assert events == [(10, "go on"), (20, "go on")]


def test_the_same_words_in_a_new_conversation_are_another_prompt() -> None:
    session, _ = started()

    for time, conversation in ((10, "one"), (20, "one"), (30, "two")):
        session.open_call(
            CallRequest(time, "sonnet", {}, [user("fix it")], conversation_id=conversation)
        )

    assert [event.time for event in session.root.events] == [10, 30]


def test_a_long_prompt_is_in_the_file_once_however_often_its_span_is() -> None:
    session, sink = started()
    long = ["first " * 100, "second " * 100]

    ask(session, 10, user(long[0]))
    ask(session, 20, user(long[0]), said("Done."), user(long[1]))
    session.close(30)

    *_, root = sink.spans
    refs = [event.attributes for event in root.events]
    assert [list(attributes) for attributes in refs] == [["traceproof.ref.content"]] * 2
    told = [sink.texts[int(str(ref["traceproof.ref.content"])[5:]) - 1] for ref in refs]
    assert told == long
    assert sink.texts.count(long[1]) == 1


def test_the_first_prompt_stays_whole_for_who_names_the_task() -> None:
    session, _ = started()

    ask(session, 10, user("first " * 100))

    assert session.root.events[0].attributes["content"] == "first " * 100


def test_the_root_is_written_at_growing_distances_and_whole_in_the_end() -> None:
    session, sink = started()
    conversation: list[MessageNote] = []

    for number in range(400):
        conversation += [said(f"did {number}"), user(f"do {number}")]
        ask(session, number, *conversation)
    session.close(999)

    written = [len(root.events) for root in sink.pending_roots]
    assert written[:7] == [0, 1, 2, 3, 4, 5, 7]
    assert sum(written) <= 5 * 400
    assert all(5 * before > 4 * (after - 1) for before, after in itertools.pairwise(written[1:]))
    assert len(sink.spans[-1].events) == 400


def test_an_agent_in_flight_has_no_end() -> None:
    session, sink = started()
    reply(session, ask(session, 10, user("go")), 20)
    ask(session, 30, user("go"), said("Done."), user("go on"))

    assert [root.end for root in sink.pending_roots] == [0, 0, 0]


def test_the_session_is_called_as_its_first_call_says() -> None:
    session, _ = started()

    session.open_call(CallRequest(5, "sonnet", {}, [user("go")], conversation_id="one"))
    session.open_call(CallRequest(6, "sonnet", {}, [user("go")], conversation_id="two"))

    assert session.root.attributes[semconv.CONVERSATION_ID] == "one"


def test_a_side_call_brings_no_prompt() -> None:
    session, _ = started()

    session.open_call(CallRequest(5, "haiku", {}, [user("name this")], purpose="title"))

    assert session.root.events == []


def test_a_retry_is_a_span_of_its_own_linked_to_the_call_it_repeats() -> None:
    session, sink = started()

    first = ask(session, 10, user("go"))
    fail(session, first, 20, "refused")
    second = ask(session, 30, user("go"))
    fail(session, second, 40, "cut")
    third = ask(session, 50, user("go"))
    reply(session, third, 60)

    assert links(second.span, "retry_of") == [first.span.span_id]
    assert links(third.span, "retry_of") == [second.span.span_id]
    resends = [span.attributes.get(semconv.HTTP_RESEND_COUNT) for span in sink.spans]
    assert resends == [None, 1, 2]


def test_asking_the_same_again_after_success_is_no_retry() -> None:
    session, _ = started()
    reply(session, ask(session, 10, user("go")), 20)

    again = ask(session, 30, user("go"))

    assert links(again.span, "retry_of") == []


def test_a_retry_replaces_the_tool_calls_of_the_answer_that_was_cut() -> None:
    session, sink = started()
    first = ask(session, 10, user("go"))
    fail(session, first, 20, "cut", ToolRequest("t1", "Bash", "{}"))

    second = ask(session, 30, user("go"))
    reply(session, second, 40, ToolRequest("t2", "Bash", "{}"))
    ask(session, 50, user("go"), answered("t2", "done"))

    lost, done = sink.named("execute_tool Bash")
    assert (lost.attributes[semconv.TOOL_STATE], lost.end) == ("unanswered", 30)
    assert done.attributes[semconv.TOOL_STATE] == "answered"


def launch_two(session: Session) -> None:
    call = ask(session, 10, user("do both"))
    tools = [
        ToolRequest(f"t{n}", "Agent", f'{{"prompt":"part {n}","subagent_type":"Explore"}}')
        for n in "ab"
    ]
    reply(session, call, 20, *tools)


def test_sub_agents_hang_under_the_tool_calls_whose_prompts_they_were_given() -> None:
    session, sink = started()
    launch_two(session)

    reply(session, ask(session, 31, user("part b"), agent="B"), 41)
    reply(session, ask(session, 30, user("part a"), agent="A"), 40)
    ask(session, 50, answered("ta", "done"), answered("tb", "done"))
    session.close(60)

    tools = {span.attributes[semconv.TOOL_CALL_ID]: span.span_id for span in sink.spans[3:5]}
    subs = {span.attributes[semconv.AGENT_ID]: span for span in sink.named("invoke_agent Explore")}
    assert subs["A"].parent_id == tools["ta"]
    assert subs["B"].parent_id == tools["tb"]
    assert subs["A"].attributes[semconv.JOIN] == "inferred"
    assert (subs["A"].start, subs["A"].end) == (30, 40)


def test_two_sub_agents_with_the_same_prompt_do_not_share_a_tool_call() -> None:
    session, sink = started()
    tools = [ToolRequest(call_id, "Agent", '{"prompt":"look"}') for call_id in ("t1", "t2")]
    reply(session, ask(session, 10, user("go")), 20, *tools)

    ask(session, 30, user("look"), agent="A")
    ask(session, 31, user("look"), agent="B")
    session.close(60)

    parents = {span.parent_id for span in sink.named("invoke_agent sub-agent")}
    assert parents == {span.span_id for span in sink.named("execute_tool Agent")}


def test_the_agent_id_in_a_result_makes_the_join_exact() -> None:
    session, sink = started()
    tools = [ToolRequest(call_id, "Agent", '{"prompt":"look"}') for call_id in ("t1", "t2")]
    reply(session, ask(session, 10, user("go")), 20, *tools)
    ask(session, 30, user("look"), agent="A")
    ask(session, 31, user("look"), agent="B")

    ask(session, 50, answered("t1", "agentId: B"), answered("t2", "agentId: A"))
    session.close(60)

    ids = {span.span_id: span.attributes.get(semconv.TOOL_CALL_ID) for span in sink.spans}
    subs = {
        span.attributes[semconv.AGENT_ID]: span for span in sink.named("invoke_agent sub-agent")
    }
    assert {agent: ids[span.parent_id] for agent, span in subs.items()} == {"A": "t2", "B": "t1"}
    assert {span.attributes[semconv.JOIN] for span in subs.values()} == {"exact"}


def delegate(session: Session, call_id: str, prompt: str, time: int, agent: str = "") -> None:
    tool = ToolRequest(call_id, "Agent", f'{{"prompt":"{prompt}"}}')
    reply(session, ask(session, time, user("go"), agent=agent), time + 1, tool)


def test_a_sub_agent_that_prints_its_own_id_does_not_become_its_own_parent() -> None:
    session, sink = started()
    delegate(session, "t1", "look", 10)
    bash = ToolRequest("t2", "Bash", '{"command":"cat log","prompt":"anything"}')
    reply(session, ask(session, 30, user("look"), agent="A"), 40, bash)

    ask(session, 50, user("look"), answered("t2", "agentId: A"), agent="A")
    session.close(60)

    sub = sink.one("invoke_agent sub-agent")
    assert sub.parent_id == sink.one("execute_tool Agent").span_id
    assert sub.attributes[semconv.JOIN] == "inferred"


def test_an_agent_cannot_have_been_started_by_one_within_it() -> None:
    session, sink = started()
    delegate(session, "t1", "look", 10)
    delegate(session, "t2", "deeper", 20, agent="A")
    ask(session, 30, user("deeper"), agent="B")
    delegate(session, "t3", "deepest", 40, agent="B")

    ask(session, 50, user("go"), answered("t3", "agentId: A"), agent="B")
    session.close(60)

    agents = {sub.attributes.get(semconv.AGENT_ID): sub for sub in sink.spans}
    first = next(span for span in sink.spans if span.attributes.get(semconv.TOOL_CALL_ID) == "t1")
    assert agents["A"].parent_id in {session.root.span_id, first.span_id}


def test_an_id_that_any_other_tool_prints_ties_nothing() -> None:
    session, sink = started()
    ask(session, 10, user("something"), agent="A")
    reply(session, ask(session, 20, user("go")), 30, ToolRequest("t1", "Bash", '{"command":"ps"}'))

    ask(session, 40, user("go"), answered("t1", "agentId: A"))
    session.close(60)

    assert sink.one("invoke_agent sub-agent").parent_id == session.root.span_id


def test_a_tie_that_is_certain_is_not_undone_by_what_a_later_result_says() -> None:
    session, sink = started()
    delegate(session, "t1", "look", 10)
    ask(session, 20, user("look"), agent="A")
    ask(session, 30, user("go"), answered("t1", "agentId: A"))
    delegate(session, "t2", "again", 40)

    ask(session, 50, user("go"), answered("t2", "agentId: A"))
    session.close(60)

    first, _ = sink.named("execute_tool Agent")
    assert sink.one("invoke_agent sub-agent").parent_id == first.span_id


def test_the_id_that_the_agent_adds_counts_and_not_one_in_what_was_said_before() -> None:
    session, sink = started()
    tools = [ToolRequest(call_id, "Agent", '{"prompt":"look"}') for call_id in ("t1", "t2")]
    reply(session, ask(session, 10, user("go")), 20, *tools)
    ask(session, 30, user("look"), agent="A")
    ask(session, 31, user("look"), agent="B")

    ask(session, 50, user("go"), answered("t2", "I saw agentId: A\nagentId: B"))
    session.close(60)

    joins = {sub.attributes[semconv.AGENT_ID]: sub for sub in sink.named("invoke_agent sub-agent")}
    assert joins["A"].attributes[semconv.JOIN] == "inferred"
    assert joins["B"].attributes[semconv.JOIN] == "exact"


def agent_span(span_id: str, parent_id: str, call_id: str = "") -> otlp.Span:
    attributes = encode_attributes({semconv.TOOL_CALL_ID: call_id} if call_id else {})
    return otlp.Span("2" * 32, span_id, "", parent_id, attributes=attributes)


def test_the_agents_own_spans_make_the_join_exact() -> None:
    session, sink = started()
    launch_two(session)
    request = CallRequest(
        30,
        "sonnet",
        {},
        [user("something else")],
        agent_id="A",
        trace_parent=f"00-{'2' * 32}-{'c' * 16}-01",
    )

    call = session.open_call(request)
    reply(session, call, 40)
    session.agent_span(agent_span("c" * 16, "d" * 16))
    session.agent_span(agent_span("d" * 16, "e" * 16, call_id="tb"))
    session.close(60)

    sub = sink.one("invoke_agent sub-agent")
    tool = next(s for s in sink.spans if s.attributes.get(semconv.TOOL_CALL_ID) == "tb")
    assert sub.parent_id == tool.span_id
    assert sub.attributes[semconv.JOIN] == "exact"
    assert links(call.span, "agent_span") == ["c" * 16]


def test_a_sub_agent_of_a_sub_agent_is_nested_in_it() -> None:
    session, _ = started()
    ask(session, 10, user("go"), agent="A")

    inner = session.open_call(
        CallRequest(20, "sonnet", {}, [], agent_id="B", parent_agent_id="A"),
    )

    outer_id = ask(session, 30, user("go"), agent="A").scope.span.span_id
    assert inner.scope.span.parent_id == outer_id


def test_a_circle_of_agent_spans_is_not_followed_for_ever() -> None:
    session, sink = started()
    session.agent_span(agent_span("c" * 16, "d" * 16))
    session.agent_span(agent_span("d" * 16, "c" * 16))
    trace_parent = f"00-{'2' * 32}-{'c' * 16}-01"
    session.open_call(CallRequest(30, "m", {}, [], agent_id="A", trace_parent=trace_parent))

    session.close(60)

    assert sink.one("invoke_agent sub-agent").parent_id == session.root.span_id


def test_a_sub_agent_that_begins_after_the_result_that_names_it_is_tied_too() -> None:
    session, sink = started()
    tool = ToolRequest("t1", "spawn_agent", '{"message":"look"}')
    reply(session, ask(session, 10, user("go")), 20, tool)
    ask(session, 30, user("go"), answered("t1", "agentId: A"))

    ask(session, 40, user("look"), agent="A")
    session.close(60)

    sub = sink.one("invoke_agent sub-agent")
    assert sub.parent_id == sink.one("execute_tool spawn_agent").span_id
    assert sub.attributes[semconv.JOIN] == "exact"


def test_what_people_do_beside_prompts_are_events_of_their_own() -> None:
    session, _ = started()
    stopped = "[Request interrupted by user]"

    first = ask(session, 10, user("fix it"))
    reply(session, first, 20)
    ask(session, 30, user("fix it"), said("half"), user(f"{stopped}\n\nno, that"))

    told = [(event.name, event.attributes["content"]) for event in session.root.events]
    assert told == [
        ("traceproof.user_prompt", "fix it"),
        ("traceproof.interruption", stopped),
        ("traceproof.user_prompt", "no, that"),
    ]


def test_a_tool_call_that_waits_for_its_approval_is_on_record_meanwhile() -> None:
    sink = Sink()
    root = Span("1" * 32, "a" * 16, "invoke_agent claude-code", start=0)
    session = Session(sink, root, approvals=Approvals("claude-code", says=True))
    first = ask(session, 10, user("fix it"))
    reply(session, first, 20, ToolRequest("t1", "Bash", "{}"))
    ask(session, 30, user("fix it"), answered("t1", "a.py"))
    assert sink.named("execute_tool Bash") == []
    assert sink.pending_names[-1] == "execute_tool Bash"

    decided = {"decision": "accept", "source": "user_temporary"}
    for name, span_id, parent, told in (
        ("claude_code.tool.blocked_on_user", "b" * 16, "c" * 16, decided),
        ("claude_code.tool", "c" * 16, "", {semconv.TOOL_CALL_ID: "t1"}),
    ):
        attributes = encode_attributes(told)
        session.agent_span(
            otlp.Span("1" * 32, span_id, name=name, parent_span_id=parent, attributes=attributes)
        )

    tool = sink.one("execute_tool Bash")
    assert tool.attributes[semconv.TOOL_APPROVAL] == "granted"
    assert tool.attributes[semconv.TOOL_CALL_RESULT] == "a.py"
