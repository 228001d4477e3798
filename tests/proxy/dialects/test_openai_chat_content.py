from __future__ import annotations

from typing import Any

import pytest

from traceproof.proxy.dialects.openai_chat_content import arguments_of, beyond, message, said
from traceproof.recorder.messages import Message

CALL = {"id": "c1", "type": "function", "function": {"name": "ls", "arguments": '{"path": "/"}'}}


@pytest.mark.parametrize(
    ("role", "ours"),
    [
        ("system", "system"),
        ("developer", "system"),
        ("user", "user"),
        ("assistant", "assistant"),
        ("critic", "critic"),
    ],
)
def test_roles(role: str, ours: str) -> None:
    assert message({"role": role, "content": "hi"}) == Message(
        ours, [{"type": "text", "content": "hi"}]
    )


def test_an_assistant_s_calls() -> None:
    assert message({"role": "assistant", "content": None, "tool_calls": [CALL]}).parts == [
        {"type": "tool_call", "id": "c1", "name": "ls", "arguments": {"path": "/"}}
    ]


def test_calls_of_other_kinds() -> None:
    custom = {"id": "c2", "type": "custom", "custom": {"name": "patch", "input": '{"a": 1}'}}
    signed = {**CALL, "extra_content": {"google": {"thought_signature": "s"}}}
    legacy = {"name": "ls", "arguments": "{}"}

    assert said({"tool_calls": [custom]}) == [
        {"type": "tool_call", "id": "c2", "name": "patch", "arguments": '{"a": 1}'}
    ]
    assert said({"tool_calls": [signed]})[0]["extra_content"] == signed["extra_content"]
    assert said({"function_call": legacy}) == [
        {"type": "tool_call", "id": "", "name": "ls", "arguments": {}}
    ]


def test_arguments_are_decoded_where_they_are_json() -> None:
    assert arguments_of('{"a": 1}') == {"a": 1}
    assert arguments_of("") == {}
    assert arguments_of('{"a": ') == '{"a": '
    assert arguments_of({"already": "decoded"}) == {"already": "decoded"}


def test_tool_answers() -> None:
    assert message({"role": "tool", "tool_call_id": "c1", "content": "ok"}) == Message(
        "tool", [{"type": "tool_call_response", "id": "c1", "response": "ok"}]
    )
    listed = {"role": "tool", "tool_call_id": "c1", "content": [{"type": "text", "text": "ok"}]}
    assert message(listed).parts[0]["response"] == [{"type": "text", "content": "ok"}]
    assert message({"role": "function", "name": "ls", "content": "ok"}).parts == [
        {"type": "tool_call_response", "id": "", "response": "ok", "name": "ls"}
    ]
    assert message({"role": "tool", "tool_call_id": 5, "content": "ok"}).parts == [
        {"type": "tool_call_response", "id": "", "response": "ok", "tool_call_id": 5}
    ]


def test_thoughts_come_first_and_once() -> None:
    element = {"content": "So.", "reasoning_content": "Hm.", "reasoning": "Hm."}

    assert said(element) == [
        {"type": "reasoning", "content": "Hm."},
        {"type": "text", "content": "So."},
    ]
    assert said({"reasoning": {"effort": "low"}})[0]["type"] == "reasoning"
    assert said({"reasoning": ""}) == []


PARTS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"type": "text", "text": "hi"}, {"type": "text", "content": "hi"}),
    ({"type": "refusal", "refusal": "no"}, {"type": "refusal", "value": "no"}),
    (
        {"type": "image_url", "image_url": {"url": "https://x.example/a.png", "detail": "low"}},
        {
            "type": "uri",
            "modality": "image",
            "uri": "https://x.example/a.png",
            "detail": "low",
        },
    ),
    (
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}},
        {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "aGk="},
    ),
    (
        {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "wav"}},
        {"type": "blob", "modality": "audio", "mime_type": "audio/wav", "content": "aGk="},
    ),
    (
        {"type": "file", "file": {"file_id": "f1"}},
        {"type": "file", "modality": "document", "file_id": "f1"},
    ),
    (
        {
            "type": "file",
            "file": {"file_data": "data:application/pdf;base64,aGk=", "filename": "a.pdf"},
        },
        {
            "type": "blob",
            "modality": "document",
            "mime_type": "application/pdf",
            "content": "aGk=",
            "filename": "a.pdf",
        },
    ),
    ({"type": "video_url", "a": 1}, {"type": "video_url", "value": {"type": "video_url", "a": 1}}),
]


@pytest.mark.parametrize(("part", "expected"), PARTS)
def test_every_kind_of_content_part(part: dict[str, Any], expected: dict[str, Any]) -> None:
    marked = {**part, "cache_control": {"type": "ephemeral"}}

    assert message({"role": "user", "content": [marked]}).parts == [expected]


@pytest.mark.parametrize(
    ("element", "part"),
    [
        ({"content": 5}, {"type": "content", "value": 5}),
        ({"content": [5]}, {"type": "content", "value": 5}),
        ({"content": [{"text": "untyped"}]}, {"type": "content", "value": {"text": "untyped"}}),
        ({"refusal": "no"}, {"type": "refusal", "value": "no"}),
        ({"tool_calls": "odd"}, {"type": "tool_calls", "value": "odd"}),
        ({"tool_calls": [{"id": "c"}]}, {"type": "tool_call", "value": {"id": "c"}}),
        ({"function_call": "auto"}, {"type": "function_call", "value": "auto"}),
        ({"name": "alice"}, {"type": "name", "value": "alice"}),
    ],
)
def test_anything_else_is_kept_whole(element: dict[str, Any], part: dict[str, Any]) -> None:
    assert message({"role": "user", **element}).parts == [part]


def test_what_is_no_message_at_all() -> None:
    assert message("hi") == Message("user", [{"type": "message", "value": "hi"}])
    assert message({"role": ["x"]}) == Message("user", [{"type": "role", "value": ["x"]}])


def test_what_was_not_said_is_named_beyond() -> None:
    assert beyond({"role": "assistant", "content": "x", "audio": {"id": "a"}, "n": None}) == {
        "audio": {"id": "a"}
    }
