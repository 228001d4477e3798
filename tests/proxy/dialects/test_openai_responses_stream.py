from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from random import Random
from time import perf_counter
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from traceproof.proxy.dialects.base import ChatResponse, ModelError, StreamEvent, Usage
from traceproof.proxy.dialects.openai_responses import OpenAIResponses
from traceproof.proxy.testing import (
    Cite,
    Custom,
    Redacted,
    Refuse,
    Say,
    ServerTool,
    Think,
    Turn,
    Use,
)
from traceproof.proxy.testing import Usage as Counts
from traceproof.proxy.testing.openai_responses import OpenAIResponses as Wire
from traceproof.proxy.testing.parts import AnyPart
from traceproof.proxy.testing.wire import Reply
from traceproof.recorder.messages import Message

DIALECT = OpenAIResponses()
WIRE = Wire()
CREATED = {"type": "response.created", "response": {"id": "resp_1", "model": "gpt-x"}}
COMPLETED = {"type": "response.completed", "response": {"id": "resp_1", "status": "completed"}}
TEXT = {"type": "output_text", "text": "", "annotations": []}


def sse(*events: Any) -> bytes:
    return b"".join(f"data: {json.dumps(event)}\n\n".encode() for event in events)


def read(*pieces: bytes) -> tuple[list[StreamEvent], ChatResponse]:
    parser = DIALECT.stream()
    events = [event for piece in pieces for event in parser.feed(piece)]
    events += parser.finish()
    return events, parser.close()


