from __future__ import annotations

import json
from typing import Any

import pytest

from traceproof.proxy.dialects.base import ChatResponse, ModelError, Usage
from traceproof.proxy.dialects.gemini_response import response
from traceproof.recorder.messages import Message

CALL = {"functionCall": {"name": "ls", "args": {}}}
ANSWER: dict[str, Any] = {
    "candidates": [
        {
            "content": {"parts": [{"text": "Done."}], "role": "model"},
            "finishReason": "STOP",
            "index": 0,
        }
    ],
    "usageMetadata": {
        "promptTokenCount": 100,
        "candidatesTokenCount": 20,
        "totalTokenCount": 128,
        "cachedContentTokenCount": 64,
        "thoughtsTokenCount": 8,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 100}],
    },
    "modelVersion": "gemini-x",
    "responseId": "r1",
}


def read(value: object) -> ChatResponse:
    return response(json.dumps(value).encode())


def candidate(*parts: Any, **more: Any) -> dict[str, Any]:
    content = {"parts": list(parts), "role": "model"}
    return {**ANSWER, "candidates": [{"content": content, "finishReason": "STOP", **more}]}


def test_an_answer() -> None:
    assert read(ANSWER) == ChatResponse(
        id="r1",
        model="gemini-x",
        messages=[Message("assistant", [{"type": "text", "content": "Done."}])],
        finish_reasons=["stop"],
        usage=Usage(input=100, output=28, cache_read=64, reasoning=8),
        extra={"usageMetadata": {"promptTokensDetails": [{"modality": "TEXT", "tokenCount": 100}]}},
    )


@pytest.mark.parametrize(
    ("reason", "ours"),
    [
        ("STOP", ["stop"]),
        ("MAX_TOKENS", ["length"]),
        ("SAFETY", ["content_filter"]),
        ("MALFORMED_FUNCTION_CALL", ["MALFORMED_FUNCTION_CALL"]),
        (None, []),
    ],
)
def test_finish_reasons(reason: str | None, ours: list[str]) -> None:
    assert read(candidate({"text": "x"}, finishReason=reason)).finish_reasons == ours


def test_a_filter_is_kept_by_its_own_name_too() -> None:
    made = read(candidate(finishReason="RECITATION"))

    assert made.finish_reasons == ["content_filter"]
    assert made.extra["candidates"] == [{"finishReason": "RECITATION"}]


def test_a_candidate_that_calls_a_tool_stopped_for_that() -> None:
    made = read(candidate({"text": ""}, CALL, CALL))

    assert [part["type"] for part in made.messages[0].parts] == ["tool_call", "tool_call"]
    assert made.finish_reasons == ["tool_call"]


@pytest.mark.parametrize(
    ("counts", "usage"),
    [
        ({"promptTokenCount": 5}, Usage(input=5)),
        ({"promptTokenCount": 5, "thoughtsTokenCount": 2}, Usage(5, 2, None, None, 2)),
        ({"promptTokenCount": 5, "toolUsePromptTokenCount": 3}, Usage(input=8)),
        ({"candidatesTokenCount": 3}, Usage(output=3)),
        (None, Usage()),
    ],
)
def test_counts_that_are_zero_are_left_out(counts: Any, usage: Usage) -> None:
    assert read({**ANSWER, "usageMetadata": counts}).usage == usage


def test_a_prompt_that_was_refused() -> None:
    feedback = {"blockReason": "PROHIBITED_CONTENT"}
    made = read({"promptFeedback": feedback, "usageMetadata": {"promptTokenCount": 5}})

    assert (made.messages, made.finish_reasons) == ([], ["content_filter"])
    assert made.extra == {"promptFeedback": feedback}
    assert made.complete


def test_what_has_no_conventional_name_is_kept() -> None:
    made = read(candidate({"text": "x"}, groundingMetadata={"a": 1}, avgLogprobs=-1))

    assert made.extra["candidates"] == [{"groundingMetadata": {"a": 1}, "avgLogprobs": -1}]


def test_errors() -> None:
    error = {"code": 429, "message": "m", "status": "RESOURCE_EXHAUSTED", "details": []}

    assert read({"error": error}) == ChatResponse(
        error=ModelError("RESOURCE_EXHAUSTED", "m"), extra={"error": {"code": 429, "details": []}}
    )
    assert read({"error": "words"}) == ChatResponse(error=ModelError("", "words"))


def test_a_gateway_s_page_and_other_bodies() -> None:
    assert response(b"<html>").problems == ["the body is not JSON (6 bytes)"]
    assert response(b"").problems == ["the body is empty"]
    assert read({"a": 1}).unknown == [{"a": 1}]
    assert read([1]).problems == ["the body is not what a model generated"]


def test_wrong_types_are_noted_and_the_rest_is_read() -> None:
    call = {"content": {"parts": [{"functionCall": {"args": {}}}], "more": 1}}
    made = read({"responseId": 5, "candidates": [7, {"content": 5}, call], "usageMetadata": [1]})

    assert [len(message.parts) for message in made.messages] == [0, 0, 1]
    assert made.problems == [
        "usageMetadata is a list",
        "a candidate is a int",
        "a content is a int",
        "a function call has no name",
        "responseId is a int",
    ]
    assert made.extra["candidates"] == [{}, {}, {"content": {"more": 1}}]
    assert read({"candidates": {}}).problems == ["candidates is not a list"]
