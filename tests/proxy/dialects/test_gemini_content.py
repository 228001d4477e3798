from __future__ import annotations

from typing import Any

import pytest

from traceproof.proxy.dialects.gemini_content import camel, message, part, parts
from traceproof.recorder.messages import Message


def test_roles() -> None:
    said, ours = [{"text": "Hi"}], [{"type": "text", "content": "Hi"}]

    assert message({"role": "user", "parts": said}) == Message("user", ours)
    assert message({"role": "model", "parts": said}) == Message("assistant", ours)
    assert message({"parts": said}) == Message("user", ours)
    assert message({"role": "model", "parts": said[0]}) == Message("assistant", ours)
    assert message("Hi") == Message("user", ours)


def test_a_message_of_results_alone_is_the_tool_s() -> None:
    answer = {"functionResponse": {"id": "c", "name": "ls", "response": {"output": "a"}}}
    made = {"type": "tool_call_response", "id": "c", "response": "a", "name": "ls"}

    assert message({"role": "user", "parts": [answer]}) == Message("tool", [made])
    assert message({"role": "function", "parts": [answer]}) == Message("tool", [made])
    both = message({"role": "user", "parts": [answer, {"text": "go on"}]})
    assert (both.role, both.parts[0]) == ("user", made)


@pytest.mark.parametrize(
    ("sent", "ours"),
    [
        (
            {"text": "Hm", "thought": True, "thoughtSignature": "s"},
            {"type": "reasoning", "content": "Hm", "thoughtSignature": "s"},
        ),
        (
            {"text": "x", "thought_signature": "s"},
            {"type": "text", "content": "x", "thoughtSignature": "s"},
        ),
        (
            {"functionCall": {"name": "ls", "args": {"a": 1}}, "thoughtSignature": "s"},
            {
                "type": "tool_call",
                "id": "",
                "name": "ls",
                "arguments": {"a": 1},
                "thoughtSignature": "s",
            },
        ),
        (
            {"function_call": {"name": "ls", "id": "c"}},
            {"type": "tool_call", "id": "c", "name": "ls", "arguments": {}},
        ),
        (
            {"functionResponse": {"name": "ls", "response": {"output": "a", "more": 1}}},
            {
                "type": "tool_call_response",
                "id": "",
                "response": {"output": "a", "more": 1},
                "name": "ls",
            },
        ),
        (
            {"functionResponse": {"id": "c", "name": "ls", "response": {"error": "no"}}},
            {
                "type": "tool_call_response",
                "id": "c",
                "response": "no",
                "is_error": True,
                "name": "ls",
            },
        ),
        (
            {"inlineData": {"mimeType": "image/png", "data": "aGk="}},
            {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "aGk="},
        ),
        (
            {"inline_data": {"mime_type": "application/pdf", "data": "aGk="}},
            {
                "type": "blob",
                "modality": "document",
                "mime_type": "application/pdf",
                "content": "aGk=",
            },
        ),
        (
            {"fileData": {"mimeType": "video/mp4", "fileUri": "gs://x"}, "videoMetadata": {}},
            {
                "type": "uri",
                "modality": "video",
                "uri": "gs://x",
                "mime_type": "video/mp4",
                "videoMetadata": {},
            },
        ),
        (
            {"executableCode": {"language": "PYTHON", "code": "1"}},
            {
                "type": "server_tool_call",
                "id": "",
                "name": "code_execution",
                "server_tool_call": {
                    "type": "code_execution",
                    "arguments": {"language": "PYTHON", "code": "1"},
                },
            },
        ),
        (
            {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}},
            {
                "type": "server_tool_call_response",
                "id": "",
                "server_tool_call_response": {
                    "type": "code_execution_result",
                    "response": {"outcome": "OUTCOME_OK", "output": "1"},
                },
            },
        ),
        (
            {"toolCall": {"a": 1}, "thoughtSignature": "s"},
            {"type": "toolCall", "value": {"toolCall": {"a": 1}, "thoughtSignature": "s"}},
        ),
        ({"functionCall": 5}, {"type": "functionCall", "value": {"functionCall": 5}}),
        ({"text": 5}, {"type": "text", "value": {"text": 5}}),
        ({"inlineData": {}}, {"type": "inlineData", "value": {"inlineData": {}}}),
        ({}, {"type": "part", "value": {}}),
        (5, {"type": "part", "value": 5}),
    ],
)
def test_parts(sent: Any, ours: dict[str, Any]) -> None:
    assert part(sent) == ours


def test_names_may_be_in_snake_case() -> None:
    assert camel({"file_uri": 1, "mimeType": 2}) == {"fileUri": 1, "mimeType": 2}


def test_what_is_no_content() -> None:
    assert parts(None) == parts({}) == []
    assert parts(5) == [{"type": "content", "value": 5}]
    assert parts({"parts": 5}) == [{"type": "parts", "value": 5}]
    assert message({"role": "user", "extra": 1}).parts == [{"type": "extra", "value": 1}]