def cut(data: bytes, places: Sequence[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


def item(index: int, kind: str = "added", /, **value: Any) -> dict[str, Any]:
    return {"type": f"response.output_item.{kind}", "output_index": index, "item": value}


def delta(kind: str, text: Any, index: int = 0, **more: Any) -> dict[str, Any]:
    return {"type": f"response.{kind}.delta", "output_index": index, "delta": text, **more}


def message(index: int = 0, **more: Any) -> list[dict[str, Any]]:
    where = {"output_index": index, "content_index": 0}
    return [
        item(index, type="message", role="assistant", content=[], **more),
        {"type": "response.content_part.added", **where, "part": TEXT},
    ]


def test_an_answer_with_its_usage() -> None:
    usage = {"input_tokens": 9, "output_tokens": 3, "total_tokens": 12}
    whole = {"type": "message", "role": "assistant", "content": [{**TEXT, "text": "Hello 🎈"}]}
    response = {"id": "resp_1", "status": "completed", "usage": usage, "output": [whole]}
    events, made = read(
        sse(
            CREATED,
            *message(),
            delta("output_text", "Hello", content_index=0),
            delta("output_text", " 🎈", content_index=0),
            item(0, "done", **whole),
            {"type": "response.completed", "response": response},
        )
    )

    assert made == ChatResponse(
        id="resp_1",
        model="gpt-x",
        messages=[Message("assistant", [{"type": "text", "content": "Hello 🎈"}])],
        finish_reasons=["stop"],
        usage=Usage(input=9, output=3),
    )
    assert [(event.channel, event.text) for event in events if event.channel] == [
        ("0:output_text.0", "Hello"),
        ("0:output_text.0", " 🎈"),
    ]


def test_items_are_taken_as_they_ended_where_the_response_lacks_them() -> None:
    call = {"type": "function_call", "call_id": "c", "name": "ls", "arguments": '{"a":1}'}
    for response in ({"status": "completed"}, {"status": "completed", "output": []}):
        _, made = read(
            sse(
                CREATED,
                item(0, **{**call, "arguments": ""}),
                delta("function_call_arguments", '{"a"'),
                item(0, "done", **call),
                {"type": "response.completed", "response": response},
            )
        )

        assert made.messages[0].parts[0]["arguments"] == {"a": 1}
        assert made.finish_reasons == ["tool_call"]
        assert made.problems == []


def test_items_that_had_no_event_of_their_own() -> None:
    call = {"type": "function_call", "call_id": "c", "name": "ls", "arguments": "{}"}
    response = {"status": "completed", "output": [call]}
    _, made = read(sse({"type": "response.completed", "response": response}))

    assert made.messages[0].parts[0]["name"] == "ls"
    assert made.complete


def test_a_stream_cut_inside_its_items() -> None:
    events, made = read(
        sse(
            CREATED,
            item(0, type="reasoning", id="rs", summary=[]),
            delta("reasoning_summary_text", "Hm", summary_index=0),
            delta("reasoning_summary_text", "So", summary_index=1),
            delta("reasoning_text", "long", content_index=0),
            item(1, type="function_call", call_id="c", name="ls", arguments=""),
            delta("function_call_arguments", '{"path": "/', index=1),
        )
        + b'data: {"type"'
    )

    assert made.messages[0].parts == [
        {"type": "reasoning", "content": "Hm", "kind": "summary"},
        {"type": "reasoning", "content": "So", "kind": "summary"},
        {"type": "reasoning", "content": "long", "id": "rs"},
        {"type": "tool_call", "id": "c", "name": "ls", "arguments": '{"path": "/'},
    ]
    assert (made.complete, made.finish_reasons) == (False, [])
    assert made.problems == [
        "the stream ends inside an event",
        "an item was cut short: 'reasoning'",
        "an item was cut short: 'function_call'",
        "the arguments of 'ls' are not JSON",
    ]
    assert made.unknown == ['{"type"']
    assert events[3].channel == "0:reasoning_summary_text.1"


def test_the_end_of_a_text_or_a_part_counts_for_more_than_its_pieces() -> None:
    where = {"output_index": 0, "content_index": 0}
    done = {"type": "response.output_text.done", **where, "text": "whole"}
    part = {"type": "response.content_part.done", **where, "part": {**TEXT, "text": "part"}}
    begun = [*message(), delta("output_text", "wh", content_index=0)]

    for events, text in (([], "wh"), ([done], "whole"), ([done, part], "part")):
        _, made = read(sse(*begun, *events))
        assert made.messages[0].parts[0]["content"] == text


def test_annotations_grow() -> None:
    kind = "response.output_text.annotation.added"
    note = {"type": kind, "output_index": 0, "content_index": 0, "annotation": {"url": "u"}}
    _, made = read(sse(*message(), delta("output_text", "x"), note, note))

    assert made.messages[0].parts[0]["annotations"] == [{"url": "u"}, {"url": "u"}]


def test_items_are_found_by_their_id_where_no_place_is_told() -> None:
    first, added = item(0, type="message", id="n"), item(1, type="message", id="m")
    del first["output_index"], added["output_index"]
    more = {"type": "response.output_text.delta", "item_id": "m", "delta": "Hi"}
    _, made = read(sse(first, added, more))

    assert made.messages[0].parts[-1] == {"type": "text", "content": "Hi", "id": "m"}


def test_how_far_a_provider_s_tool_is_says_nothing() -> None:
    states = [
        {"type": f"response.web_search_call.{state}", "output_index": 0}
        for state in ("in_progress", "searching", "completed")
    ]
    image = {"type": "response.image_generation_call.partial_image", "partial_image_b64": "aGk="}
    _, made = read(sse(CREATED, *states, image, COMPLETED))

    assert (made.problems, made.unknown) == ([], [])


def test_what_comes_beside_the_response() -> None:
    limits = {"type": "codex.rate_limits", "plan_type": "pro"}
    pings = [{"type": "keepalive", "sequence_number": 3}] * 2
    _, made = read(sse(CREATED, limits, *pings, COMPLETED) + b"data: [DONE]\n\n")

    assert made.extra == {"codex.rate_limits": {"plan_type": "pro"}, "pings": 2}
    assert made.problems == []


@pytest.mark.parametrize("tail", [b"", b": keep-alive\n\n", b'data: {"type": "resp'])
def test_without_its_end_a_stream_is_not_complete(tail: bytes) -> None:
    assert not read(sse(CREATED) + tail)[1].complete
    assert not read(tail)[1].complete
    assert read(sse(CREATED, COMPLETED) + tail)[1].complete


@pytest.mark.parametrize(
    ("event", "finish"),
    [
        (
            {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}},
            ["length"],
        ),
        ({"status": "failed", "error": {"code": "server_error", "message": "m"}}, ["error"]),
        ({"status": "cancelled"}, ["cancelled"]),
    ],
)
def test_other_ends(event: dict[str, Any], finish: list[str]) -> None:
    kind = f"response.{event['status']}"
    for response in (event, {key: value for key, value in event.items() if key != "status"}):
        _, made = read(sse(CREATED, {"type": kind, "response": response}))
        assert (made.finish_reasons, made.complete) == (finish, True)
    assert (made.error is not None) == ("error" in event)


@pytest.mark.parametrize(
    "error",
    [
        {"type": "error", "code": "server_error", "message": "overloaded", "param": None},
        {"type": "error", "error": {"type": "server_error", "message": "overloaded"}},
        {"error": {"type": "server_error", "message": "overloaded", "code": None}},
    ],
)
def test_an_error_amid_the_stream(error: dict[str, Any]) -> None:
    _, made = read(sse(CREATED, *message(), delta("output_text", "x"), error))

    assert made.error == ModelError("server_error", "overloaded")
    assert made.finish_reasons == ["error"]
    assert not made.complete


def test_an_error_in_place_of_the_stream() -> None:
    error = {"error": {"message": "no", "type": "t"}}

    for body in (sse(error), json.dumps(error, indent=1).encode()):
        assert read(body)[1].error == ModelError("t", "no")


HOSTILE: list[Any] = [
    [1],
    {"type": 5},
    {"type": "response.novel"},
    {"type": "response.novel.delta", "delta": "x"},
    {"type": "response.output_text.delta", "delta": 5},
    {"type": "response.output_text.delta", "delta": "x", "output_index": 9},
    {"type": "response.output_text.done", "text": "x", "output_index": 9},
    {"type": "response.content_part.done", "output_index": 0, "part": 5},
    {"type": "response.output_text.annotation.added", "output_index": 0},
    {"type": "response.output_item.added", "item": 5},
    {"type": "response.in_progress"},
]


@pytest.mark.parametrize("event", HOSTILE)
def test_what_makes_no_sense_is_noted_and_kept(event: Any) -> None:
    whole = {"type": "message", "role": "assistant", "content": [{**TEXT, "text": "Hi"}]}
    _, made = read(sse(CREATED, *message(), event, item(0, "done", **whole), COMPLETED))

    assert made.complete
    assert made.unknown == [event]
    assert len(made.problems) == 1
    assert made.messages[0].parts == [{"type": "text", "content": "Hi"}]


def test_texts_of_unknown_kinds_are_told() -> None:
    events, _ = read(sse(delta("audio.transcript", "Hi"), delta("output_text", "Hi", index=7)))

    assert [(event.channel, event.text) for event in events] == [
        ("0:audio.transcript", "Hi"),
        ("7:output_text", "Hi"),
    ]


texts = st.text(max_size=20)
names = st.text("abc_", min_size=1, max_size=6)
parts: st.SearchStrategy[AnyPart] = st.one_of(
    st.builds(Say, texts),
    st.builds(Think, texts, texts),
    st.builds(Redacted, texts),
    st.builds(Refuse, texts),
    st.builds(Cite, texts, names, names, names),
    st.builds(Use, names, st.dictionaries(names, texts | st.integers(), max_size=3)),
    st.builds(Custom, names, texts),
    st.builds(ServerTool, names, st.dictionaries(names, texts, max_size=2), st.just([])),
)
replies = st.builds(
    lambda said, piece, stop, counts: Reply(
        Turn(said, stop, counts, piece=piece), 0, 0, "talk", "gpt-x"
    ),
    st.lists(parts, max_size=5),
    st.integers(1, 9),
    st.sampled_from([None, "max_output_tokens"]),
    st.builds(Counts, st.integers(0, 9), st.integers(0, 9), st.integers(0, 9)),
)


@settings(deadline=None)
@given(reply=replies)
def test_a_streamed_response_reads_like_one_that_was_not(reply: Reply) -> None:
    events, streamed = read(*WIRE.events(reply))
    said: dict[str | None, str] = {}
    for event in events:
        said[event.channel] = said.get(event.channel, "") + event.text

    assert streamed == DIALECT.response(WIRE.whole(reply))
    assert streamed.problems == []
    for index, part in enumerate(reply.turn.parts):
        match part:
            case Say(text) | Cite(text):
                assert said[f"{index}:output_text.0"] == text
            case Think(text):
                assert said[f"{index}:reasoning_summary_text.0"] == text
            case Custom(_, text):
                assert said[f"{index}:custom_tool_call_input.0"] == text


@settings(deadline=None)
@given(reply=replies)
def test_deltas_alone_make_the_same_texts(reply: Reply) -> None:
    deltas = [event for event in WIRE.events(reply) if b".done" not in event]
    _, whole = read(*WIRE.events(reply))
    _, grown = read(*deltas[:-1])  # without the end of the response

    assert [part.get("content") for m in grown.messages for part in m.parts] == [
        part.get("content") for m in whole.messages for part in m.parts
    ]
    assert [part.get("arguments") for m in grown.messages for part in m.parts] == [
        part.get("arguments") for m in whole.messages for part in m.parts
    ]


@settings(deadline=None)
@given(
    reply=replies,
    places=st.lists(st.integers(0, 5000), max_size=30),
    lost=st.integers(0, 900),
    line_end=st.sampled_from([b"\n", b"\r\n", b"\r"]),
)
def test_any_chunking_gives_the_same(
    reply: Reply, places: list[int], lost: int, line_end: bytes
) -> None:
    stream = b"".join(WIRE.events(reply)).replace(b"\n", line_end)
    stream = stream[: max(len(stream) - lost, 0)]
    events, made = read(stream)

    assert read(*cut(stream, places)) == (events, made)
    end = events[-1].end if events else 0
    assert b"".join(stream[event.start : event.end] for event in events) == stream[:end]


EXAMPLES: list[Any] = [
    CREATED,
    COMPLETED,
    item(0, id="i", type="message", role="assistant", content=[TEXT], summary=[], status=""),
    item(1, "done", type="function_call", call_id="c", name="n", arguments="{}"),
    delta("output_text", "x", content_index=0, item_id="i"),
    delta("reasoning_summary_text", "x", summary_index=0, logprobs=[]),
    delta("function_call_arguments", "x", index=1),
    {"type": "response.output_text.done", "text": "x", "output_index": 0},
    {"type": "response.content_part.added", "output_index": 0, "part": TEXT},
    {"type": "response.reasoning_summary_part.done", "output_index": 0, "part": TEXT},
    {"type": "response.output_text.annotation.added", "output_index": 0, "annotation": {}},
    {"type": "error", "code": "c", "message": "m", "error": {"type": "t"}},
    {"type": "response.failed", "response": {"error": {}, "output": [], "usage": {}}},
]
words = st.sampled_from(sorted(set(re.findall(r"[a-z_.]+", json.dumps(EXAMPLES)))))
hostile = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 2) | st.integers() | st.floats() | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=5),
    max_leaves=12,
)
near: Callable[[], st.SearchStrategy[Any]] = lambda: st.builds(  # noqa: E731
    lambda example, more: {**example, **more},
    st.sampled_from(EXAMPLES),
    st.dictionaries(words, hostile, max_size=2),
)


