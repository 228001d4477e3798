from __future__ import annotations

import json
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from traceproof.proxy.dialects.anthropic import AnthropicMessages
from traceproof.proxy.dialects.anthropic_stream import MessageAssembler
from traceproof.proxy.dialects.base import ChatResponse, ModelError, StreamEvent, Usage
from traceproof.proxy.dialects.stream import texts_of
from traceproof.recorder.messages import Message

DIALECT = AnthropicMessages()


def sse(*events: dict[str, Any], ascii_only: bool = False) -> bytes:
    return b"".join(
        f"event: {event['type']}\ndata: {json.dumps(event, ensure_ascii=ascii_only)}\n\n".encode()
        for event in events
    )


def read(*pieces: bytes) -> tuple[list[StreamEvent], ChatResponse]:
    parser = DIALECT.stream()
    events = [event for piece in pieces for event in parser.feed(piece)]
    events += parser.finish()
    return events, parser.close()


def cut(data: bytes, places: Sequence[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


def start(**more: Any) -> dict[str, Any]:
    usage = {"input_tokens": 3, "cache_read_input_tokens": 40, "output_tokens": 1}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-x"}
    return {
        "type": "message_start",
        "message": {**message, "content": [], "stop_reason": None, "usage": usage, **more},
    }


def block(index: int, **content: Any) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": content}


def delta(index: int, kind: str, **more: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **more}}


def stop(index: int) -> dict[str, Any]:
    return {"type": "content_block_stop", "index": index}


def end(reason: str = "end_turn", **usage: int) -> dict[str, Any]:
    made = {"stop_reason": reason, "stop_sequence": None}
    return {"type": "message_delta", "delta": made, "usage": {"output_tokens": 9, **usage}}


STOP = {"type": "message_stop"}
PING = {"type": "ping"}
TEXT = (block(0, type="text", text=""), delta(0, "text_delta", text="Hi"))


def test_an_answer_with_thought_text_and_a_call() -> None:
    _, made = read(
        sse(
            start(),
            block(0, type="thinking", thinking="", signature=""),
            PING,
            delta(0, "thinking_delta", thinking="I "),
            delta(0, "thinking_delta", thinking="see."),
            delta(0, "signature_delta", signature="c2ln"),
            stop(0),
            block(1, type="text", text=""),
            delta(1, "text_delta", text="Looking: "),
            delta(1, "text_delta", text="grüße 🎈"),
            stop(1),
            block(2, type="tool_use", id="toolu_1", name="Bash", input={}),
            delta(2, "input_json_delta", partial_json=""),
            delta(2, "input_json_delta", partial_json='{"comm'),
            delta(2, "input_json_delta", partial_json='and": "ls"}'),
            stop(2),
            end("tool_use"),
            STOP,
        )
    )

    assert made == ChatResponse(
        id="msg_1",
        model="claude-x",
        messages=[
            Message(
                "assistant",
                [
                    {"type": "reasoning", "content": "I see.", "signature": "c2ln"},
                    {"type": "text", "content": "Looking: grüße 🎈"},
                    {
                        "type": "tool_call",
                        "id": "toolu_1",
                        "name": "Bash",
                        "arguments": {"command": "ls"},
                    },
                ],
            )
        ],
        finish_reasons=["tool_call"],
        usage=Usage(input=43, output=9, cache_read=40),
        extra={"pings": 1},
    )


def test_each_delta_names_the_channel_that_it_adds_to() -> None:
    events, _ = read(
        sse(
            start(),
            block(0, type="text", text="One "),
            delta(0, "text_delta", text="two"),
            block(1, type="tool_use", id="t", name="n", input={}),
            delta(1, "input_json_delta", partial_json="{}"),
            delta(0, "thinking_delta", thinking="hm"),
            STOP,
        )
    )

    assert [(event.channel, event.text) for event in events] == [
        (None, ""),
        ("0:text", "One "),
        ("0:text", "two"),
        (None, ""),
        ("1:input_json", "{}"),
        ("0:thinking", "hm"),
        (None, ""),
    ]
    assert [event.name for event in events][:2] == ["message_start", "content_block_start"]


def test_citations_server_tools_and_compaction() -> None:
    _, made = read(
        sse(
            start(),
            block(0, type="server_tool_use", id="s", name="web_search", input={}),
            delta(0, "input_json_delta", partial_json='{"query": "q"}'),
            stop(0),
            block(1, type="web_search_tool_result", tool_use_id="s", content=[{"url": "u"}]),
            stop(1),
            block(2, type="text", text="", citations=[]),
            delta(2, "citations_delta", citation={"url": "u", "cited_text": "c"}),
            delta(2, "text_delta", text="So."),
            stop(2),
            block(3, type="compaction", content=None),
            delta(3, "compaction_delta", content="summary"),
            stop(3),
            end(input_tokens=50),
            STOP,
        )
    )

    assert made.problems == []
    assert made.usage.input == 90
    assert [part["type"] for part in made.messages[0].parts] == [
        "server_tool_call",
        "server_tool_call_response",
        "text",
        "compaction",
    ]
    assert made.messages[0].parts[2]["citations"] == [{"url": "u", "cited_text": "c"}]
    assert made.messages[0].parts[3]["value"] == {"type": "compaction", "content": "summary"}


def test_arguments_that_are_not_json_are_kept_as_text() -> None:
    call = block(0, type="tool_use", id="t", name="Edit", input={})
    bad = delta(0, "input_json_delta", partial_json='{"a": NaN}')
    _, made = read(sse(start(), call, bad, stop(0), end("tool_use"), STOP))

    assert made.complete
    assert made.messages[0].parts[0]["arguments"] == '{"a": NaN}'
    assert made.problems == ["the arguments of 'Edit' are not JSON"]


def test_a_call_without_arguments() -> None:
    for call in (
        [block(0, type="tool_use", id="t", name="n", input={})],
        [
            block(0, type="tool_use", id="t", name="n"),
            delta(0, "input_json_delta", partial_json=""),
        ],
    ):
        _, made = read(sse(start(), *call, stop(0), end(), STOP))

        assert made.messages[0].parts[0]["arguments"] == {}
        assert made.problems == []


def test_a_stream_cut_inside_a_call() -> None:
    call = block(0, type="tool_use", id="t", name="Write", input={})
    part = delta(0, "input_json_delta", partial_json='{"file_path": "/a')
    _, made = read(sse(start(), call, part) + b'event: content_block_delta\ndata: {"type": "con')

    assert not made.complete
    assert made.messages[0].parts[0]["arguments"] == '{"file_path": "/a'
    assert made.finish_reasons == []
    assert made.problems == [
        "the stream ends inside an event",
        "the arguments of 'Write' are not JSON",
        "a content block was cut short: 'tool_use'",
    ]


@pytest.mark.parametrize("events", [1, 2, 3, 4, 5])
def test_a_stream_cut_between_events(events: int) -> None:
    whole = [start(), *TEXT, stop(0), end(), STOP]
    _, made = read(sse(*whole[:events]))

    assert not made.complete
    assert made.id == "msg_1"
    assert made.finish_reasons == (["stop"] if events == 5 else [])


def test_a_last_event_that_lacks_only_its_blank_line_ends_the_stream() -> None:
    assert read(sse(start(), *TEXT, stop(0), end(), STOP)[:-2])[1].complete


def test_an_error_amid_the_stream() -> None:
    error = {
        "type": "error",
        "error": {"type": "overloaded_error", "message": "Overloaded"},
        "request_id": "req_1",
    }
    _, made = read(sse(start(), *TEXT, error))

    assert made.error == ModelError("overloaded_error", "Overloaded")
    assert made.finish_reasons == ["error"]
    assert made.extra == {"request_id": "req_1"}
    assert made.messages[0].parts == [{"type": "text", "content": "Hi"}]
    assert not made.complete


def test_a_second_error_is_noted() -> None:
    errors = [{"type": "error", "error": {"type": kind, "message": ""}} for kind in ("a", "b")]
    _, made = read(sse(start(), *errors))

    assert made.error == ModelError("a", "")
    assert made.unknown == [errors[1]]
    assert made.problems == ["a second error"]


def test_an_error_in_place_of_the_stream() -> None:
    error = {"type": "error", "error": {"type": "api_error", "message": "no"}}

    for body in (sse(error), json.dumps(error, indent=1).encode()):
        made = read(body)[1]
        assert made.error == ModelError("api_error", "no")
        assert made.messages == []


def test_news_are_kept_whole() -> None:
    news = {"type": "content_block_sung", "tune": [1, 2]}
    verse = delta(0, "song_delta", song="la", key=5)
    events, made = read(sse(start(), news, *TEXT, verse, stop(0), end(), STOP))

    assert made.complete
    assert made.unknown == [news, verse]
    assert made.problems == [
        "unknown event 'content_block_sung'",
        "unknown delta 'song_delta'",
    ]
    assert (events[4].channel, events[4].text) == ("0:song", "la")


def test_the_event_s_own_type_counts_before_its_name() -> None:
    pieces = b'event: odd\ndata: {"type": "message_stop"}\n\n', b"event: message_stop\ndata: {}\n\n"

    for piece in pieces:
        assert read(sse(start()) + piece)[1].complete


HOSTILE: list[dict[str, Any]] = [
    {"type": "message_start", "message": []},
    {"type": "content_block_start", "index": "0", "content_block": {}},
    {"type": "content_block_start", "index": [], "content_block": {}},
    {"type": "content_block_start", "index": 9, "content_block": 5},
    {"type": "content_block_delta", "index": {}, "delta": {}},
    {"type": "content_block_delta", "index": 0, "delta": []},
    {"type": "content_block_delta", "index": 0, "delta": {"type": {}}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": 5}},
    {"type": "content_block_delta", "index": 77, "delta": {"type": "text_delta", "text": "x"}},
    {"type": "content_block_stop", "index": None},
    {"type": ["x"]},
]


@pytest.mark.parametrize("event", HOSTILE)
def test_what_makes_no_sense_is_noted_and_kept(event: dict[str, Any]) -> None:
    _, made = read(
        sse(start(), *TEXT)
        + b"data: "
        + json.dumps(event).encode()
        + b"\n\n"
        + sse(stop(0), end(), STOP)
    )

    assert made.complete
    assert made.unknown == [event]
    assert len(made.problems) == 1
    assert made.messages[0].parts == [{"type": "text", "content": "Hi"}]


def test_other_oddities_are_noted() -> None:
    odd_delta = {"type": "message_delta", "delta": [], "usage": 5}
    twice = block(0, type="text", text="again")
    _, made = read(sse(start(), start(), *TEXT, twice, odd_delta, STOP) + b"data: [1]\n\n")

    assert made.problems == [
        "message_start makes no sense here",
        "a content block was started twice",
        "delta is a list",
        "usage is a int",
        "an event is a list",
        "a content block was cut short: 'text' (2 times)",
    ]
    assert [part["content"] for part in made.messages[0].parts] == ["Hi", "again"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
inputs = st.dictionaries(st.text(max_size=5), json_values, max_size=3)
ids = st.text("abc123_", min_size=1, max_size=6)
blocks = st.one_of(
    st.builds(lambda text: {"type": "text", "text": text}, st.text(max_size=30)),
    st.builds(
        lambda text, cited: {"type": "text", "text": text, "citations": [{"cited_text": cited}]},
        st.text(max_size=9),
        st.text(max_size=9),
    ),
    st.builds(
        lambda text, signature: {"type": "thinking", "thinking": text, "signature": signature},
        st.text(max_size=30),
        ids,
    ),
    st.builds(lambda data: {"type": "redacted_thinking", "data": data}, ids),
    st.builds(
        lambda kind, key, value: {"type": kind, "id": key, "name": "Bash", "input": value},
        st.sampled_from(["tool_use", "server_tool_use", "mcp_tool_use"]),
        ids,
        inputs,
    ),
    st.builds(
        lambda key, value: {"type": "web_search_tool_result", "tool_use_id": key, "content": value},
        ids,
        json_values,
    ),
)
answers = st.fixed_dictionaries(
    {
        "id": ids,
        "type": st.just("message"),
        "role": st.just("assistant"),
        "model": ids,
        "content": st.lists(blocks, max_size=5),
        "stop_reason": st.sampled_from(["end_turn", "tool_use", "max_tokens", "pause_turn"]),
        "usage": st.fixed_dictionaries(
            {"input_tokens": st.integers(0, 10**6), "output_tokens": st.integers(0, 10**6)},
            optional={"cache_read_input_tokens": st.integers(0, 10**6)},
        ),
    }
)


def told(answer: dict[str, Any], step: int) -> list[dict[str, Any]]:
    """Tell a finished answer as a stream does, `step` characters a delta."""
    content, reason, usage = answer["content"], answer["stop_reason"], answer["usage"]
    first = {**answer, "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 0}}
    return [
        {"type": "message_start", "message": first},
        *(event for index, item in enumerate(content) for event in told_block(index, item, step)),
        {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": usage},
        STOP,
    ]


GROWS = {
    "text": "text_delta",
    "thinking": "thinking_delta",
    "signature": "signature_delta",
    "input": "input_json_delta",
}


def told_block(index: int, item: dict[str, Any], step: int) -> list[dict[str, Any]]:
    empty = {key: {} if key == "input" else "" for key in item if key in GROWS}
    kept = {key: value for key, value in item.items() if key != "citations"}
    events = [block(index, **{**kept, **empty})]
    cited = item.get("citations", [])
    events += [delta(index, "citations_delta", citation=citation) for citation in cited]
    for key in empty:
        text = json.dumps(item[key]) if key == "input" else item[key]
        name = "partial_json" if key == "input" else key
        pieces = [text[at : at + step] for at in range(0, len(text), step)]
        events += [delta(index, GROWS[key], **{name: piece}) for piece in pieces]
    return [*events, stop(index)]


@settings(deadline=None)
@given(answer=answers, step=st.integers(1, 9), ascii_only=st.booleans())
def test_a_streamed_answer_reads_like_one_that_was_not(
    answer: dict[str, Any], step: int, ascii_only: bool
) -> None:
    events, streamed = read(sse(*told(answer, step), ascii_only=ascii_only))

    assert streamed == DIALECT.response(json.dumps(answer).encode())
    assert streamed.problems == []
    assert said_by_channel(events) == {
        f"{index}:{GROWS[key].removesuffix('_delta')}": (
            json.dumps(value) if key == "input" else value
        )
        for index, item in enumerate(answer["content"])
        for key, value in item.items()
        if key in GROWS and (value or key == "input")
    }


def said_by_channel(events: list[StreamEvent]) -> dict[str, str]:
    said: dict[str, str] = {}
    for event in events:
        for channel, text in ((event.channel, event.text), *event.more):
            if channel is not None:
                said[channel] = said.get(channel, "") + text
    return said


@settings(deadline=None)
@given(
    answer=answers,
    step=st.integers(1, 9),
    places=st.lists(st.integers(0, 5000), max_size=30),
    lost=st.integers(0, 60),
    line_end=st.sampled_from([b"\n", b"\r\n", b"\r"]),
)
def test_any_chunking_gives_the_same(
    answer: dict[str, Any], step: int, places: list[int], lost: int, line_end: bytes
) -> None:
    stream = sse(*told(answer, step)).replace(b"\n", line_end)
    stream = stream[: len(stream) - lost]
    events, made = read(stream)

    assert read(*cut(stream, places)) == (events, made)
    assert b"".join(stream[event.start : event.end] for event in events) == stream[: events[-1].end]


EXAMPLES = [start(), *TEXT, stop(0), end(), STOP, PING, {"type": "tool_use", "error": "image"}]
EXAMPLES += [delta(0, "input_json_delta", partial_json=""), delta(0, "thinking_delta", thinking="")]
EXAMPLES += [delta(0, "citations_delta", citation=""), delta(0, "compaction_delta")]
words = st.sampled_from(sorted(set(re.findall(r"[a-z_]+", json.dumps(EXAMPLES)))))
hostile = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 2) | st.integers() | st.floats() | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=5),
    max_leaves=12,
)
kinds = words.filter(lambda word: word.startswith(("message_", "content_block_")))
shaped = st.builds(
    lambda kind, index, more: {"type": kind, "index": index, **more},
    kinds,
    st.integers(0, 2) | hostile,
    st.dictionaries(words, hostile, max_size=4),
)


@settings(max_examples=100, deadline=None)
@given(events=st.lists(shaped | hostile, max_size=8))
def test_hostile_events_never_raise(events: list[Any]) -> None:
    stream = b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)
    _, made = read(stream)

    msgspec.json.encode(made)
    assert all("\n" not in problem for problem in made.problems)


@settings(deadline=None)
@given(value=hostile, junk=st.binary(max_size=60))
def test_hostile_bodies_never_raise(value: Any, junk: bytes) -> None:
    wrapped = {"type": "message", "content": value, "usage": value, "id": value}
    bodies = [json.dumps(value).encode(), json.dumps(wrapped).encode(), junk, b"data: " + junk]
    for body in bodies:
        msgspec.json.encode(DIALECT.response(body))
        msgspec.json.encode(read(body)[1])


def test_deep_nesting_is_kept_as_text() -> None:
    deep = "[" * 5000 + "]" * 5000
    call = block(0, type="tool_use", id="t", name="n", input={})
    bad = delta(0, "input_json_delta", partial_json=deep)
    _, made = read(sse(start(), call, bad, stop(0), end(), STOP) + f"data: {deep}\n\n".encode())

    assert made.messages[0].parts[0]["arguments"] == deep
    assert made.unknown == [deep]
    msgspec.json.encode(made)


@settings(max_examples=200, deadline=None)
@given(
    answer=answers,
    step=st.integers(1, 9),
    odd=st.lists(st.tuples(st.integers(0, 40), shaped | hostile), max_size=3),
    lost=st.integers(0, 60),
)
def test_the_short_way_makes_what_the_long_one_makes(
    answer: dict[str, Any], step: int, odd: list[tuple[int, Any]], lost: int
) -> None:
    events = told(answer, step)
    for place, event in odd:
        events.insert(place % (len(events) + 1), event)
    stream = b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)
    stream = stream[: len(stream) - lost]
    long = DIALECT.stream()
    expected = texts_of([*long.feed(stream), *long.finish()])
    short = DIALECT.stream()

    assert short.read(stream) == expected
    assert msgspec.json.encode(short.close()) == msgspec.json.encode(long.close())


@pytest.mark.parametrize(
    "event",
    [
        delta(7, "text_delta", text="no such block"),
        delta(0, "text_delta", text=7),
        delta(0, "text_delta"),
        delta(0, "type"),
        {**delta(0, "text_delta", text="x"), "type": "content_block_stop"},
        {**delta(0, "text_delta", text="x"), "index": True},
        {**delta(0, "text_delta", text="x"), "more": [[]] * 200},
    ],
)
def test_only_deltas_of_text_go_the_short_way(event: dict[str, Any]) -> None:
    assembler = MessageAssembler()
    assembler.take("", start())
    assembler.take("", block(0, type="text", text=""))
    texts: dict[str, list[str]] = {}

    assert not assembler.take_delta(json.dumps(event).encode(), texts)
    assert assembler.take_delta(json.dumps(delta(0, "text_delta", text="x")).encode(), texts)
    assert texts == {"0:text": ["x"]}
