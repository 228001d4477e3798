from __future__ import annotations

from typing import Any

import msgspec
import pytest

from traceproof import view
from traceproof.node import Node, Ran
from traceproof.recorder import semconv
from traceproof.recorder.span import Attributes, Event, Link, Span

SECOND = 1_000_000_000
TRACE = "1" * 32


def root() -> Span:
    return Span(
        TRACE,
        "a" * 16,
        "invoke_agent claude-code",
        start=0,
        end=10 * SECOND,
        attributes={
            semconv.OPERATION_NAME: "invoke_agent",
            semconv.AGENT_NAME: "claude-code",
            semconv.PROCESS_EXIT_CODE: 0,
        },
        events=[Event("traceproof.user_prompt", SECOND, {"content": "fix it"})],
    )


def chat(span_id: str, start: int, *, parent: str = "a" * 16, **more: Any) -> Span:
    return Span(
        TRACE,
        span_id,
        "chat claude-sonnet-4-5",
        parent_id=parent,
        start=start * SECOND,
        end=(start + 1) * SECOND,
        attributes={
            semconv.OPERATION_NAME: "chat",
            semconv.REQUEST_MODEL: "claude-sonnet-4-5",
            semconv.CALL_PURPOSE: "main",
            semconv.CALL_STATE: "complete",
            semconv.INPUT_TOKENS: 1000,
            semconv.OUTPUT_TOKENS: 10,
            **more,
        },
    )


def tool(span_id: str, start: int, chat_id: str, **more: Any) -> Span:
    return Span(
        TRACE,
        span_id,
        "execute_tool Bash",
        parent_id="a" * 16,
        start=start * SECOND,
        end=(start + 1) * SECOND,
        attributes={
            semconv.OPERATION_NAME: "execute_tool",
            semconv.TOOL_NAME: "Bash",
            semconv.TOOL_CALL_ARGUMENTS: '{"command":"ls"}',
            semconv.TOOL_STATE: "answered",
            **more,
        },
        links=[Link(TRACE, chat_id, {semconv.LINK_TYPE: "requested_by"})],
    )


def test_tools_hang_under_the_turn_that_asked_and_prompts_stand_in_time() -> None:
    spans = [tool("t1", 3, "c1"), chat("c2", 4), chat("c1", 2), root()]

    seen = view.build("x", spans)

    assert [(node.kind, node.title) for node in seen.root.children] == [
        ("prompt", "fix it"),
        ("turn", "1  claude-sonnet-4-5"),
        ("turn", "2  claude-sonnet-4-5"),
    ]
    assert [node.detail for node in seen.root.children[1].children] == ['{"command":"ls"}']
    assert seen.root.children[2].children == []


def test_a_sub_agent_hangs_under_its_tool_call_with_turns_numbered_anew() -> None:
    sub = Span(
        TRACE,
        "s" * 16,
        "invoke_agent Explore",
        parent_id="t1",
        start=3 * SECOND,
        end=4 * SECOND,
        attributes={
            semconv.OPERATION_NAME: "invoke_agent",
            semconv.AGENT_NAME: "Explore",
            semconv.JOIN: "inferred",
        },
    )
    spans = [root(), chat("c1", 2), tool("t1", 3, "c1"), sub, chat("c2", 3, parent="s" * 16)]

    seen = view.build("x", spans)

    (call,) = seen.root.children[1].children
    (agent,) = call.children
    assert agent.title == "Explore"
    assert agent.notes == ["which call started it is inferred"]
    assert [node.title for node in agent.children] == ["1  claude-sonnet-4-5"]


def agent(span_id: str, parent: str, start: int = 3) -> Span:
    attributes: Attributes = {
        semconv.OPERATION_NAME: "invoke_agent",
        semconv.AGENT_NAME: span_id,
    }
    return Span(TRACE, span_id, "", parent_id=parent, start=start * SECOND, attributes=attributes)


def titles(node: Node) -> list[tuple[str, list[str]]]:
    return [(child.title, child.notes) for child in node.children if child.kind == "agent"]


