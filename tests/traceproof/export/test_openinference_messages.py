from __future__ import annotations

import json
from typing import Any

from traceproof.export import openinference_messages
from traceproof.recorder import messages, semconv
from traceproof.recorder.span import Attributes


def said(*asked: tuple[str, list[dict[str, Any]]], **more: Any) -> dict[str, Any]:
    listed = [{"role": role, "parts": parts} for role, parts in asked]
    attributes: Attributes = {semconv.INPUT_MESSAGES: json.dumps(listed)}
    attributes |= {getattr(semconv, name): json.dumps(value) for name, value in more.items()}
    return openinference_messages.attributes_of(attributes)


def test_a_text_is_a_message_and_the_system_prompt_the_first() -> None:
    found = said(
        ("user", [messages.text("Hello.")]), SYSTEM_INSTRUCTIONS=[messages.text("Be brief.")]
    )

    assert found == {
        "llm.input_messages.0.message.role": "system",
        "llm.input_messages.0.message.content": "Be brief.",
        "llm.input_messages.1.message.role": "user",
        "llm.input_messages.1.message.content": "Hello.",
        "input.value": "Hello.",
        "input.mime_type": "text/plain",
    }


def test_thinking_text_and_tool_calls_stand_in_one_message() -> None:
    found = said(
        (
            "assistant",
            [
                messages.reasoning("Hm."),
                messages.text("I look."),
                messages.tool_call("t1", "Bash", {"command": "ls"}),
                messages.tool_call("t2", "Read", None),
            ],
        )
    )

    start = "llm.input_messages.0.message."
    assert {name.removeprefix(start): v for name, v in found.items() if name.startswith(start)} == {
        "role": "assistant",
        "contents.0.message_content.type": "reasoning",
        "contents.0.message_content.text": "Hm.",
        "contents.1.message_content.type": "text",
        "contents.1.message_content.text": "I look.",
        "tool_calls.0.tool_call.id": "t1",
        "tool_calls.0.tool_call.function.name": "Bash",
        "tool_calls.0.tool_call.function.arguments": '{"command":"ls"}',
        "tool_calls.1.tool_call.id": "t2",
        "tool_calls.1.tool_call.function.name": "Read",
        "tool_calls.1.tool_call.function.arguments": "{}",
    }


def test_each_of_several_results_is_a_message_and_what_was_said_with_them_too() -> None:
    results = [
        messages.tool_call_response(name, said) for name, said in (("t1", "a"), ("t2", ["b"]))
    ]

    found = said(("user", [*results, messages.text("Go on.")]))

    contents = [
        (
            found[f"llm.input_messages.{n}.message.role"],
            found[f"llm.input_messages.{n}.message.content"],
        )
        for n in range(3)
    ]
    assert contents == [("tool", "a"), ("tool", '["b"]'), ("user", "Go on.")]
    assert found["llm.input_messages.1.message.tool_call_id"] == "t2"
    assert found["input.value"] == 'Go on.\na\n["b"]'


def test_images_are_addresses_and_what_has_no_form_is_json() -> None:
    found = said(
        (
            "user",
            [
                messages.blob("image", "image/png", "QUJD"),
                messages.uri("image", "https://example.org/a.png"),
                messages.generic("odd", 1),
            ],
        )
    )

    start = "llm.input_messages.0.message.contents."
    assert found[f"{start}0.message_content.image.image.url"] == "data:image/png;base64,QUJD"
    assert found[f"{start}1.message_content.image.image.url"] == "https://example.org/a.png"
    assert found[f"{start}2.message_content.text"] == '{"type":"odd","value":1}'


def test_tools_are_given_as_schemas() -> None:
    tool = {"type": "function", "name": "Bash", "description": "Run.", "parameters": {"a": 1}}

    found = said(TOOL_DEFINITIONS=[tool])

    assert json.loads(found["llm.tools.0.tool.json_schema"]) == {
        "type": "function",
        "function": {"name": "Bash", "description": "Run.", "parameters": {"a": 1}},
    }


def test_an_answer_that_only_calls_tools_is_told_by_its_calls() -> None:
    answer = [{"role": "assistant", "parts": [messages.tool_call("t1", "Bash", {})]}]

    found = said(OUTPUT_MESSAGES=answer)

    assert json.loads(found["output.value"])[0]["name"] == "Bash"
    assert found["output.mime_type"] == "application/json"


def test_what_is_no_list_of_messages_says_nothing() -> None:
    broken = {semconv.INPUT_MESSAGES: "[", semconv.TOOL_DEFINITIONS: '{"a":1}'}

    assert openinference_messages.attributes_of(dict(broken)) == {}


def test_a_long_conversation_is_told_to_its_end() -> None:
    found = said(*[("user", [messages.text(str(n))]) for n in range(3000)])

    assert found["llm.input_messages.2999.message.content"] == "2999"
