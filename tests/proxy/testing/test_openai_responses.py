from __future__ import annotations

import json
from typing import Any

import pytest

from traceproof.proxy.testing import (
    Cite,
    Custom,
    ErrorEvent,
    Redacted,
    Refuse,
    Say,
    ServerTool,
    Think,
    Turn,
    Usage,
    Use,
)
from traceproof.proxy.testing.faults import Fault
from traceproof.proxy.testing.openai_responses import OpenAIResponses
from traceproof.proxy.testing.parts import AnyPart
from traceproof.proxy.testing.perform import perform
from traceproof.proxy.testing.request import Said
from traceproof.proxy.testing.wire import Reply

WIRE = OpenAIResponses()
TWO_CALLS = (Use("ls", {"path": "a"}), Use("cat", {"path": "b"}))


def reply(*parts: AnyPart, **more: Any) -> Reply:
    return Reply(Turn(list(parts), **more), 1, 0, "talk", "gpt-x")


def sent(reply: Reply, *faults: Fault) -> list[Any]:
    events = []
    for event in perform(WIRE, reply, faults, stream=True).chunks:
        name, data, *end = event.split(b"\n")
        events.append(json.loads(data.removeprefix(b"data: ")))
        assert (name.decode(), end) == (f"event: {events[-1]['type']}", [b"", b""])
    return events


def kinds(events: list[Any]) -> list[str]:
    return [event["type"].removeprefix("response.") for event in events]


def test_text_streams_as_an_item_with_a_part() -> None:
    events = sent(reply(Say("naïve ✓"), piece=4, usage=Usage(7, 3, 5, 2, 1)))

    assert kinds(events) == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    assert [event["sequence_number"] for event in events] == list(range(10))
    assert [event["delta"] for event in events[4:6]] == ["naïv", "e ✓"]
    assert {event["item_id"] for event in events[3:8]} == {events[2]["item"]["id"]}
    assert events[8]["item"]["content"][0]["text"] == events[6]["text"] == "naïve ✓"
    assert events[9]["response"]["output"] == [events[8]["item"]]
    assert events[9]["response"]["usage"] == {
        "input_tokens": 14,
        "input_tokens_details": {"cached_tokens": 5},
        "output_tokens": 3,
        "output_tokens_details": {"reasoning_tokens": 1},
        "total_tokens": 17,
    }


def test_calls_of_functions_and_of_tools_that_take_text() -> None:
    events = sent(reply(*TWO_CALLS, Custom("apply_patch", "*** Begin", "c9")))
    ls, cat, patch = (event["item"] for event in events if event["type"].endswith("item.done"))

    assert (ls["name"], json.loads(cat["arguments"])) == ("ls", {"path": "b"})
    assert ls["call_id"].startswith("call_s1t0p0")
    assert ls["call_id"] != cat["call_id"]
    assert (patch["type"], patch["call_id"], patch["input"]) == (
        "custom_tool_call",
        "c9",
        "*** Begin",
    )
    assert "function_call_arguments.delta" in kinds(events)
    assert "custom_tool_call_input.delta" in kinds(events)


def test_thoughts_are_summed_up_or_encrypted() -> None:
    events = sent(reply(Think("hm", "sig"), Redacted("blob")))
    thought, hidden = (event["item"] for event in events if event["type"].endswith("item.done"))

    assert thought["summary"] == [{"type": "summary_text", "text": "hm"}]
    assert thought["encrypted_content"] == "sig"
    assert (hidden["summary"], hidden["encrypted_content"]) == ([], "blob")
    assert "reasoning_summary_text.delta" in kinds(events)


def test_a_refusal_a_citation_and_a_search() -> None:
    search = ServerTool("web_search", {"query": "q"}, [])
    events = sent(reply(search, Cite("It is.", "https://example.org", "E", ""), Refuse("No.")))
    found, cited, refused = events[-1]["response"]["output"]

    assert found["action"] == {"type": "search", "query": "q"}
    assert cited["content"][0]["annotations"][0]["url"] == "https://example.org"
    assert refused["content"] == [{"type": "refusal", "refusal": "No."}]
    assert {"web_search_call.searching", "output_text.annotation.added", "refusal.delta"} <= {
        *kinds(events)
    }