def test_an_agent_that_nothing_leads_to_stands_under_the_root() -> None:
    seen = view.build("x", [root(), agent("lost", "f" * 16)])

    assert titles(seen.root) == [("lost", ["what started it is not known"])]


def test_agents_that_started_each_other_are_shown_once_each() -> None:
    turns = [chat("c1", 3, parent="s1"), chat("c2", 3, parent="s2")]
    tools = [tool("t1", 4, "c1"), tool("t2", 4, "c2")]

    seen = view.build("x", [root(), agent("s1", "t2"), agent("s2", "t1"), *turns, *tools])

    assert titles(seen.root) == [("s1", ["what started it is not known"])]
    (turn,) = next(node for node in seen.root.children if node.kind == "agent").children
    assert titles(turn.children[0]) == [("s2", [])]
    assert titles(turn.children[0].children[0].children[0].children[0]) == []


def test_an_agent_that_started_itself_is_shown() -> None:
    seen = view.build("x", [root(), agent("s1", "s1")])

    assert titles(seen.root) == [("s1", ["what started it is not known"])]


def test_agents_within_agents_without_end_are_shown_all_the_same() -> None:
    chain = [agent(f"s{n}", f"s{n - 1}" if n else "a" * 16) for n in range(3000)]

    encoded = msgspec.json.encode(view.build("x", [root(), *chain]))

    assert encoded.count(b'"kind":"agent"') == 3001


def command(span_id: str, parent: str, start: int = 3, **more: Any) -> Span:
    attributes: Attributes = {
        semconv.PROCESS_EXECUTABLE_NAME: "bash",
        semconv.PROCESS_COMMAND_ARGS: ["bash", "-c", "ls"],
        semconv.COMMAND_SCRIPT: "ls",
        semconv.COMMAND_FOR: "tool",
        semconv.PROCESS_EXIT_CODE: 0,
    }
    return Span(
        TRACE,
        span_id,
        "bash",
        parent_id=parent,
        start=start * SECOND,
        end=(start + 1) * SECOND,
        attributes=attributes | more,
    )


def test_commands_stand_under_their_call_and_their_test_runs_under_them() -> None:
    wrapped: dict[str, Any] = {
        semconv.COMMAND_SCRIPT: "source snapshot && eval 'ls' < /dev/null",
        semconv.JOIN: "inferred",
    }
    ran = command("k1", "t1", **wrapped)
    suite = Span(TRACE, "s1", "test pytest", parent_id="k1", start=3 * SECOND)
    suite.attributes = {semconv.TEST_SUITE_NAME: "pytest"}
    suite.events = [
        Event(semconv.TEST_CASE, 0, {semconv.TEST_CASE_OUTCOME: s, semconv.TEST_CASE_NAME: s})
        for s in ("passed", "failed", "passed")
    ]
    suite.attributes[semconv.TEST_SOURCE] = "exit_code"
    ran.events = [Event(semconv.SNAPSHOT_EVENT, 0, {semconv.SNAPSHOT_PATHS: ["M a.py", "A b.py"]})]
    own = command("k2", "a" * 16, 1, **{semconv.COMMAND_FOR: "agent"})

    seen = view.build("x", [root(), chat("c1", 2), tool("t1", 3, "c1"), ran, suite, own])

    prompt, first, turn = seen.root.children
    assert (prompt.kind, first.kind, first.ran and first.ran.by) == ("prompt", "command", "agent")
    (node,) = turn.children[0].children
    assert (node.title, node.detail) == ("bash", "ls")
    assert node.ran == Ran(
        args=["bash", "-c", "ls"], exit_code=0, by="tool", join="inferred", background=False
    )
    tests, change = node.children
    assert (tests.kind, tests.title, tests.result) == ("test", "pytest", "1 failed, 2 passed")
    assert (tests.detail, tests.notes) == ("failed", ["learned from its exit code"])
    assert (change.kind, change.title) == ("change", "M a.py, A b.py")
    assert seen.totals.commands == 1


