from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from support import made as story
from traceproof import Message, Usage, open_trace
from traceproof.recorder import semconv
from traceproof.recorder.span import Span
from traceproof.spanobjects import moment, usage_of


def test_a_messages_text_leaves_thinking_and_tools_out() -> None:
    message = Message(
        "assistant",
        [
            {"type": "reasoning", "content": "Hm."},
            {"type": "text", "content": "One."},
            {"type": "tool_call", "id": "t"},
            {"type": "text", "content": "Two."},
        ],
    )

    assert message.text == "One.\nTwo."


def test_tokens_are_those_of_the_span_or_none() -> None:
    counted = Span("", "", "", attributes={semconv.INPUT_TOKENS: 3, semconv.REASONING_TOKENS: 1})

    assert usage_of(counted) == Usage(3, 0, reasoning_tokens=1)
    assert usage_of(Span("", "", "")) is None


def test_a_moment_is_in_utc() -> None:
    assert moment(1_500_000_000) == datetime(1970, 1, 1, 0, 0, 1, 500000, UTC)


def test_an_object_is_its_span(tmp_path: Path) -> None:
    path = tmp_path / "trace.zst"
    story.write(path)

    with open_trace(path) as trace:
        first, last = trace.turns()
        assert first == next(trace.calls())
        assert len({first, next(trace.calls()), last}) == 2
        assert repr(first) == f"<Turn 'chat claude-sonnet-4-5' {story.FIRST}>"
        assert first.started == moment(story.START + story.SECOND)
        assert not first.is_pending
        assert first.span().attributes[semconv.RESPONSE_BODY] == b"\x1f\x8b\xff"
