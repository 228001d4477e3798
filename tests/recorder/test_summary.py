from __future__ import annotations

from pathlib import Path

import pytest

from traceproof.recorder import semconv
from traceproof.recorder.span import Attributes, Event, Span
from traceproof.recorder.summary import has_failed, is_turn, summarise
from traceproof.recorder.writer import TraceWriter

ROOT = "f" * 16


@pytest.fixture
def writer(tmp_path: Path) -> TraceWriter:
    return TraceWriter(tmp_path / "trace.zst", resource={})


def root(**more: int) -> Span:
    attributes: Attributes = {semconv.OPERATION_NAME: "invoke_agent", semconv.AGENT_NAME: "aider"}
    return Span("a" * 32, ROOT, "invoke_agent aider", start=10, attributes=attributes | more)


def call(number: int, purpose: str = "main", state: str = "complete") -> Span:
    attributes: Attributes = {
        semconv.OPERATION_NAME: "chat",
        semconv.CALL_PURPOSE: purpose,
        semconv.CALL_STATE: state,
        semconv.INPUT_TOKENS: 100,
        semconv.OUTPUT_TOKENS: 7,
    }
    return Span("a" * 32, f"{number:016x}", "chat m", parent_id=ROOT, end=50, attributes=attributes)


def test_a_session_in_one_row(writer: TraceWriter) -> None:
    writer.pending(root())
    writer.span(call(1))
    writer.span(call(2, purpose="title"))
    writer.span(call(3, state="failed"))
    tool: Attributes = {semconv.OPERATION_NAME: "execute_tool"}
    writer.span(Span("a" * 32, "4" * 16, "execute_tool Bash", parent_id=ROOT, attributes=tool))
    part = tool | {semconv.MCP_METHOD: "tools/call"}
    writer.span(Span("a" * 32, "6" * 16, "execute_tool add", parent_id="4" * 16, attributes=part))
    writer.span(call(5), resource={semconv.SOURCE: "agent"})
    ended = root(**{semconv.PROCESS_EXIT_CODE: 2})
    ended.end = 99
    writer.span(ended)
    writer.close()

    summary = summarise(writer.path)

    assert (summary.agent, summary.started, summary.ended, summary.exit_code) == (
        "aider",
        10,
        99,
        2,
    )
    assert (summary.turns, summary.calls, summary.tool_calls) == (1, 3, 1)
    assert summary.failed_calls == 1
    assert (summary.input_tokens, summary.output_tokens) == (300, 21)
    assert (summary.pending, summary.closed, summary.problems) == (False, True, [])


def test_a_session_that_was_cut_off(writer: TraceWriter) -> None:
    span = root()
    span.events.append(Event("prompt", 60))
    writer.pending(span)
    writer.span(call(1))
    writer.flush()

    summary = summarise(writer.path)

    assert summary.pending
    assert not summary.closed
    assert summary.ended == 60
    assert summary.exit_code is None
    writer.close()


def test_what_cannot_be_read_says_why(tmp_path: Path) -> None:
    (tmp_path / "foreign").write_text("x")

    assert "is not a trace file" in summarise(tmp_path / "foreign").error
    assert summarise(tmp_path / "none").error == f"{tmp_path / 'none'}: No such file or directory"


@pytest.mark.parametrize(
    ("state", "turn", "failed"),
    [
        ("complete", True, False),
        ("cut", False, True),
        ("refused", False, True),
        ("failed", False, True),
        ("pending", False, False),
        ("unrecorded", False, False),
    ],
)
def test_a_turn_is_a_main_call_that_was_answered_in_full(
    state: str, *, turn: bool, failed: bool
) -> None:
    main, side = call(1, state=state).attributes, call(2, "title", state).attributes

    assert (is_turn(main), has_failed(main)) == (turn, failed)
    assert (is_turn(side), has_failed(side)) == (False, failed)