@settings(max_examples=100, deadline=None)
@given(events=st.lists(near() | hostile, max_size=10))
def test_hostile_events_never_raise(events: list[Any]) -> None:
    _, made = read(sse(*events))

    msgspec.json.encode(made)
    assert all("\n" not in problem for problem in made.problems)


@settings(deadline=None)
@given(value=hostile, junk=st.binary(max_size=60))
def test_hostile_bodies_never_raise(value: Any, junk: bytes) -> None:
    wrapped = {"output": [value, {"type": value}], "usage": value, "status": value, "error": value}
    bodies = [json.dumps(value).encode(), json.dumps(wrapped).encode(), junk, b"data: " + junk]
    for body in bodies:
        msgspec.json.encode(DIALECT.response(body))
        msgspec.json.encode(read(body)[1])


def test_long_answers_cost_no_more_an_event_than_short_ones() -> None:
    def seconds(count: int) -> float:
        more = sse(*[delta("output_text", "a few words ", content_index=0)] * 20)
        parser = DIALECT.stream()
        parser.feed(sse(CREATED, *message()))
        began = perf_counter()
        for _ in range(count // 20):
            parser.feed(more)
        parser.close()
        return (perf_counter() - began) / count

    short = min(seconds(1000) for _ in range(3))
    assert min(seconds(20_000) for _ in range(3)) < 4 * short + 20e-6


def test_a_seeded_shuffle_of_items_is_put_in_order() -> None:
    texts = [f"text {index}" for index in range(6)]
    events = [
        item(
            index,
            "done",
            type="message",
            role="assistant",
            content=[{"type": "text", "text": text}],
        )
        for index, text in enumerate(texts)
    ]
    Random(7).shuffle(events)
    _, made = read(sse(CREATED, *events, COMPLETED))

    assert [part["content"] for part in made.messages[0].parts] == texts
