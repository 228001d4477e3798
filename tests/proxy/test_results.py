from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from traceproof.proxy.dialects.base import ChatResponse, ModelError, Usage
from traceproof.proxy.results import call_result, failure, in_text, tool_requests
from traceproof.recorder import messages, semconv
from traceproof.recorder.agents.intext import AIDER
from traceproof.recorder.calls import CallRequest, ToolRequest
from traceproof.recorder.messages import Message
from traceproof.recorder.reader import TraceReader

if TYPE_CHECKING:
    from tests.proxy.conftest import Desk

LS = messages.tool_call("t1", "Bash", {"command": "ls"})
ODD = messages.tool_call("t2", "Bash", '{"command": "l')


@pytest.mark.parametrize(
    ("fields", "complete", "told"),
    [
        ({}, True, ("complete", "", "")),
        ({}, False, ("cut", "stream_cut", "the answer ended before its end marker")),
        ({"error": "reset"}, False, ("cut", "stream_cut", "reset")),
        ({"status": 429}, True, ("refused", "429", "HTTP status 429")),
        ({"response_started": 0, "error": "gone"}, True, ("failed", "no_response", "gone")),
    ],
)
def test_how_a_call_ended(
    desk: Desk, fields: dict[str, object], told: tuple[str, str, str], *, complete: bool
) -> None:
    assert failure(desk.exchange(b"", [b"x"], **fields), complete=complete) == told


def test_a_call_without_a_response_says_so_where_nothing_else_is_known(desk: Desk) -> None:
    state, kind, message = failure(desk.exchange(b"", [], response_started=0), complete=True)

    assert (state, kind) == ("failed", "no_response")
    assert message == "the call ended without a response"


def test_the_providers_own_error_comes_first(desk: Desk) -> None:
    error = ModelError("overloaded_error", "Overloaded")

    refused = call_result(
        desk.exchange(b"", [], status=529), ChatResponse(error=error), desk.writer
    )
    in_band = call_result(desk.exchange(b"", []), ChatResponse(error=error), desk.writer)

    assert (refused.state, in_band.state) == ("refused", "cut")
    for result in (refused, in_band):
        assert (result.error_type, result.error_message) == ("overloaded_error", "Overloaded")


def test_without_a_response_only_the_end_is_known(desk: Desk) -> None:
    result = call_result(desk.exchange(b"", [b"x"]), None, desk.writer)

    assert (result.state, result.attributes, result.tools) == ("complete", {}, [])
    assert result.ended == 2 * 10**9


def test_tool_calls_are_handed_on_with_what_they_ask(desk: Desk) -> None:
    message = Message("assistant", [messages.text("Look:"), LS, ODD])

    result = call_result(desk.exchange(b"", []), ChatResponse(messages=[message]), desk.writer)

    expected = [
        ToolRequest("t1", "Bash", '{"command":"ls"}'),
        ToolRequest("t2", "Bash", '{"command": "l'),
    ]
    assert result.tools == tool_requests(message) == expected


def test_commands_in_the_text_are_calls_with_ids_of_their_own() -> None:
    said = Message("assistant", [messages.text("So:\n```bash\nls\n```\n```bash\npwd\n```")])
    response = ChatResponse(messages=[said])

    first, second = in_text(AIDER, response, CallRequest(0, "m", {}, []))

    assert (first.name, first.arguments, first.exact) == ("bash", '{"command":"ls"}', False)
    assert second.arguments == '{"command":"pwd"}'
    assert first.call_id != second.call_id
    assert first.in_text is not None
    assert first.in_text("Output from ls\na\n")
    assert in_text(AIDER, response, CallRequest(0, "m", {}, [], purpose="summary")) == []


def test_attributes_say_what_is_known_and_nothing_else(desk: Desk) -> None:
    response = ChatResponse(
        id="msg_1",
        usage=Usage(input=7, output=0, cache_read=None),
        extra={"speed": "standard"},
        unknown=[{"type": "novelty"}],
        problems=["one", "two"],
    )

    result = call_result(desk.exchange(b"", []), response, desk.writer)

    assert result.attributes == {
        semconv.INPUT_TOKENS: 7,
        semconv.OUTPUT_TOKENS: 0,
        semconv.RESPONSE_ID: "msg_1",
        semconv.RESPONSE_EXTRA: '{"speed":"standard"}',
        semconv.RESPONSE_UNKNOWN: '[{"type":"novelty"}]',
        semconv.CALL_PROBLEM: "one; two",
    }


def test_an_answer_is_stored_as_the_next_request_sends_it_back(desk: Desk) -> None:
    message = Message("assistant", [messages.text("Hi"), LS])
    other = Message("assistant", [messages.text("Hello")])
    response = ChatResponse(messages=[message, other], finish_reasons=["tool_call", ""])

    result = call_result(desk.exchange(b"", []), response, desk.writer)
    sent_back = desk.writer.element(messages.encode(message))
    desk.kept()

    ref = str(result.attributes[semconv.REF + semconv.OUTPUT_MESSAGES])
    with TraceReader.open(desk.writer.path) as reader:
        first, second = json.loads(reader.resolve(ref))
        assert first.pop("finish_reason") == "tool_call"
        assert first == json.loads(reader.blob(sent_back))
        assert second == {"role": "assistant", "parts": [{"type": "text", "content": "Hello"}]}
