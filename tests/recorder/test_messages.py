from __future__ import annotations

import json

import pytest

from traceproof.recorder import messages
from traceproof.recorder.messages import Message, Part


def test_equal_messages_are_equal_bytes() -> None:
    one = Message("user", [{"type": "text", "content": "é", "extra": {"b": 1, "a": 2}}])
    two = Message("user", [{"extra": {"a": 2, "b": 1}, "content": "é", "type": "text"}])

    assert messages.encode(one) == messages.encode(two)
    assert messages.encode(Message("user", [])) == b'{"role":"user","parts":[]}'
    assert json.loads(messages.encode(one)) == {
        "role": "user",
        "parts": [{"type": "text", "content": "é", "extra": {"a": 2, "b": 1}}],
    }


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (messages.text("a", citations=[1]), {"type": "text", "content": "a", "citations": [1]}),
        (
            messages.reasoning("a", signature="s"),
            {"type": "reasoning", "content": "a", "signature": "s"},
        ),
        (
            messages.tool_call("id", "run", {"a": 1}),
            {"type": "tool_call", "id": "id", "name": "run", "arguments": {"a": 1}},
        ),
        (
            messages.tool_call_response("id", "ok"),
            {"type": "tool_call_response", "id": "id", "response": "ok"},
        ),
        (
            messages.tool_call_response("id", "no", is_error=True),
            {"type": "tool_call_response", "id": "id", "response": "no", "is_error": True},
        ),
        (
            messages.server_tool_call("id", "search", {"q": 1}),
            {
                "type": "server_tool_call",
                "id": "id",
                "name": "search",
                "server_tool_call": {"type": "search", "arguments": {"q": 1}},
            },
        ),
        (
            messages.server_tool_call_response("id", "result", [1]),
            {
                "type": "server_tool_call_response",
                "id": "id",
                "server_tool_call_response": {"type": "result", "response": [1]},
            },
        ),
        (
            messages.blob("image", "image/png", "AA=="),
            {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "AA=="},
        ),
        (
            messages.uri("image", "https://example.com"),
            {"type": "uri", "modality": "image", "uri": "https://example.com"},
        ),
        (messages.file("image", "f"), {"type": "file", "modality": "image", "file_id": "f"}),
        (messages.generic("odd", {"x": 1}), {"type": "odd", "value": {"x": 1}}),
    ],
)
def test_parts_have_the_shape_of_the_conventions(part: Part, expected: Part) -> None:
    assert part == expected
