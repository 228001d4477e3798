from __future__ import annotations

import json
from typing import Any

import pytest

from traceproof.proxy.dialects.base import ChatResponse, ModelError, Usage
from traceproof.proxy.dialects.openai_responses_response import response
from traceproof.recorder.messages import Message

CALL = {"type": "function_call", "id": "fc", "call_id": "c", "name": "ls", "arguments": "{}"}
RESPONSE: dict[str, Any] = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1700000000,
    "status": "completed",
    "error": None,
    "incomplete_details": None,
    "instructions": "long",
    "tools": [{"type": "function"}],
    "model": "gpt-x",
    "service_tier": "flex",
    "output": [
        {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "Done."}],
        }
    ],
    "usage": {
        "input_tokens": 100,
        "input_tokens_details": {"cached_tokens": 64, "audio_tokens": 0},
        "output_tokens": 20,
        "output_tokens_details": {"reasoning_tokens": 8, "audio_tokens": 3},
        "total_tokens": 120,
    },
}


def read(value: object) -> ChatResponse:
    return response(json.dumps(value).encode())


def test_a_response() -> None:
    assert read(RESPONSE) == ChatResponse(
        id="resp_1",
        model="gpt-x",
        messages=[Message("assistant", [{"type": "text", "content": "Done."}])],
        finish_reasons=["stop"],
        usage=Usage(input=100, output=20, cache_read=64, reasoning=8),
        extra={
            "created_at": 1700000000,
            "service_tier": "flex",
            "usage": {"output_tokens_details": {"audio_tokens": 3}},
        },
    )


@pytest.mark.parametrize(
    ("status", "reason", "ours"),
    [
        ("completed", None, ["stop"]),
        ("incomplete", "max_output_tokens", ["length"]),
        ("incomplete", "content_filter", ["content_filter"]),
        ("incomplete", None, ["incomplete"]),
        ("failed", None, ["error"]),
        ("cancelled", None, ["cancelled"]),
        ("in_progress", None, []),
        (None, None, []),
    ],
)
def test_finish_reasons(status: str | None, reason: str | None, ours: list[str]) -> None:
    made = read({**RESPONSE, "status": status, "incomplete_details": {"reason": reason}})

    assert made.finish_reasons == ours


def test_items_are_the_parts_of_one_message() -> None:
    made = read({**RESPONSE, "output": [{"type": "reasoning"}, *RESPONSE["output"], CALL, CALL]})

    assert [part["type"] for part in made.messages[0].parts] == [
        "reasoning",
        "text",
        "tool_call",
        "tool_call",
    ]
    assert made.finish_reasons == ["tool_call"]
    assert read({**RESPONSE, "output": []}).messages == []


def test_arguments_that_are_not_json_are_kept_as_text() -> None:
    made = read({**RESPONSE, "output": [{**CALL, "arguments": '{"pa'}]})

    assert made.messages[0].parts[0]["arguments"] == '{"pa'
    assert made.problems == ["the arguments of 'ls' are not JSON"]


def test_a_response_that_failed() -> None:
    error = {"code": "server_error", "message": "m"}
    made = read({**RESPONSE, "status": "failed", "error": error, "output": []})

    assert made.error == ModelError("server_error", "m")
    assert made.finish_reasons == ["error"]
    assert made.complete


@pytest.mark.parametrize(
    ("body", "error", "extra"),
    [
        (
            {"error": {"message": "m", "type": "t", "param": None, "code": "c"}},
            ModelError("t", "m"),
            {"error": {"code": "c"}},
        ),
        (
            {"error": {"message": "m", "type": None, "code": "c"}, "status": 400},
            ModelError("c", "m"),
            {"status": 400},
        ),
        ({"error": "words"}, ModelError("", "words"), {}),
        ({"detail": "Unauthorized"}, ModelError("", "Unauthorized"), {}),
    ],
)
def test_errors(body: object, error: ModelError, extra: dict[str, Any]) -> None:
    assert read(body) == ChatResponse(error=error, extra=extra)


def test_a_gateway_s_page_and_other_bodies() -> None:
    assert response(b"<html>").problems == ["the body is not JSON (6 bytes)"]
    assert response(b"").problems == ["the body is empty"]
    assert read({"a": 1}).unknown == [{"a": 1}]
    assert read([1]).problems == ["the body is not a response"]


def test_wrong_types_are_noted_and_the_rest_is_read() -> None:
    made = read({"id": 5, "output": [7, CALL], "usage": [1], "status": {}})

    assert [part["type"] for part in made.messages[0].parts] == ["item", "tool_call"]
    assert made.problems == [
        "usage is a list",
        "an item is not an object",
        "id is a int",
        "status is a dict",
    ]
    assert read({"output": {}}).problems == ["output is not a list of items"]
