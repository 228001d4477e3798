from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pytest

from traceproof.proxy.dialects.anthropic import AnthropicMessages
from traceproof.proxy.dialects.base import Dialect
from traceproof.proxy.dialects.gemini import CodeAssistGemini, Gemini
from traceproof.proxy.dialects.openai_chat import OpenAIChat
from traceproof.proxy.dialects.openai_responses import OpenAIResponses
from traceproof.proxy.notes import ReadRequest, RequestReader, as_text
from traceproof.recorder import semconv
from traceproof.recorder.agents.generic import Generic
from traceproof.recorder.calls import ToolResult
from traceproof.recorder.pieces import Content, Splitter
from traceproof.recorder.reader import TraceReader

if TYPE_CHECKING:
    from tests.proxy.conftest import Desk

ANTHROPIC, OPENAI = AnthropicMessages(), OpenAIChat()


class Reading:
    """One dialect's requests of one session."""

    def __init__(self, desk: Desk, dialect: Dialect) -> None:
        self._desk = desk
        self._splitter = Splitter([key for key in dialect.layout if key])
        self._reader = RequestReader(dialect, desk.writer, Generic().said_by_user)

    def read(self, *messages: Any, **more: Any) -> ReadRequest:
        return self.read_bytes(json.dumps({**more, "messages": messages}).encode())

    def read_bytes(self, body: bytes, before: Sequence[Content] = ()) -> ReadRequest:
        return self._reader.read(self._splitter.split(body), before)

    def stored(self, request: ReadRequest, name: str) -> Any:
        self._desk.writer.flush()
        with TraceReader.open(self._desk.writer.path) as reader:
            return json.loads(reader.resolve(str(request.attributes[semconv.REF + name])))


@pytest.fixture
def anthropic(desk: Desk) -> Reading:
    return Reading(desk, ANTHROPIC)


@pytest.fixture
def openai(desk: Desk) -> Reading:
    return Reading(desk, OPENAI)


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def test_a_request_is_its_parameters_and_its_conversation(anthropic: Reading) -> None:
    read = anthropic.read(
        user("Hello"),
        {"role": "assistant", "content": "Yes?"},
        user("Go on"),
        model="m-1",
        max_tokens=9,
        system=[{"type": "text", "text": "You are"}, {"type": "text", "text": "a test"}],
        tools=[{"name": "Bash", "description": "runs", "input_schema": {"type": "object"}}],
    )

    assert read.head == {"model": "m-1", "max_tokens": 9}
    assert read.attributes[semconv.REQUEST_MODEL] == "m-1"
    assert [(note.role, note.prompt) for note in read.notes] == [
        ("user", "Hello"),
        ("assistant", ""),
        ("user", "Go on"),
    ]
    assert (read.system, read.prompt, read.problem) == ("You are\na test", "Go on", "")
    messages = anthropic.stored(read, semconv.INPUT_MESSAGES)
    assert [part["parts"][0]["content"] for part in messages] == ["Hello", "Yes?", "Go on"]
    system = anthropic.stored(read, semconv.SYSTEM_INSTRUCTIONS)
    assert [part["content"] for part in system] == ["You are", "a test"]
    (tool,) = anthropic.stored(read, semconv.TOOL_DEFINITIONS)
    assert (tool["name"], tool["parameters"]) == ("Bash", {"type": "object"})


def test_a_message_met_before_is_the_same_note(anthropic: Reading) -> None:
    first = anthropic.read(user("Hello"))
    marked = user([{"type": "text", "text": "More", "cache_control": {"type": "ephemeral"}}])
    second = anthropic.read(user("Hello"), marked)
    third = anthropic.read(user("Hello"), user([{"type": "text", "text": "More"}]))

    assert second.notes[0] is first.notes[0]
    assert [note.sha256 for note in third.notes] == [note.sha256 for note in second.notes]


def test_the_results_of_tools_are_noted(anthropic: Reading) -> None:
    results = [
        {"type": "tool_result", "tool_use_id": "t1", "content": "out", "is_error": True},
        {"type": "tool_result", "tool_use_id": "t2", "content": [{"type": "text", "text": "two"}]},
    ]

    (note,) = anthropic.read(user(results)).notes

    assert note.results == [ToolResult("t1", "out", True), ToolResult("t2", "two", None)]
    assert note.prompt == ""


def test_the_text_of_a_message_can_be_read_while_it_is_at_hand(anthropic: Reading) -> None:
    request = anthropic.read(user("hello"))

    assert [note.read_text() for note in request.notes] == ["hello"]


def test_what_the_agent_adds_is_no_prompt(anthropic: Reading) -> None:
    content = [
        {"type": "text", "text": "<system-reminder>\nBe brief.\n</system-reminder>"},
        {"type": "text", "text": "Fix it"},
    ]

    (note,) = anthropic.read(user(content)).notes

    assert note.prompt == "Fix it"


def test_a_system_prompt_among_the_messages_is_told(openai: Reading) -> None:
    system = {"role": "system", "content": "You generate commit messages"}
    result = {"role": "tool", "tool_call_id": "c1", "content": "out"}

    read = openai.read(system, user("Hello"), result)

    assert read.system == "You generate commit messages"
    assert [note.role for note in read.notes] == ["system", "user", "tool"]
    assert read.notes[2].results == [ToolResult("c1", "out", None)]


