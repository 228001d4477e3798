from __future__ import annotations

import json
from typing import Any

import pytest

from traceproof.proxy.dialects import wire
from traceproof.proxy.dialects.anthropic_response import answer, response
from traceproof.proxy.dialects.base import ChatResponse, ModelError, Usage
from traceproof.recorder.messages import Message

MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-x",
    "content": [{"type": "text", "text": "Done."}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {
        "input_tokens": 10,
        "cache_creation_input_tokens": 200,
        "cache_read_input_tokens": 3000,
        "output_tokens": 7,
        "service_tier": "standard",
    },
}


def read(value: object) -> ChatResponse:
    return response(json.dumps(value).encode())


def test_a_message() -> None:
    assert read(MESSAGE) == ChatResponse(
        id="msg_1",
        model="claude-x",
        messages=[Message("assistant", [{"type": "text", "content": "Done."}])],
        finish_reasons=["stop"],
        usage=Usage(input=3210, output=7, cache_read=3000, cache_creation=200),
        extra={"usage": {"service_tier": "standard"}},
    )


@pytest.mark.parametrize(
    ("reason", "ours"),
    [
        ("end_turn", ["stop"]),
        ("stop_sequence", ["stop"]),
        ("max_tokens", ["length"]),
        ("tool_use", ["tool_call"]),
        ("refusal", ["content_filter"]),
        ("pause_turn", ["pause_turn"]),
        ("model_context_window_exceeded", ["model_context_window_exceeded"]),
        (None, []),
    ],
)
def test_stop_reasons(reason: str | None, ours: list[str]) -> None:
    assert read({**MESSAGE, "stop_reason": reason}).finish_reasons == ours


def test_what_has_no_conventional_name_is_kept() -> None:
    made = read({**MESSAGE, "stop_sequence": "END", "container": {"id": "c"}, "usage": None})

    assert made.extra == {"stop_sequence": "END", "container": {"id": "c"}}
    assert made.usage == Usage()


def test_an_error() -> None:
    body = {
        "type": "error",
        "error": {"type": "overloaded_error", "message": "Overloaded"},
        "request_id": "req_1",
    }

    assert read(body) == ChatResponse(
        error=ModelError("overloaded_error", "Overloaded"), extra={"request_id": "req_1"}
    )
    assert read({"error": "a gateway's words"}).error == ModelError("", "a gateway's words")


def test_a_gateway_s_page_and_other_bodies() -> None:
    page = response(b"<html>502</html>")

    assert page.problems == ["the body is not JSON (16 bytes)"]
    assert page.unknown == ["<html>502</html>"]
    assert response(b"").problems == ["the body is empty"]
    assert response(json.dumps(MESSAGE).encode()[:-5]).complete is False
    assert read([1]) == ChatResponse(problems=["the body is not a message"], unknown=[[1]])


def test_wrong_types_are_noted_and_the_rest_is_read() -> None:
    made = read(
        {
            "type": "message",
            "id": 5,
            "model": [],
            "role": {},
            "content": {"a": 1},
            "stop_reason": 9,
            "usage": {"input_tokens": "10", "output_tokens": 7},
        }
    )

    assert made.usage == Usage(output=7)
    assert made.extra == {"usage": {"input_tokens": "10"}}
    assert made.messages == [Message("assistant", [{"type": "content", "value": {"a": 1}}])]
    assert made.problems == [
        "input_tokens is not a count",
        "the content is not a list of blocks",
        "id is a int",
        "model is a list",
        "stop_reason is a int",
    ]


def test_usage_of_another_type_is_noted() -> None:
    assert answer({"usage": []}, wire.Notes()).problems == ["usage is a list"]
