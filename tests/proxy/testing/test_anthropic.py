from __future__ import annotations

import json
from typing import Any

from traceproof.proxy.testing import (
    Cite,
    Redacted,
    Refuse,
    Say,
    ServerTool,
    Think,
    Turn,
    Usage,
    Use,
)
from traceproof.proxy.testing.anthropic import Anthropic
from traceproof.proxy.testing.parts import AnyPart
from traceproof.proxy.testing.wire import Reply

WIRE = Anthropic()


def reply(*parts: AnyPart, **more: Any) -> Reply:
    return Reply(Turn(list(parts), **more), 0, 3, "talk", "claude-x")


def sent(reply: Reply) -> list[Any]:
    """Return the data of every event, once each is seen to be named after its type."""
    events = []
    for event in WIRE.events(reply):
        name, data, *rest = event.decode().split("\n")
        value = json.loads(data.removeprefix("data: "))
        assert name == f"event: {value['type']}"
        assert rest == ["", ""]
        events.append(value)
    return events


def deltas(events: list[Any]) -> list[dict[str, Any]]:
    return [event["delta"] for event in events if event["type"] == "content_block_delta"]


def test_text_streams_as_a_message() -> None:
    events = sent(reply(Say("naïve ✓"), piece=4, usage=Usage(7, 3, 5, 2)))

    assert [event["type"] for event in events] == [
        "message_start",
        "content_block_start",
        "ping",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert events[0]["message"]["model"] == "claude-x"
    assert events[0]["message"]["content"] == []
    assert [delta["text"] for delta in deltas(events)] == ["naïv", "e ✓"]
    assert events[-2] == {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None},
        "usage": {
            "input_tokens": 7,
            "cache_creation_input_tokens": 2,
            "cache_read_input_tokens": 5,
            "output_tokens": 3,
        },
    }


def test_a_tool_call_streams_its_json_in_pieces() -> None:
    events = sent(reply(Use("Bash", {"command": "ls"}), piece=5))
    start = events[1]["content_block"]

    assert (start["type"], start["name"], start["input"]) == ("tool_use", "Bash", {})
    assert start["id"].startswith("toolu_s0t3p0")
    pieces = [delta["partial_json"] for delta in deltas(events)]
    assert pieces == ["", '{"com', 'mand"', ':"ls"', "}"]
    assert events[-2]["delta"]["stop_reason"] == "tool_use"


def test_thinking_ends_with_its_signature_and_may_be_redacted() -> None:
    events = sent(reply(Think("hm", signature="c2ln"), Redacted("ZW5j"), Say("so")))

    assert deltas(events)[:2] == [
        {"type": "thinking_delta", "thinking": "hm"},
        {"type": "signature_delta", "signature": "c2ln"},
    ]
    assert events[6]["content_block"] == {"type": "redacted_thinking", "data": "ZW5j"}


def test_a_server_tool_is_called_and_answered_in_one_message() -> None:
    found = [{"type": "web_search_result", "url": "https://example.org", "title": "E"}]
    events = sent(reply(ServerTool("web_search", {"query": "q"}, found)))
    blocks = [event["content_block"] for event in events if "content_block" in event]

    assert [block["type"] for block in blocks] == ["server_tool_use", "web_search_tool_result"]
    assert blocks[1] == {
        "type": "web_search_tool_result",
        "tool_use_id": blocks[0]["id"],
        "content": found,
    }
    assert events[-2]["usage"]["server_tool_use"] == {"web_search_requests": 1}


def test_cited_text_carries_its_source() -> None:
    events = sent(reply(Cite("It is.", "https://example.org", "E", "it is so")))
    citation, text = deltas(events)

    assert citation["type"] == "citations_delta"
    assert citation["citation"]["cited_text"] == "it is so"
    assert text == {"type": "text_delta", "text": "It is."}


def test_the_whole_answer_says_what_the_stream_says() -> None:
    said = reply(Think("hm"), Say("so"), Use("Bash", {"command": "ls"}, id="toolu_x"))
    whole = json.loads(WIRE.whole(said))

    assert whole["content"] == [
        {"type": "thinking", "thinking": "hm", "signature": "c2lnbmF0dXJl"},
        {"type": "text", "text": "so"},
        {"type": "tool_use", "id": "toolu_x", "name": "Bash", "input": {"command": "ls"}},
    ]
    assert whole["stop_reason"] == "tool_use"
    assert whole["id"] == sent(said)[0]["message"]["id"]
    assert whole["usage"] == sent(said)[-2]["usage"]


def test_a_refusal_is_a_stop_reason() -> None:
    assert json.loads(WIRE.whole(reply(Refuse("No."))))["stop_reason"] == "refusal"


def test_a_scripted_stop_reason_wins() -> None:
    assert sent(reply(Say("…"), stop="max_tokens"))[-2]["delta"]["stop_reason"] == "max_tokens"


def test_errors_have_the_types_of_the_api() -> None:
    assert WIRE.error(529, None, None)["error"] == {
        "type": "overloaded_error",
        "message": "Overloaded",
    }
    assert WIRE.error(401, None, None)["error"]["type"] == "authentication_error"
    assert WIRE.error(418, "teapot", "Short")["error"] == {"type": "teapot", "message": "Short"}


def test_a_request_is_seen_with_its_calls_and_results() -> None:
    view = WIRE.view(
        {
            "model": "claude-x",
            "system": [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}],
            "tools": [{"name": "Bash"}],
            "output_config": {"format": {"type": "json_schema"}},
            "messages": [
                {"role": "user", "content": "hi"},
                {"role": "assistant", "content": [{"type": "tool_use", "id": "t1"}]},
                {
                    "role": "user",
                    "content": [
                        {"type": "tool_result", "tool_use_id": "t1", "content": "plain"},
                        {"type": "tool_result", "content": [{"type": "text", "text": "block"}]},
                        {"type": "text", "text": "more"},
                    ],
                },
            ],
        }
    )

    assert (view.system, view.tools, view.stream, view.schema) == (
        "one\ntwo",
        ("Bash",),
        False,
        True,
    )
    assert view.messages[1].calls == ("t1",)
    assert view.messages[2].results == ("plain", "block")
    assert view.messages[2].text == "more"


def test_tokens_are_counted() -> None:
    path = "/v1/messages/count_tokens"

    assert WIRE.other("POST", path, b"x" * 40) == {"input_tokens": 11}
    assert WIRE.other("GET", path, b"") is None
    assert not WIRE.matches("POST", path)
    assert WIRE.matches("POST", "/v1/messages")
