from __future__ import annotations

import json
from typing import Any

from traceproof.proxy.testing import Cite, Redacted, Refuse, Say, Think, Turn, Usage, Use
from traceproof.proxy.testing.openai_chat import OpenAIChat
from traceproof.proxy.testing.parts import AnyPart
from traceproof.proxy.testing.wire import Reply

WIRE = OpenAIChat()
TWO_CALLS = (Use("ls", {"path": "a"}), Use("cat", {"path": "b"}))


def reply(*parts: AnyPart, choices: int = 1, include_usage: bool = True, **more: Any) -> Reply:
    return Reply(Turn(list(parts), **more), 1, 0, "talk", "gpt-x", choices, include_usage)


def sent(reply: Reply) -> list[Any]:
    *chunks, done = WIRE.events(reply)
    assert done == b"data: [DONE]\n\n"
    return [json.loads(chunk.removeprefix(b"data: ")) for chunk in chunks]


def deltas(chunks: list[Any]) -> list[dict[str, Any]]:
    return [chunk["choices"][0]["delta"] for chunk in chunks if chunk["choices"]]


def test_text_streams_as_chunks_and_ends_with_usage() -> None:
    chunks = sent(reply(Say("naïve ✓"), piece=4, usage=Usage(7, 3, 5, 2)))

    assert deltas(chunks) == [
        {"role": "assistant", "content": "", "refusal": None},
        {"content": "naïv"},
        {"content": "e ✓"},
        {},
    ]
    assert chunks[3]["choices"][0]["finish_reason"] == "stop"
    assert chunks[3]["usage"] is None
    assert chunks[4]["choices"] == []
    assert chunks[4]["usage"] == {
        "prompt_tokens": 14,
        "completion_tokens": 3,
        "total_tokens": 17,
        "prompt_tokens_details": {"cached_tokens": 5},
        "completion_tokens_details": {"reasoning_tokens": 0},
    }


def test_usage_is_sent_only_if_asked_for() -> None:
    assert all("usage" not in chunk for chunk in sent(reply(Say("x"), include_usage=False)))


def test_parallel_tool_calls_are_told_apart_by_index() -> None:
    chunks = sent(reply(*TWO_CALLS, piece=8))
    calls = [delta["tool_calls"][0] for delta in deltas(chunks) if "tool_calls" in delta]

    assert [call["index"] for call in calls] == [0, 0, 0, 1, 1, 1]
    assert [call["function"]["name"] for call in calls if "id" in call] == ["ls", "cat"]
    assert calls[0]["id"] != calls[3]["id"]
    second = "".join(call["function"]["arguments"] for call in calls if call["index"] == 1)
    assert json.loads(second) == {"path": "b"}
    assert chunks[-2]["choices"][0]["finish_reason"] == "tool_calls"


def test_several_choices_come_interleaved() -> None:
    chunks = sent(reply(*TWO_CALLS, choices=2))
    order = [chunk["choices"][0]["index"] for chunk in chunks[:-1]]
    ids = {
        call["id"]
        for delta in deltas(chunks)
        for call in delta.get("tool_calls", [])
        if "id" in call
    }

    assert order == [0, 1] * (len(order) // 2)
    assert len(ids) == 4


def test_a_refusal_and_thinking_have_their_own_fields() -> None:
    chunks = deltas(sent(reply(Think("hm"), Refuse("No."), Redacted("x"))))

    assert chunks[1:3] == [{"reasoning_content": "hm"}, {"refusal": "No."}]


def test_cited_text_is_annotated() -> None:
    cited = Cite("It is.", "https://example.org", "E", "it is so")
    where = {"url": cited.url, "title": "E", "start_index": 0, "end_index": 6}

    assert deltas(sent(reply(cited)))[2] == {
        "annotations": [{"type": "url_citation", "url_citation": where}]
    }


def test_the_whole_answer_says_what_the_stream_says() -> None:
    said = reply(Think("hm"), Say("so"), *TWO_CALLS, choices=2)
    whole = json.loads(WIRE.whole(said))
    message = whole["choices"][0]["message"]

    assert message["content"] == "so"
    assert message["reasoning_content"] == "hm"
    assert [call["function"]["name"] for call in message["tool_calls"]] == ["ls", "cat"]
    assert [choice["index"] for choice in whole["choices"]] == [0, 1]
    assert whole["id"] == sent(said)[0]["id"]
    assert whole["usage"] == sent(said)[-1]["usage"]


def test_an_answer_of_tool_calls_alone_has_no_content() -> None:
    message = json.loads(WIRE.whole(reply(*TWO_CALLS)))["choices"][0]["message"]

    assert message["content"] is None
    assert message["refusal"] is None


def test_errors_have_the_shape_of_the_api() -> None:
    assert WIRE.error(429, None, "Wait.") == {
        "error": {
            "message": "Wait.",
            "type": "requests",
            "param": None,
            "code": "rate_limit_exceeded",
        }
    }


def test_a_request_is_seen_with_its_calls_and_results() -> None:
    view = WIRE.view(
        {
            "model": "gpt-x",
            "stream": True,
            "n": 2,
            "stream_options": {"include_usage": True},
            "response_format": {"type": "json_schema"},
            "tools": [{"type": "function", "function": {"name": "ls"}}],
            "messages": [
                {"role": "system", "content": "be brief"},
                {"role": "user", "content": [{"type": "text", "text": "hi"}]},
                {"role": "assistant", "content": None, "tool_calls": [{"id": "c1"}]},
                {"role": "tool", "tool_call_id": "c1", "content": "listing"},
            ],
        }
    )

    assert (view.system, view.choices, view.include_usage, view.schema) == (
        "be brief",
        2,
        True,
        True,
    )
    assert [said.role for said in view.messages] == ["user", "assistant", "tool"]
    assert view.messages[1].calls == ("c1",)
    assert view.messages[2].results == ("listing",)


def test_only_chat_completions_are_model_calls() -> None:
    assert WIRE.matches("POST", "/v1/chat/completions")
    assert not WIRE.matches("GET", "/v1/models")
    assert WIRE.other("GET", "/v1/models", b"") is None
