from __future__ import annotations

import json
from typing import Any

import pytest

from traceproof import spanfacts
from traceproof.recorder import semconv
from traceproof.recorder.span import Span

ANSWER = [
    {
        "role": "assistant",
        "parts": [
            {"type": "reasoning", "content": "hm"},
            {"type": "text", "content": "I see."},
            {"type": "tool_call", "id": "t1", "name": "Bash", "arguments": {"command": "ls"}},
            {"type": "text", "content": "Now then."},
            {"type": "tool_call", "id": "t2", "name": "Bash", "arguments": {}},
        ],
    }
]


def chat(**attributes: Any) -> Span:
    named = {getattr(semconv, name): value for name, value in attributes.items()}
    return Span("1" * 32, "c" * 16, "chat m", attributes=named)


def test_what_was_said_and_asked() -> None:
    span = chat(OUTPUT_MESSAGES=json.dumps(ANSWER))

    assert spanfacts.said(span) == "I see.\nNow then."
    assert spanfacts.asked(span) == {"t1": 0, "t2": 1}


def test_a_lean_span_says_the_same_in_less() -> None:
    span = chat(
        OUTPUT_MESSAGES=json.dumps(ANSWER), CALL_STATE="complete", REQUEST_HEADERS="x" * 1000
    )

    lean = spanfacts.lean(span)

    assert lean.attributes.keys() == {semconv.OUTPUT_MESSAGES, semconv.CALL_STATE}
    assert "command" not in str(lean.attributes)
    assert spanfacts.said(lean) == spanfacts.said(span)
    assert spanfacts.asked(lean) == spanfacts.asked(span)


@pytest.mark.parametrize(
    "odd", ["", "[", "7", "{}", "[7]", '[{"parts":7}]', '[{"parts":[7]}]', "[" * 99_999, b"[]"]
)
def test_messages_that_are_none_say_nothing(odd: str | bytes) -> None:
    assert spanfacts.said(chat(OUTPUT_MESSAGES=odd)) == ""
    assert spanfacts.asked(spanfacts.lean(chat(OUTPUT_MESSAGES=odd))) == {}


def test_a_cost_needs_tokens_and_a_model_with_a_price() -> None:
    priced = chat(REQUEST_MODEL="claude-sonnet-4-5", INPUT_TOKENS=1000, OUTPUT_TOKENS=10)
    unknown = chat(REQUEST_MODEL="model-of-tomorrow", INPUT_TOKENS=1000)

    assert spanfacts.cost(priced) == pytest.approx((1000 * 3 + 10 * 15) / 1e6)
    assert spanfacts.cost(unknown) is None
    assert spanfacts.cost(chat()) is None
    assert spanfacts.sum_costs([1.0, 2.0]) == 3.0
    assert spanfacts.sum_costs([1.0, None]) is None
    assert spanfacts.sum_costs([]) is None
