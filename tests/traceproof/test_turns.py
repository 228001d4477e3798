from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support import made as story
from traceproof import Trace, open_trace
from traceproof.recorder import semconv
from traceproof.recorder.span import Link, Span, StatusCode
from traceproof.recorder.writer import TraceWriter


@pytest.fixture
def trace(tmp_path: Path) -> Iterator[Trace]:
    path = tmp_path / "trace.otlp.jsonl.zst"
    story.write(path)
    with open_trace(path) as opened:
        yield opened


def span(span_id: str, operation: str, start: int, parent: str = "a" * 16, **more: Any) -> Span:
    named = {getattr(semconv, name): value for name, value in more.items()}
    return Span(
        story.TRACE,
        span_id,
        operation,
        parent_id=parent,
        start=start,
        end=start + 1,
        attributes={semconv.OPERATION_NAME: operation, **named},
    )


def opened(path: Path, *spans: Span) -> Trace:
    writer = TraceWriter(path / "trace.zst", resource={})
    for one in spans:
        writer.span(one)
    writer.span(span("a" * 16, "invoke_agent", 0, ""))
    writer.close()
    return open_trace(path / "trace.zst")


def test_a_turn_has_its_tokens_times_and_bodies(trace: Trace) -> None:
    first, _ = trace.turns()

    assert first.usage is not None
    assert (first.usage.input_tokens, first.usage.cache_read_tokens) == (1000, 700)
    assert (first.duration, first.time_to_first_chunk) == (1.0, 0.25)
    assert (first.state, first.failed, first.error, first.purpose) == (
        "complete",
        False,
        "",
        "main",
    )
    assert first.finish_reasons == ["tool_call"]
    assert json.loads(first.request_body) == story.ASKED
    assert first.response_body == b"\x1f\x8b\xff"
    assert (first.system, first.tools) == ([], [])
    assert first.get(semconv.INPUT_TOKENS) == 1000
    assert first.get("unknown") is None


def test_a_tool_call_has_arguments_result_and_how_it_is_known(trace: Trace) -> None:
    first, last = trace.turns()
    (call,) = first.tool_calls

    assert (call.id, call.name, call.arguments) == ("t1", "Bash", {"command": "ls"})
    assert call.result == story.RESULT["response"]
    assert (call.is_error, call.state, call.join, call.approval) == (True, "answered", "exact", "")
    assert call.duration == 1.0
    assert last.tool_calls == []
    assert list(trace.agent.tool_calls()) == [call]


def test_tool_calls_come_in_the_order_in_which_the_model_asked(tmp_path: Path) -> None:
    parts = [{"type": "tool_call", "id": name, "name": "Bash"} for name in ("t1", "t2")]
    said = json.dumps([{"role": "assistant", "parts": parts}])
    tools = [
        span(f"{number:016x}", "execute_tool", 5 - number, TOOL_CALL_ID=f"t{number}")
        for number in (1, 2)
    ]
    for tool in tools:
        tool.links = [Link(story.TRACE, "c" * 16, {semconv.LINK_TYPE: "requested_by"})]
    chat = span("c" * 16, "chat", 1, OUTPUT_MESSAGES=said, CALL_STATE="complete")

    with opened(tmp_path, chat, *tools) as trace:
        (turn,) = trace.turns()
        assert [call.id for call in turn.tool_calls] == ["t1", "t2"]


def test_arguments_that_are_no_json_are_the_text_and_no_answer_is_none(tmp_path: Path) -> None:
    tool = span("1" * 16, "execute_tool", 1, TOOL_CALL_ARGUMENTS='{"cut', TOOL_STATE="unanswered")

    with opened(tmp_path, tool) as trace:
        (call,) = trace.agent.tool_calls()
        assert (call.arguments, call.result, call.is_error) == ('{"cut', None, None)
        assert call.state == "unanswered"


def test_failed_and_side_calls_are_calls_and_no_turns(tmp_path: Path) -> None:
    failed = span("1" * 16, "chat", 1, CALL_STATE="refused", ERROR_TYPE="overloaded_error")
    failed.status, failed.status_message = StatusCode.ERROR, "Overloaded"
    again = span("2" * 16, "chat", 2, CALL_STATE="complete")
    again.links = [Link(story.TRACE, "1" * 16, {semconv.LINK_TYPE: "retry_of"})]
    side = span("3" * 16, "chat", 3, CALL_STATE="complete", CALL_PURPOSE="title")

    with opened(tmp_path, failed, again, side) as trace:
        assert [call.span_id[0] for call in trace.agent.calls()] == ["1", "2", "3"]
        assert [turn.span_id[0] for turn in trace.turns()] == ["2"]
        first, second, third = trace.calls()
        assert (first.failed, first.error) == (True, "overloaded_error: Overloaded")
        assert second.retry_of == first.span_id
        assert (third.purpose, third.usage, third.cost) == ("title", None, None)
        assert trace.conversation() == []


def test_sub_agents_hang_under_the_call_that_started_them(tmp_path: Path) -> None:
    tool = span("1" * 16, "execute_tool", 1, TOOL_NAME="Agent")
    sub = span("2" * 16, "invoke_agent", 2, "1" * 16, AGENT_NAME="helper", JOIN="exact")
    work = span("3" * 16, "chat", 3, "2" * 16, CALL_STATE="complete")

    with opened(tmp_path, tool, sub, work) as trace:
        (helper,) = trace.agent.sub_agents()
        assert (helper.name, helper.join, helper.version) == ("helper", "exact", "")
        assert [turn.span_id for turn in helper.turns()] == ["3" * 16]
        assert trace.agents() == [trace.agent, helper]
        assert list(trace.turns()) == []
        (call,) = trace.agent.tool_calls()
        assert call.sub_agents() == [helper]
