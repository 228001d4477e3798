from __future__ import annotations

from typing import Any

import pytest

from traceproof.proxy.dialects.openai_responses_content import item, message, parts
from traceproof.recorder.messages import Message


def test_text_alone_is_the_user_s() -> None:
    assert message("Hi") == Message("user", [{"type": "text", "content": "Hi"}])


@pytest.mark.parametrize(
    ("role", "ours"),
    [("user", "user"), ("assistant", "assistant"), ("developer", "system"), ("system", "system")],
)
def test_messages_with_and_without_their_type(role: str, ours: str) -> None:
    expected = Message(ours, [{"type": "text", "content": "Hi"}])

    assert message({"role": role, "content": "Hi"}) == expected
    content = [{"type": "input_text", "text": "Hi"}]
    assert message({"type": "message", "role": role, "content": content}) == expected


def test_what_a_message_says_of_itself_goes_with_its_first_part() -> None:
    content = [{"type": "output_text", "text": text, "annotations": []} for text in "ab"]
    said = {"type": "message", "id": "m", "role": "assistant", "phase": "final", "content": content}

    assert message({**said, "status": "completed"}).parts == [
        {"type": "text", "content": "a", "id": "m", "phase": "final"},
        {"type": "text", "content": "b"},
    ]
    noted = {**said, "internal_chat_message_metadata_passthrough": {"turn_id": "1"}}
    assert message(noted) == message(said)
    assert message({**said, "status": "incomplete", "content": []}).parts == [
        {"type": "id", "value": "m"},
        {"type": "phase", "value": "final"},
        {"type": "status", "value": "incomplete"},
    ]


@pytest.mark.parametrize(
    ("part", "ours"),
    [
        (
            {"type": "input_image", "image_url": "data:image/png;base64,aGk=", "detail": "low"},
            {
                "type": "blob",
                "modality": "image",
                "mime_type": "image/png",
                "content": "aGk=",
                "detail": "low",
            },
        ),
        (
            {"type": "input_image", "image_url": "https://x"},
            {"type": "uri", "modality": "image", "uri": "https://x"},
        ),
        (
            {"type": "input_image", "file_id": "f", "image_url": None},
            {"type": "file", "modality": "image", "file_id": "f"},
        ),
        (
            {"type": "input_file", "file_id": "f"},
            {"type": "file", "modality": "document", "file_id": "f"},
        ),
        (
            {"type": "input_file", "filename": "a", "file_data": "data:text/plain;base64,aGk="},
            {
                "type": "blob",
                "modality": "document",
                "mime_type": "text/plain",
                "content": "aGk=",
                "filename": "a",
            },
        ),
        (
            {"type": "input_file", "file_url": "https://x"},
            {"type": "uri", "modality": "document", "uri": "https://x"},
        ),
        (
            {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "wav"}},
            {"type": "blob", "modality": "audio", "mime_type": "audio/wav", "content": "aGk="},
        ),
        ({"type": "refusal", "refusal": "No."}, {"type": "refusal", "value": "No."}),
        ({"type": "novel", "a": 1}, {"type": "novel", "value": {"type": "novel", "a": 1}}),
        (5, {"type": "content", "value": 5}),
    ],
)
def test_parts_of_messages(part: Any, ours: dict[str, Any]) -> None:
    assert parts([part]) == [ours]


def test_thoughts_are_summed_up_or_told_or_encrypted() -> None:
    thought = {
        "type": "reasoning",
        "id": "rs",
        "summary": [{"type": "summary_text", "text": "short"}],
        "content": [{"type": "reasoning_text", "text": "long"}],
        "encrypted_content": "e",
    }

    assert message(thought) == Message(
        "assistant",
        [
            {"type": "reasoning", "content": "short", "kind": "summary"},
            {"type": "reasoning", "content": "long", "encrypted": "e", "id": "rs"},
        ],
    )
    bare: dict[str, Any] = {
        "type": "reasoning",
        "summary": [],
        "encrypted_content": "e",
        "content": None,
    }
    assert message(bare).parts == [{"type": "reasoning", "content": "", "encrypted": "e"}]
    assert message({"type": "reasoning", "summary": ["x"], "content": 5}).parts == [
        {"type": "reasoning_part", "value": "x", "content": 5}
    ]