def test_the_whole_answer_says_what_the_stream_says() -> None:
    for said in (reply(Say("so"), *TWO_CALLS), reply(Say("so"), stop="max_output_tokens")):
        assert json.loads(WIRE.whole(said)) == sent(said)[-1]["response"]


def test_a_stop_says_why_an_answer_is_incomplete() -> None:
    last = sent(reply(Say("so"), stop="max_output_tokens"))[-1]

    assert last["type"] == "response.incomplete"
    assert last["response"]["incomplete_details"] == {"reason": "max_output_tokens"}


def test_errors_have_the_shape_of_the_api() -> None:
    error = {
        "message": "Wait.",
        "type": "requests",
        "param": None,
        "code": "rate_limit_exceeded",
    }

    assert WIRE.error(429, None, "Wait.") == {"error": error}
    last = sent(reply(Say("so")), ErrorEvent(after=2, kind="server_error"))[-1]
    assert (last["type"], last["error"]["type"]) == ("error", "server_error")


def test_a_request_is_seen_with_its_calls_and_results() -> None:
    view = WIRE.view(
        {
            "model": "gpt-x",
            "stream": True,
            "instructions": "be good",
            "text": {"format": {"type": "json_schema"}},
            "tools": [{"type": "function", "name": "ls"}, {"type": "web_search"}],
            "input": [
                {
                    "type": "additional_tools",
                    "role": "developer",
                    "tools": [{"type": "namespace", "name": "f", "tools": [{"name": "exec"}]}],
                },
                {"role": "developer", "content": "be brief"},
                {"role": "user", "content": [{"type": "input_text", "text": "hi"}]},
                {"type": "reasoning", "summary": []},
                {
                    "type": "message",
                    "role": "assistant",
                    "content": [{"type": "output_text", "text": "so"}],
                },
                {"type": "function_call", "call_id": "c1"},
                {"type": "custom_tool_call", "call_id": "c2"},
                {"type": "function_call_output", "call_id": "c1", "output": "listing"},
                {
                    "type": "custom_tool_call_output",
                    "call_id": "c2",
                    "output": [{"type": "input_text", "text": "done"}],
                },
            ],
        }
    )

    assert (view.system, view.schema, view.stream) == ("be good\nbe brief", True, True)
    assert view.tools == ("ls", "web_search", "f", "f.exec")
    assert view.messages == [
        Said("user", "hi"),
        Said("assistant", "so", ("c1", "c2")),
        Said("tool", "", (), ("listing", "done")),
    ]


def test_a_request_that_continues_a_response_shows_the_turn_it_continues() -> None:
    output = {"type": "function_call_output", "call_id": "call_s1t2p0", "output": "x"}
    view = WIRE.view({"input": [output], "previous_response_id": "resp_s1t2pr"})

    assert view.messages == [
        Said("assistant", calls=("resp_s1t2pr", "call_s1t2p0")),
        Said("tool", results=("x",)),
    ]
    assert sent(reply(Say("x")))[0]["response"]["id"].startswith("resp_s1t0p")
    assert WIRE.view({"input": "hi"}).messages == [Said("user", "hi")]


@pytest.mark.parametrize("path", ["/v1/responses", "/backend-api/codex/responses"])
def test_only_asking_for_a_response_is_a_model_call(path: str) -> None:
    assert WIRE.matches("POST", path)
    assert not WIRE.matches("GET", path)
    assert not WIRE.matches("POST", f"{path}/compact")
    assert WIRE.other("GET", "/v1/models", b"") is None


def test_a_tool_in_a_namespace_is_called_with_both_names() -> None:
    called: list[AnyPart] = [Use("collaboration.spawn_agent", {}), Custom("functions.exec", "1")]
    items = sent(reply(*called))[-1]["response"]["output"]

    assert [(item["namespace"], item["name"]) for item in items] == [
        ("collaboration", "spawn_agent"),
        ("functions", "exec"),
    ]
