from __future__ import annotations

import json
import re
from collections.abc import Sequence
from itertools import pairwise
from time import perf_counter
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from traceproof.proxy.dialects.base import ChatResponse, ModelError, StreamEvent, Usage
from traceproof.proxy.dialects.gemini import Gemini
from traceproof.proxy.dialects.gemini_stream import AnswerAssembler
from traceproof.proxy.testing import Cite, Refuse, Say, ServerTool, Think, Turn, Use
from traceproof.proxy.testing import Usage as Counts
from traceproof.proxy.testing.gemini import Gemini as Wire
from traceproof.proxy.testing.parts import AnyPart
from traceproof.proxy.testing.wire import Reply
from traceproof.recorder.messages import Message

DIALECT = Gemini()
WIRE = Wire()
STOP = {"candidates": [{"finishReason": "STOP"}]}


def sse(*events: Any) -> bytes:
    return b"".join(f"data: {json.dumps(event)}\r\n\r\n".encode() for event in events)


def array(*events: Any) -> bytes:
    return json.dumps(events, indent=1).encode()


def read(*pieces: bytes) -> tuple[list[StreamEvent], ChatResponse]:
    parser = DIALECT.stream()
    events = [event for piece in pieces for event in parser.feed(piece)]
    events += parser.finish()
    return events, parser.close()


