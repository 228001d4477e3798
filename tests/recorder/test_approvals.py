from __future__ import annotations

import pytest

from traceproof.recorder import approvals, otlp, semconv
from traceproof.recorder.approvals import AUTO, BY_MODE, BYPASSED, Approval, Approvals
from traceproof.recorder.span import Attributes, Span, encode_attributes

MODE = Approval(AUTO, BY_MODE, "default")
REJECTED = "The user doesn't want to proceed with this tool use. The tool use was rejected."


def said(name: str, span_id: str, parent: str = "", **attributes: str) -> otlp.Span:
    told: Attributes = {key.replace("__", "."): value for key, value in attributes.items()}
    return otlp.Span(
        trace_id="1" * 32,
        span_id=span_id,
        parent_span_id=parent,
        name=name,
        attributes=encode_attributes(told),
    )


def decision(call_id: str, word: str, source: str = "unknown") -> list[otlp.Span]:
    """Return what Claude Code sends of one call: the decision comes before the call's span."""
    return [
        said("claude_code.tool.blocked_on_user", "b", call_id, decision=word, source=source),
        said("claude_code.tool", call_id, gen_ai__tool__call__id=call_id),
    ]


def tool(call_id: str = "t1", *, is_error: bool | None = None) -> Span:
    attributes: Attributes = {semconv.TOOL_CALL_ID: call_id}
    if is_error is not None:
        attributes[semconv.TOOL_IS_ERROR] = is_error
    return Span("1" * 32, call_id.ljust(16, "0"), "execute_tool Bash", attributes=attributes)


def told(span: Span) -> tuple[object, object, object]:
    names = (semconv.TOOL_APPROVAL, semconv.TOOL_APPROVAL_FROM, semconv.TOOL_APPROVAL_SOURCE)
    one, two, three = (span.attributes.get(name) for name in names)
    return one, two, three


def nobody(_span: Span) -> None:
    raise AssertionError("nothing waits")


@pytest.mark.parametrize(
    ("word", "source", "expected"),
    [
        ("accept", "user_temporary", ("granted", "agent_span", "user_temporary")),
        ("accept", "user_permanent", ("granted", "agent_span", "user_permanent")),
        ("accept", "config", ("auto", "agent_span", "config")),
        ("accept", "hook", ("auto", "agent_span", "hook")),
        ("reject", "user_reject", ("denied", "agent_span", "user_reject")),
        ("reject", "unknown", ("denied", "agent_span", None)),
        ("unknown", "unknown", ("auto", "mode", "default")),
    ],
)
def test_the_agent_s_own_words_come_first(
    word: str, source: str, expected: tuple[object, ...]
) -> None:
    known, span = Approvals("claude-code", MODE), tool()
    for sent in decision("t1", word, source):
        known.add(sent)

    assert known.finish(span, "ok", nobody)
    assert told(span) == expected


@pytest.mark.parametrize(
    ("agent", "text", "source"),
    [
        ("claude-code", "Claude requested permissions to write to /a, but you", "not_granted"),
        ("claude-code", "Permission to use Bash with command x has been denied.", "denied_by_rule"),
        ("claude-code", "Cannot write to /a while in plan mode.", "plan_mode"),
        ("claude-code", "PreToolUse:Bash hook error: [exit 2]: no", "hook"),
        ("claude-code", REJECTED, "user_reject"),
        ("codex", "approval policy is Never; reject command — you cannot ask", "policy"),
        ("codex", "patch rejected: x; rejected by user approval settings", "policy"),
        ("opencode", "The user rejected permission to use this specific tool call.", "user_reject"),
    ],
)
def test_a_denial_stands_in_the_result(agent: str, text: str, source: str) -> None:
    span = tool(is_error=True)

    assert Approvals(agent, MODE).finish(span, text, nobody)
    assert told(span) == ("denied", "result", source)


def test_what_a_tool_prints_is_no_denial() -> None:
    printed = tool(is_error=False)

    Approvals("claude-code").finish(printed, REJECTED, nobody)

    assert told(printed) == (None, None, None)
    assert approvals.from_result("codex", f"Chunk ID: 1\n{REJECTED}\nrejected by user") is None
    assert approvals.from_result("somebody", REJECTED) is None


def test_what_could_not_run_was_not_allowed_either() -> None:
    for agent, text in (
        ("claude-code", "<tool_use_error>Error: No such tool available: X</tool_use_error>"),
        ("gemini-cli", 'Tool "run_shell_command" not found. Did you mean one of: "read_file"?'),
        ("opencode", "The arguments provided to the tool are invalid: Model tried to call"),
    ):
        span = tool(is_error=True)
        Approvals(agent, Approval(BYPASSED, BY_MODE)).finish(span, text, nobody)
        assert told(span) == (None, None, None)


def test_a_call_without_a_result_is_not_said_to_have_been_allowed() -> None:
    span = tool()

    assert Approvals("claude-code", MODE).finish(span, None, nobody)
    assert told(span) == (None, None, None)


def test_where_people_are_asked_a_call_waits_for_what_the_agent_says() -> None:
    known, written = Approvals("claude-code", says=True), list[Span]()
    first, second = tool("t1"), tool("t2")
    assert not known.finish(first, "ok", written.append)
    assert not known.finish(second, "ok", written.append)

    for sent in decision("t2", "accept", "user_temporary"):
        known.add(sent)
        known.look(written.append)

    assert [told(span)[0] for span in written] == ["granted"]
    known.close(written.append)
    assert written == [second, first]
    assert told(first) == (None, None, None)


def test_what_was_said_before_the_result_makes_nobody_wait() -> None:
    known, span = Approvals("claude-code", says=True), tool()
    for sent in decision("t1", "accept", "config"):
        known.add(sent)

    assert known.finish(span, "ok", nobody)
    assert told(span)[0] == "auto"


def test_only_so_many_wait() -> None:
    known, written = Approvals("claude-code", says=True), list[Span]()

    for number in range(70):
        known.finish(tool(f"t{number}"), "ok", written.append)

    assert [span.attributes[semconv.TOOL_CALL_ID] for span in written] == [
        f"t{number}" for number in range(6)
    ]


def test_a_second_call_with_the_same_id_does_not_hide_the_first() -> None:
    known, written = Approvals("claude-code", says=True), list[Span]()
    first, second = tool("t1"), tool("t1")

    known.finish(first, "ok", written.append)
    known.finish(second, "ok", written.append)
    known.close(written.append)

    assert written == [first, second]