@pytest.mark.parametrize("key", ["systemInstruction", "system_instruction"])
def test_contents_are_messages_and_a_tool_may_be_many(desk: Desk, key: str) -> None:
    gemini = Reading(desk, Gemini())
    contents = [
        {"role": "user", "parts": [{"text": "Hello"}]},
        {"role": "model", "parts": [{"functionCall": {"name": "ls", "args": {}}}]},
        {"role": "user", "parts": [{"functionResponse": {"name": "ls", "response": {"a": 1}}}]},
    ]
    tools = [{"functionDeclarations": [{"name": "ls"}, {"name": "cat"}]}, {"googleSearch": {}}]
    system = {"parts": [{"text": "You are a test"}]}
    body = json.dumps({"contents": contents, key: system, "tools": tools}).encode()

    read, again = gemini.read_bytes(body), gemini.read_bytes(body)

    assert (read.system, read.head) == ("You are a test", {})
    assert [tool["type"] for tool in gemini.stored(read, semconv.TOOL_DEFINITIONS)] == [
        "function",
        "function",
        "googleSearch",
    ]
    _, call, answer = gemini.stored(read, semconv.INPUT_MESSAGES)
    assert call["parts"][0]["id"] == answer["parts"][0]["id"] != ""
    assert read.notes[2].results == [ToolResult(call["parts"][0]["id"], '{"a":1}', None)]
    assert again.notes[2] is read.notes[2]


def test_a_conversation_may_stand_within_a_member(desk: Desk) -> None:
    inside = {
        "contents": [{"role": "user", "parts": [{"text": "Hello"}]}],
        "systemInstruction": {"parts": [{"text": "You are a test"}]},
        "tools": [{"functionDeclarations": [{"name": "ls"}]}],
    }
    reading = Reading(desk, CodeAssistGemini())

    read = reading.read_bytes(json.dumps({"model": "g", "request": inside}).encode())

    assert (read.prompt, read.system) == ("Hello", "You are a test")
    assert read.attributes[semconv.REQUEST_MODEL] == "g"
    assert reading.stored(read, semconv.TOOL_DEFINITIONS) == [{"type": "function", "name": "ls"}]


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"7", b"\xff\xfe", b'{"a":' * 5000])
def test_what_is_no_object_is_a_problem_and_no_more(anthropic: Reading, body: bytes) -> None:
    assert anthropic.read_bytes(body) == ReadRequest(
        {}, {}, [], problem="the request is not a JSON object"
    )


@pytest.mark.parametrize("messages", [7, None, "text", {"role": "user"}, [[], 3, None, {}]])
@pytest.mark.parametrize("dialect", [ANTHROPIC, OPENAI])
def test_an_odd_conversation_is_read_somehow(desk: Desk, dialect: Dialect, messages: Any) -> None:
    body = json.dumps({"messages": messages, "system": 5, "tools": {"a": [1]}}).encode()

    read = Reading(desk, dialect).read_bytes(body)

    assert read.problem == ""
    assert read.attributes is not None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("as it is", "as it is"),
        ([{"type": "text", "content": "a"}, {"type": "text", "content": "b"}], "a\nb"),
        ([{"type": "image"}], '[{"type":"image"}]'),
        ([], "[]"),
        (None, "null"),
        ({"a": 1}, '{"a":1}'),
    ],
)
def test_a_result_is_text(value: Any, text: str) -> None:
    assert as_text(value) == text


def test_half_an_emoji_does_not_keep_a_request_unread(anthropic: Reading) -> None:
    body = rb'{"model":"m","messages":[{"role":"user","content":"cut here \ud83d"}]}'

    request = anthropic.read_bytes(body)

    assert request.problem == ""
    assert request.attributes[semconv.REQUEST_MODEL] == "m"
    assert request.prompt == "cut here \N{REPLACEMENT CHARACTER}"


def test_what_the_provider_remembers_stands_before_what_is_new(desk: Desk) -> None:
    reading = Reading(desk, OpenAIResponses())
    call = {"type": "function_call", "call_id": "c1", "name": "ls", "arguments": "{}"}
    output = {"type": "function_call_output", "call_id": "c1", "output": "a.py"}
    before = [Content(json.dumps(item).encode()) for item in (user("Hello"), call)]

    read = reading.read_bytes(json.dumps({"input": [output]}).encode(), before)

    assert [note.role for note in read.notes] == ["user", "assistant", "tool"]
    assert [note.prompt for note in read.notes] == ["Hello", "", ""]
    assert read.notes[2].results == [ToolResult("c1", "a.py", None)]
    messages = reading.stored(read, semconv.INPUT_MESSAGES)
    assert [message["parts"][0]["type"] for message in messages] == [
        "text",
        "tool_call",
        "tool_call_response",
    ]


@pytest.mark.parametrize(
    ("item", "names"),
    [
        ({"tools": [{"type": "function", "name": "ls"}, {"type": "custom", "name": "py"}]}, 2),
        ({"tools": "none"}, 0),
        ({}, 0),
        ({"type": "message", "content": "additional_tools", "tools": [{"name": "ls"}]}, 0),
    ],
)
def test_a_message_may_bring_tools_along(desk: Desk, item: dict[str, Any], names: int) -> None:
    reading = Reading(desk, OpenAIResponses())
    brings = {"type": "additional_tools", "role": "developer", **item}
    body = json.dumps({"input": [brings, user("Hello")], "tools": [{"name": "own"}]}).encode()

    first, again = reading.read_bytes(body), reading.read_bytes(body)

    assert len(reading.stored(first, semconv.TOOL_DEFINITIONS)) == names + 1
    assert first.attributes == again.attributes