@pytest.mark.parametrize(
    ("call", "ours"),
    [
        (
            {"type": "function_call", "call_id": "c", "name": "ls", "arguments": '{"a":1}'},
            {"name": "ls", "arguments": {"a": 1}},
        ),
        (
            {"type": "function_call", "call_id": "c", "name": "ls", "arguments": "", "id": "fc"},
            {"name": "ls", "arguments": {}, "extra": {"id": "fc"}},
        ),
        (
            {"type": "custom_tool_call", "call_id": "c", "name": "apply_patch", "input": "***"},
            {
                "name": "apply_patch",
                "arguments": "***",
                "extra": {"type": "custom_tool_call"},
            },
        ),
        (
            {"type": "local_shell_call", "call_id": "c", "action": {"command": ["ls"]}},
            {
                "name": "local_shell",
                "arguments": {"command": ["ls"]},
                "extra": {"type": "local_shell_call"},
            },
        ),
        (
            {"type": "novel_call", "call_id": "c", "name": "x", "action": 1, "namespace": "n"},
            {
                "name": "x",
                "arguments": 1,
                "namespace": "n",
                "extra": {"type": "novel_call"},
            },
        ),
    ],
)
def test_calls_of_the_agent_s_tools(call: dict[str, Any], ours: dict[str, Any]) -> None:
    expected = Message("assistant", [{"type": "tool_call", "id": "c", **ours}])

    assert message({**call, "status": "completed"}) == expected


@pytest.mark.parametrize(
    ("output", "response"),
    [
        ("out", "out"),
        ([{"type": "input_text", "text": "out"}], [{"type": "text", "content": "out"}]),
        ([{"stdout": "out"}], [{"stdout": "out"}]),
        (None, None),
    ],
)
def test_results_of_tools(output: Any, response: Any) -> None:
    sent = {"type": "function_call_output", "call_id": "c", "output": output}
    made = {"type": "tool_call_response", "id": "c", "response": response}

    assert message(sent) == Message("tool", [made])
    by_id = {"type": "local_shell_call_output", "id": "c", "output": output}
    assert message(by_id).parts == [{**made, "extra": {"type": "local_shell_call_output"}}]


def test_calls_that_the_provider_carried_out() -> None:
    search = {"type": "web_search_call", "id": "ws", "action": {"query": "q"}}
    remote = {"type": "mcp_call", "id": "m", "name": "read", "arguments": "{}", "output": "out"}

    assert message({**search, "status": "completed"}) == Message(
        "assistant",
        [
            {
                "type": "server_tool_call",
                "id": "ws",
                "name": "web_search",
                "server_tool_call": {"type": "web_search", "arguments": {"query": "q"}},
            }
        ],
    )
    call, answer = item({**remote, "server_label": "s"})
    assert call["server_tool_call"] == {"type": "read", "arguments": {}}
    assert call["server_label"] == "s"
    assert answer["server_tool_call_response"] == {"type": "mcp_call", "response": "out"}


@pytest.mark.parametrize(
    ("sent", "role"),
    [
        ({"type": "item_reference", "id": "m"}, "user"),
        ({"type": "additional_tools", "role": "developer", "tools": []}, "system"),
        ({"type": "compaction", "encrypted_content": "e"}, "assistant"),
        ({"type": "mcp_list_tools", "id": "m", "tools": []}, "assistant"),
        ({"type": "function_call", "name": "no id"}, "assistant"),
        ({"type": "web_search_call"}, "assistant"),
        ({"type": "function_call_output", "output": "no id"}, "tool"),
    ],
)
def test_other_items_are_kept_whole(sent: dict[str, Any], role: str) -> None:
    made = message(sent)

    assert made.role == role
    value = {key: value for key, value in sent.items() if key != "type"}
    assert made.parts == [{"type": sent["type"], "value": value}]


def test_what_is_no_item() -> None:
    assert message(5) == Message("user", [{"type": "item", "value": 5}])
    assert message({"a": 1}) == Message("user", [{"type": "item", "value": {"a": 1}}])
    assert parts(None) == []
    assert parts({"a": 1}) == [{"type": "content", "value": {"a": 1}}]