def test_a_command_that_goes_on_after_its_call_runs_in_the_background() -> None:
    late = command("k1", "t1", 9)
    shell = command("k2", "t1", 3, **{semconv.COMMAND_OUTLIVED: True})

    seen = view.build("x", [root(), chat("c1", 2), tool("t1", 3, "c1"), late, shell])

    nodes = seen.root.children[1].children[0].children
    assert [node.ran.background for node in nodes if node.ran] == [True, True]


def test_a_command_whose_call_is_not_in_the_trace_is_not_lost() -> None:
    seen = view.build("x", [root(), command("k1", "lost")])

    assert [node.kind for node in seen.root.children] == ["prompt", "command"]


def test_what_went_wrong_with_a_command_is_noted() -> None:
    told: dict[str, Any] = {
        semconv.COMMAND_STATE: "cut",
        semconv.COMMAND_LOST: 7,
        semconv.COMMAND_FAULT: "its shim went away",
        semconv.COMMAND_STDOUT: b"\xff",
        semconv.REF + semconv.COMMAND_STDOUT: "concat:0",
    }
    odd = command("k1", "a" * 16, **told)

    node = view.build("x", [root(), odd]).root.children[1]

    assert node.notes == [
        "its shim went away",
        "7 bytes of output are missing",
    ]
    assert (node.ran and node.ran.stdout, node.cut) == ("\ufffd", ["stdout"])


def test_what_a_tool_call_came_to_at_a_server_stands_under_it() -> None:
    part = tool("m1", 3, "nobody", **{semconv.MCP_METHOD: "tools/call", semconv.JOIN: "inferred"})
    part.parent_id, part.links = "t1", []
    server = Span(TRACE, "m0", "mcp files", parent_id="a" * 16, start=0, end=9 * SECOND)

    seen = view.build("x", [root(), chat("c1", 2), tool("t1", 3, "c1"), part, server])

    assert [node.kind for node in seen.root.children] == ["server", "prompt", "turn"]
    (call,) = seen.root.children[2].children
    (node,) = call.children
    assert (node.kind, node.notes) == ("mcp", ["which call it is of is inferred"])
    assert seen.totals.tool_calls == 1


def test_how_a_call_was_allowed_is_told_with_what_says_so() -> None:
    told = {
        semconv.TOOL_APPROVAL: "denied",
        semconv.TOOL_APPROVAL_FROM: "agent_span",
        semconv.TOOL_APPROVAL_SOURCE: "user_reject",
    }

    seen = view.build("x", [root(), chat("c1", 2), tool("t1", 3, "c1", **told)])

    (call,) = seen.root.children[1].children
    assert (call.approval, call.approved_by) == ("denied", "agent_span: user_reject")


def test_what_people_did_is_told_in_order() -> None:
    own = root()
    for second, name in enumerate(("interruption", "slash_command", "prompt_queued"), 2):
        own.events.append(Event(f"traceproof.{name}", second * SECOND, {"content": name}))
    own.events.append(Event("traceproof.compaction", 9 * SECOND, {}))

    seen = view.build("x", [own, chat("c1", 5)])

    assert [(node.kind, node.title) for node in seen.root.children] == [
        ("prompt", "fix it"),
        ("interruption", "interruption"),
        ("slash_command", "slash_command"),
        ("queued", "prompt_queued"),
        ("turn", "1  claude-sonnet-4-5"),
        ("compaction", ""),
    ]


def test_a_call_in_the_text_says_so() -> None:
    told = tool("t1", 3, "c1", **{semconv.EVIDENCE: "inferred", semconv.JOIN: "inferred"})

    seen = view.build("x", [root(), chat("c1", 2), told])

    (call,) = seen.root.children[1].children
    assert call.notes == ["asked for in the text of the answer"]


