from __future__ import annotations

import json
from typing import Any

import pytest

from traceproof.proxy.dialects.base import ChatResponse, ModelError, Usage
from traceproof.proxy.dialects.openai_chat_response import response
from traceproof.recorder.messages import Message

COMPLETION: dict[str, Any] = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1700000000,
    "model": "gpt-x",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Done.", "refusal": None},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ],
    "usage": {
        "prompt_tokens": 100,
        "completion_tokens": 20,
        "total_tokens": 120,
        "prompt_tokens_details": {"cached_tokens": 64, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 8, "audio_tokens": 3},
    },
}


def read(value: object) -> ChatResponse:
    return response(json.dumps(value).encode())


def choice(**more: Any) -> dict[str, Any]:
    return {**COMPLETION, "choices": [{**COMPLETION["choices"][0], **more}]}


def test_a_completion() -> None:
    assert read(COMPLETION) == ChatResponse(
        id="chatcmpl-1",
        model="gpt-x",
        messages=[Message("assistant", [{"type": "text", "content": "Done."}])],
        finish_reasons=["stop"],
        usage=Usage(input=100, output=20, cache_read=64, reasoning=8),
        extra={
            "created": 1700000000,
            "usage": {"completion_tokens_details": {"audio_tokens": 3}},
        },
    )


@pytest.mark.parametrize(
    ("reason", "ours"),
    [
        ("stop", ["stop"]),
        ("length", ["length"]),
        ("tool_calls", ["tool_call"]),
        ("function_call", ["tool_call"]),
        ("content_filter", ["content_filter"]),
        ("eos", ["eos"]),
        (None, []),
    ],
)
def test_finish_reasons(reason: str | None, ours: list[str]) -> None:
    assert read(choice(finish_reason=reason)).finish_reasons == ours


def test_several_choices_and_a_refusal() -> None:
    second = {"index": 1, "message": {"role": "assistant", "refusal": "No."}}
    made = read({**COMPLETION, "choices": [*COMPLETION["choices"], second]})

    assert made.finish_reasons == ["stop", ""]
    assert made.messages[1] == Message("assistant", [{"type": "refusal", "value": "No."}])


def test_what_has_no_conventional_name_is_kept() -> None:
    said = {"role": "assistant", "content": "x", "audio": {"id": "a"}}
    made = read(
        {
            **choice(message=said, logprobs={"content": []}),
            "service_tier": "flex",
            "usage": {"prompt_tokens": 1, "cost": 0.5},
        }
    )

    assert made.extra == {
        "created": 1700000000,
        "service_tier": "flex",
        "usage": {"cost": 0.5},
        "choices": [{"logprobs": {"content": []}, "message": {"audio": {"id": "a"}}}],
    }


def test_deepseek_s_count_of_cached_tokens() -> None:
    usage = {"prompt_tokens": 10, "prompt_cache_hit_tokens": 4}

    assert read({**COMPLETION, "usage": usage}).usage == Usage(input=10, cache_read=4)


def test_arguments_that_are_not_json_are_kept_as_text() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "ls", "arguments": '{"pa'}}
    made = read(choice(message={"role": "assistant", "tool_calls": [call]}))

    assert made.messages[0].parts[0]["arguments"] == '{"pa'
    assert made.problems == ["the arguments of 'ls' are not JSON"]


@pytest.mark.parametrize(
    ("body", "error", "extra"),
    [
        (
            {"error": {"message": "m", "type": "t", "param": None, "code": "c"}},
            ModelError("t", "m"),
            {"error": {"code": "c"}},
        ),
        (
            {"object": "error", "message": "m", "type": "t", "code": 400},
            ModelError("t", "m"),
            {"error": {"object": "error", "code": 400}},
        ),
        ({"error": "words"}, ModelError("", "words"), {}),
    ],
)
def test_errors(body: object, error: ModelError, extra: dict[str, Any]) -> None:
    assert read(body) == ChatResponse(error=error, extra=extra)


def test_an_error_beside_an_answer() -> None:
    made = read({**choice(finish_reason=None), "error": {"message": "upstream", "code": 502}})

    assert made.error == ModelError("", "upstream")
    assert made.extra["error"] == {"code": 502}
    assert made.finish_reasons == ["error"]


def test_a_gateway_s_page_and_other_bodies() -> None:
    assert response(b"<html>").problems == ["the body is not JSON (6 bytes)"]
    assert response(b"").problems == ["the body is empty"]
    assert read({"detail": "Not Found"}).unknown == [{"detail": "Not Found"}]
    assert read([1]).problems == ["the body is not a chat completion"]


def test_wrong_types_are_noted_and_the_rest_is_read() -> None:
    made = read({"id": 5, "choices": [7, {"message": "x", "finish_reason": {}}], "usage": [1]})

    assert len(made.messages) == 2
    assert made.problems == [
        "usage is a list",
        "a choice is a int",
        "id is a int",
        "a message is a str",
        "finish_reason is a dict",
    ]
    assert read({"choices": {}}).problems == ["choices is not a list"]