def cut(data: bytes, places: Sequence[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


def chunk(*parts: Any, index: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "candidates": [{"content": {"parts": [*parts], "role": "model"}, "index": index, **more}]
    }


@pytest.mark.parametrize("form", [sse, array])
def test_an_answer_with_its_usage(form: Any) -> None:
    usage = {"promptTokenCount": 9, "candidatesTokenCount": 3, "totalTokenCount": 12}
    events, made = read(
        form(
            {**chunk({"text": "Hel"}), "usageMetadata": {"promptTokenCount": 9}},
            {**chunk({"text": "lo 🎈"}), "modelVersion": "gemini-x", "responseId": "r1"},
            {**chunk({"text": ""}, finishReason="STOP"), "usageMetadata": usage},
        )
    )

    assert made == ChatResponse(
        id="r1",
        model="gemini-x",
        messages=[Message("assistant", [{"type": "text", "content": "Hello 🎈"}])],
        finish_reasons=["stop"],
        usage=Usage(input=9, output=3),
    )
    assert [(event.channel, event.text) for event in events] == [
        ("0:text.0", "Hel"),
        ("0:text.0", "lo 🎈"),
        ("0:text.0", ""),
    ]


def test_thoughts_texts_and_calls_keep_their_order() -> None:
    call = {"functionCall": {"name": "ls", "args": {"a": 1}}, "thoughtSignature": "s"}
    events, made = read(
        sse(
            chunk({"text": "H", "thought": True}),
            chunk({"text": "m", "thought": True}),
            chunk({"text": "So"}, {"text": ":"}),
            chunk(call, call),
            chunk({"text": "", "thoughtSignature": "t"}),
            STOP,
        )
    )

    made_call = {"type": "tool_call", "id": "", "name": "ls", "arguments": {"a": 1}}
    assert made.messages[0].parts == [
        {"type": "reasoning", "content": "Hm"},
        {"type": "text", "content": "So:"},
        {**made_call, "thoughtSignature": "s"},
        {**made_call, "thoughtSignature": "s"},
        {"type": "text", "content": "", "thoughtSignature": "t"},
    ]
    assert made.finish_reasons == ["tool_call"]
    assert events[0].channel == events[1].channel == "0:thought.0"
    assert events[2].more == (("0:text.1", ":"),)


def test_a_text_that_is_signed_is_ended() -> None:
    _, made = read(sse(chunk({"text": "a", "thoughtSignature": "s"}), chunk({"text": "b"}), STOP))

    assert [part["content"] for part in made.messages[0].parts] == ["a", "b"]


def test_several_candidates() -> None:
    _, made = read(
        sse(
            chunk({"text": "b"}, index=1),
            chunk({"text": "a"}),
            chunk(index=1, finishReason="MAX_TOKENS"),
            STOP,
        )
    )

    assert [message.parts[0]["content"] for message in made.messages] == ["a", "b"]
    assert made.finish_reasons == ["stop", "length"]
    assert made.complete


def test_what_has_no_conventional_name_is_kept() -> None:
    cited = [{"citationMetadata": {"citations": [{"uri": uri}]}} for uri in "ab"]
    ratings = {"safetyRatings": [{"category": "c"}]}
    _, made = read(
        sse(
            {"candidates": [{**cited[0], **ratings}], "createTime": "t"},
            {"candidates": [{**cited[1], **ratings}]},
            STOP,
        )
    )

    citations = {"citations": [{"uri": "a"}, {"uri": "b"}]}
    assert made.extra == {
        "createTime": "t",
        "candidates": [{"citationMetadata": citations, **ratings}],
    }


def test_without_a_reason_to_end_a_stream_is_not_complete() -> None:
    assert not read(sse(chunk({"text": "x"})))[1].complete
    assert not read(array(chunk({"text": "x"}))[:-2])[1].complete
    assert read(array(chunk({"text": "x"})))[1].complete
    assert read(array(STOP)[:-2])[1].complete
    assert read(sse(STOP))[1].complete
    assert not read(b"")[1].complete


def test_a_prompt_that_was_refused() -> None:
    _, made = read(sse({"promptFeedback": {"blockReason": "SAFETY"}}))

    assert (made.complete, made.finish_reasons) == (True, ["content_filter"])


def test_a_stream_cut_inside_an_event() -> None:
    for form in (sse, array):
        _, made = read(form(chunk({"text": "x"}), STOP)[:-30])
        assert made.messages[0].parts == [{"type": "text", "content": "x"}]
        assert not made.complete
        assert made.problems == ["the stream ends inside an event"]


@pytest.mark.parametrize("form", [sse, array])
def test_an_error_amid_the_stream(form: Any) -> None:
    error = {"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}}
    _, made = read(form(chunk({"text": "x"}), error))

    assert made.error == ModelError("UNAVAILABLE", "overloaded")
    assert made.extra == {"error": {"code": 503}}
    assert made.finish_reasons == ["error"]
    assert not made.complete


def test_an_error_in_place_of_the_stream() -> None:
    error = {"error": {"code": 400, "message": "no", "status": "INVALID_ARGUMENT"}}

    for body in (sse(error), array(error), json.dumps(error, indent=1).encode()):
        assert read(body)[1].error == ModelError("INVALID_ARGUMENT", "no")


def test_answers_that_a_gateway_wraps() -> None:
    assembler = AnswerAssembler("response")
    for data in (chunk({"text": "x"}), STOP):
        assembler.take("", {"response": data, "traceId": "t"})
    made = assembler.finish()

    assert made.messages[0].parts == [{"type": "text", "content": "x"}]
    assert (made.complete, made.extra) == (True, {"traceId": "t"})


HOSTILE: list[Any] = [
    [1],
    {"candidates": "x"},
    {"candidates": [7]},
    {"candidates": [{"index": "0"}]},
    {"candidates": [{"content": "x"}]},
    {"candidates": [{"content": {"parts": "x"}}]},
]


@pytest.mark.parametrize("event", HOSTILE)
def test_what_makes_no_sense_is_noted_and_kept(event: Any) -> None:
    _, made = read(sse(chunk({"text": "Hi"}), event, STOP))

    assert made.complete
    assert len(made.unknown) == len(made.problems) == 1
    assert made.messages[0].parts == [{"type": "text", "content": "Hi"}]


texts = st.text(max_size=20)
names = st.text("abc_", min_size=1, max_size=6)
arguments = st.dictionaries(names, texts | st.integers(0, 9), max_size=3)
parts: st.SearchStrategy[AnyPart] = st.one_of(
    st.builds(Say, texts),
    st.builds(Think, texts, texts),
    st.builds(Refuse, texts),
    st.builds(Cite, texts, names, names, names),
    st.builds(Use, names, arguments, st.none() | names),
    st.builds(ServerTool, names, arguments, st.just([])),
)
replies = st.builds(
    lambda said, piece, stop, counts, array: Reply(
        Turn(said, stop, counts, piece=piece), 0, 0, "talk", "gemini-x", array=array
    ),
    st.lists(parts, max_size=5),
    st.integers(1, 9),
    st.sampled_from([None, "MAX_TOKENS"]),
    st.builds(Counts, st.integers(1, 9), st.integers(1, 9), st.integers(0, 9)),
    st.booleans(),
)


@settings(deadline=None)
@given(reply=replies)
def test_a_streamed_answer_reads_like_one_that_was_not(reply: Reply) -> None:
    events, streamed = read(*WIRE.events(reply))
    said = "".join(event.text for event in events if (event.channel or "").startswith("0:text"))

    assert streamed == DIALECT.response(WIRE.whole(reply))
    assert streamed.problems == []
    assert said == "".join(
        part.text for part in reply.turn.parts if isinstance(part, Say | Cite | Refuse)
    )


@settings(deadline=None)
@given(
    reply=replies,
    places=st.lists(st.integers(0, 5000), max_size=30),
    lost=st.integers(0, 300),
    line_end=st.sampled_from([b"\n", b"\r\n", b"\r"]),
)
def test_any_chunking_gives_the_same(
    reply: Reply, places: list[int], lost: int, line_end: bytes
) -> None:
    stream = b"".join(WIRE.events(reply)).replace(b"\r\n", b"\n").replace(b"\n", line_end)
    stream = stream[: max(len(stream) - lost, 0)]
    events, made = read(stream)

    assert read(*cut(stream, places)) == (events, made)
    assert all(one.end <= other.start for one, other in pairwise(events))


EXAMPLES: list[Any] = [
    chunk({"text": "x", "thought": True, "thoughtSignature": "s"}, finishReason="STOP"),
    chunk({"functionCall": {"name": "n", "args": {}, "id": "i"}}),
    chunk({"executableCode": {"code": "c"}}, citationMetadata={"citations": []}),
    {"usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 1}, "responseId": "r"},
    {"promptFeedback": {"blockReason": "b"}},
    {"error": {"code": 1, "message": "m", "status": "s"}},
]
words = st.sampled_from(sorted(set(re.findall(r"[A-Za-z_]+", json.dumps(EXAMPLES)))))
hostile = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 2) | st.integers() | st.floats() | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=5),
    max_leaves=12,
)
shaped = st.builds(
    lambda part, more, top: {**chunk(part, **more), **top},
    st.dictionaries(words, hostile, max_size=3) | hostile,
    st.dictionaries(words.filter(lambda word: word != "index"), hostile, max_size=2),
    st.dictionaries(words.filter(lambda word: word != "candidates"), hostile, max_size=2),
)


@pytest.mark.parametrize("indent", [None, 2])
def test_an_error_that_is_no_event_is_the_error_of_the_stream(indent: int | None) -> None:
    error = {"error": {"code": 503, "message": "Overloaded.", "status": "UNAVAILABLE"}}
    bare = json.dumps(error, indent=indent).encode() + b"\r\n"

    _, made = read(sse(chunk({"text": "It"})), bare)

    assert made.error == ModelError("UNAVAILABLE", "Overloaded.")
    assert (made.complete, made.finish_reasons, made.problems) == (False, ["error"], [])


@pytest.mark.parametrize("bare", [b"garbage", b"[1]", b'{"error": null}'])
def test_other_lines_between_the_events_are_noted(bare: bytes) -> None:
    _, made = read(sse(chunk({"text": "It"})), bare + b"\r\n", sse(STOP))

    assert made.complete
    assert made.problems == [f"{len(bare)} bytes are no part of the event stream"]


@settings(max_examples=100, deadline=None)
@given(events=st.lists(shaped | hostile, max_size=8), form=st.sampled_from([sse, array]))
def test_hostile_chunks_never_raise(events: list[Any], form: Any) -> None:
    _, made = read(form(*events))

    msgspec.json.encode(made)
    assert all("\n" not in problem for problem in made.problems)


@settings(deadline=None)
@given(value=hostile, junk=st.binary(max_size=60))
def test_hostile_bodies_never_raise(value: Any, junk: bytes) -> None:
    wrapped = {
        "candidates": [{"content": value, "finishReason": value}, value],
        "usageMetadata": value,
        "promptFeedback": value,
    }
    bodies = [json.dumps(each).encode() for each in (value, wrapped, {"error": value}, [wrapped])]
    for body in [*bodies, junk, b"[" + junk, b"data: " + junk]:
        msgspec.json.encode(DIALECT.response(body))
        msgspec.json.encode(read(body)[1])


@pytest.mark.parametrize("form", [sse, array])
def test_long_answers_cost_no_more_an_event_than_short_ones(form: Any) -> None:
    def seconds(count: int) -> float:
        more = form(*[chunk({"text": "a few words "})] * 20).strip(b"[]") + b",\n" * (form is array)
        parser = DIALECT.stream()
        parser.feed(b"[" if form is array else b"")
        began = perf_counter()
        for _ in range(count // 20):
            parser.feed(more)
        parser.close()
        return (perf_counter() - began) / count

    short = min(seconds(1000) for _ in range(3))
    assert min(seconds(20_000) for _ in range(3)) < 4 * short + 20e-6