def test_a_text_of_which_only_the_beginning_is_here_is_named() -> None:
    ref = "text:" + "0" * 64
    call = tool("t1", 3, "c1", **{semconv.REF + semconv.TOOL_CALL_RESULT: ref})
    call.attributes[semconv.TOOL_CALL_RESULT] = "beg"
    said = chat("c1", 2, **{semconv.OUTPUT_MESSAGES: '[{"par'})
    said.attributes[semconv.REF + semconv.OUTPUT_MESSAGES] = ref

    seen = view.build("x", [root(), said, call])

    turn = seen.root.children[1]
    assert (turn.detail, turn.cut) == ("", ["detail"])
    assert (turn.children[0].result, turn.children[0].cut) == ("beg", ["result"])


def test_totals_add_up_tokens_and_price() -> None:
    side = chat("c3", 5, **{semconv.CALL_PURPOSE: "title"})
    failed = chat("c2", 3, **{semconv.CALL_STATE: "refused"})

    totals = view.build("x", [root(), chat("c1", 2), failed, side, tool("t", 3, "c1")]).totals

    assert (totals.turns, totals.side_calls, totals.tool_calls, totals.failed_calls) == (1, 1, 1, 1)
    assert totals.tokens.input == 3000
    assert totals.cost == pytest.approx(3 * (1000 * 3 + 10 * 15) / 1e6)


def test_a_call_that_failed_has_the_number_of_the_turn_it_was_to_be() -> None:
    refused = chat("c2", 3, **{semconv.CALL_STATE: "refused"})
    retry = chat("c3", 4)
    retry.attributes[semconv.HTTP_RESEND_COUNT] = 1

    seen = view.build("x", [root(), chat("c1", 2), refused, retry])

    numbers = [node.title.partition(" ")[0] for node in seen.root.children[1:]]
    assert numbers == ["1", "2", "2"]
    assert (seen.totals.turns, seen.totals.failed_calls) == (2, 1)


def test_the_cost_is_not_guessed_when_one_price_is_unknown() -> None:
    unknown = chat("c2", 3, **{semconv.REQUEST_MODEL: "model-of-tomorrow"})

    assert view.build("x", [root(), chat("c1", 2), unknown]).totals.cost is None


@pytest.mark.parametrize(
    ("attributes", "note"),
    [
        ({semconv.HTTP_RESEND_COUNT: 2}, "retry 2"),
        ({semconv.CALL_STATE: "cut"}, "stream cut"),
        ({semconv.ERROR_TYPE: "overloaded_error"}, "overloaded_error"),
        ({semconv.CALL_PROBLEM: "event 3 is not JSON"}, "event 3 is not JSON"),
    ],
)
def test_what_must_not_be_overlooked_is_a_note(attributes: dict[str, Any], note: str) -> None:
    seen = view.build("x", [root(), chat("c1", 2, **attributes)])

    assert seen.root.children[1].notes == [note]


def test_a_span_in_flight_is_pending_and_has_no_duration() -> None:
    seen = view.build("x", [root(), chat("c1", 2)], pending=["c1"])

    assert seen.root.children[1].state == "pending"
    assert seen.root.children[1].duration is None


def test_the_text_of_an_answer_is_shown_and_its_thinking_is_not() -> None:
    said = (
        '[{"role":"assistant","parts":[{"type":"reasoning","content":"hm"},'
        '{"type":"text","content":"I see."},{"type":"tool_call","id":"1","name":"Bash"}]}]'
    )

    seen = view.build("x", [root(), chat("c1", 2, **{semconv.OUTPUT_MESSAGES: said})])

    assert seen.root.children[1].detail == "I see."


def test_a_trace_without_a_root_says_so() -> None:
    with pytest.raises(ValueError, match="no root span"):
        view.build("x", [chat("c1", 2)])


def test_four_hundred_turns_are_nested_at_once() -> None:
    chats = [chat(f"c{n}", n) for n in range(400)]
    tools = [tool(f"t{n}", n, f"c{n}") for n in range(400)]

    seen = view.build("x", [root(), *chats, *tools])

    assert sum(len(node.children) for node in seen.root.children) == 400
