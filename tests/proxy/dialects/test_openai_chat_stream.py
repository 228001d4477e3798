from __future__ import annotations

import json
import re
from collections.abc import Sequence
from itertools import pairwise
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from traceproof.proxy.dialects.base import ChatResponse, ModelError, StreamEvent, Usage
from traceproof.proxy.dialects.openai_chat import OpenAIChat
from traceproof.proxy.dialects.openai_chat_stream import CompletionAssembler
from traceproof.proxy.dialects.stream import texts_of
from traceproof.recorder.messages import Message

DIALECT = OpenAIChat()
DONE = b"data: [DONE]\n\n"


def sse(*chunks: Any) -> bytes:
    return b"".join(f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks)


def read(*pieces: bytes) -> tuple[list[StreamEvent], ChatResponse]:
    parser = DIALECT.stream()
    events = [event for piece in pieces for event in parser.feed(piece)]
    events += parser.finish()
    return events, parser.close()


def cut(data: bytes, places: Sequence[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


def chunk(delta: Any, finish: str | None = None, index: int = 0, **more: Any) -> dict[str, Any]:
    choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "model": "gpt-x",
        "choices": [choice],
        **more,
    }


def call(index: int, arguments: str, **more: Any) -> dict[str, Any]:
    function = {"arguments": arguments}
    if "name" in more:
        function["name"] = more.pop("name")
    return {"tool_calls": [{"index": index, "function": function, **more}]}


def test_an_answer_with_its_usage() -> None:
    usage = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
    events, made = read(
        sse(
            chunk({"role": "assistant", "content": "", "refusal": None}),
            chunk({"content": "Hello"}),
            chunk({"content": " 🎈"}),
            chunk({}, "stop"),
            {"id": "chatcmpl-1", "model": "gpt-x", "choices": [], "usage": usage},
        )
        + DONE
    )

    assert made == ChatResponse(
        id="chatcmpl-1",
        model="gpt-x",
        messages=[Message("assistant", [{"type": "text", "content": "Hello 🎈"}])],
        finish_reasons=["stop"],
        usage=Usage(input=9, output=3),
    )
    assert [(event.channel, event.text) for event in events] == [
        ("0:content", ""),
        ("0:content", "Hello"),
        ("0:content", " 🎈"),
        (None, ""),
        (None, ""),
        (None, ""),
    ]
    assert events[-1].data == "[DONE]"


def test_parallel_calls_whose_deltas_interleave() -> None:
    events, made = read(
        sse(
            chunk({"role": "assistant", "content": None}),
            chunk(call(0, "", id="c0", type="function", name="ls")),
            chunk(call(1, "", id="c1", type="function", name="cat")),
            chunk(call(0, '{"path"')),
            chunk(call(1, '{"file": "a"}')),
            chunk(call(0, ': "/"}')),
            chunk({}, "tool_calls"),
        )
        + DONE
    )

    assert made.messages[0].parts == [
        {"type": "tool_call", "id": "c0", "name": "ls", "arguments": {"path": "/"}},
        {"type": "tool_call", "id": "c1", "name": "cat", "arguments": {"file": "a"}},
    ]
    assert made.finish_reasons == ["tool_call"]
    assert (events[3].channel, events[3].text) == (
        "0:tool_call.0.function.arguments",
        '{"path"',
    )


def test_one_chunk_that_adds_to_several_things() -> None:
    both = {"tool_calls": [*call(0, "{}")["tool_calls"], *call(1, "[]")["tool_calls"]]}
    [event], _ = read(sse(chunk({"content": "x", **both})))

    assert (event.channel, event.text) == ("0:content", "x")
    assert event.more == (
        ("0:tool_call.0.function.arguments", "{}"),
        ("0:tool_call.1.function.arguments", "[]"),
    )


def test_calls_that_share_an_index_or_have_none() -> None:
    first = call(0, '{"a": 1}', id="c0", name="ls")
    second = call(0, '{"a": 2}', id="c1", name="ls")
    bare = [
        {key: value for key, value in delta["tool_calls"][0].items() if key != "index"}
        for delta in (first, second)
    ]
    more = {"function": {"arguments": " "}}

    for chunks in (
        [chunk(first), chunk(second)],
        [chunk({"tool_calls": [bare[0]]}), chunk({"tool_calls": [bare[1]]})],
        [chunk({"tool_calls": [*bare, more]})],
    ):
        _, made = read(sse(*chunks) + DONE)
        assert [(part["id"], part["arguments"]) for part in made.messages[0].parts] == [
            ("c0", {"a": 1}),
            ("c1", {"a": 2}),
        ]


def test_names_and_ids_that_are_repeated_in_every_chunk() -> None:
    chunks = [chunk(call(0, text, id="c", type="function", name="ls")) for text in '{"a":1}']
    _, made = read(sse(*chunks) + DONE)

    assert made.messages[0].parts == [
        {"type": "tool_call", "id": "c", "name": "ls", "arguments": {"a": 1}}
    ]


def test_several_choices() -> None:
    _, made = read(
        sse(
            chunk({"role": "assistant", "content": "b"}, index=1),
            chunk({"role": "assistant", "content": "a"}),
            chunk({}, "length", index=1),
            chunk({}, "stop"),
        )
    )

    assert [message.parts[0]["content"] for message in made.messages] == ["a", "b"]
    assert made.finish_reasons == ["stop", "length"]
    assert made.complete


def test_thoughts_and_a_refusal() -> None:
    for key in ("reasoning_content", "reasoning"):
        _, made = read(sse(chunk({key: "H"}), chunk({key: "m."}), chunk({"content": "So."})) + DONE)
        assert [part["content"] for part in made.messages[0].parts] == ["Hm.", "So."]

    _, made = read(sse(chunk({"refusal": "I "}), chunk({"refusal": "won't."}, "stop")) + DONE)
    assert made.messages[0].parts == [{"type": "refusal", "value": "I won't."}]


def test_what_has_no_conventional_name_is_kept() -> None:
    details = [{"type": "reasoning.text", "text": "hm", "index": 0}]
    events, made = read(
        sse(
            chunk({"audio": {"id": "a", "data": "aG", "transcript": "H"}}, service_tier="flex"),
            chunk({"audio": {"data": "k=", "transcript": "i", "expires_at": 5}}, obfuscation="zz"),
            chunk({"reasoning_details": details}),
            chunk({"reasoning_details": details}, "stop", provider="x"),
        )
        + DONE
    )

    audio = {"id": "a", "data": "aGk=", "transcript": "Hi", "expires_at": 5}
    assert made.extra == {
        "service_tier": "flex",
        "provider": "x",
        "choices": [{"message": {"audio": audio, "reasoning_details": details * 2}}],
    }
    assert events[0].more == (("0:audio.transcript", "H"),)
    assert events[2].channel == "0:reasoning_details.0.text"


def test_a_reason_that_is_given_twice() -> None:
    last = chunk({}, "stop")
    last["choices"][0]["native_finish_reason"] = "STOP"
    _, made = read(sse(chunk({"content": "x"}), last, last) + DONE)

    assert made.finish_reasons == ["stop"]
    assert made.extra == {"choices": [{"native_finish_reason": "STOP"}]}


def test_log_probabilities_grow() -> None:
    chunks = [chunk({"content": text}) for text in "ab"]
    for made_of in chunks:
        choice = made_of["choices"][0]
        choice["logprobs"] = {"content": [{"token": choice["delta"]["content"]}], "refusal": None}
    events, made = read(sse(*chunks) + DONE)

    assert made.extra["choices"] == [{"logprobs": {"content": [{"token": "a"}, {"token": "b"}]}}]
    assert [event.data for event in events[:2]] == chunks


@pytest.mark.parametrize("tail", [b"", b"data: [DO", b": keep-alive\n\n"])
def test_without_the_end_marker_the_finished_choices_tell(tail: bytes) -> None:
    finished = sse(chunk({"content": "x"}), chunk({}, "stop"))

    assert read(finished + tail)[1].complete
    assert not read(sse(chunk({"content": "x"})) + tail)[1].complete
    assert not read(finished + sse(chunk({"content": "y"}, index=1)) + tail)[1].complete
    assert not read(tail)[1].complete


def test_the_end_marker_alone_completes_a_stream() -> None:
    assert read(sse(chunk({"content": "x"})) + b"data: [DONE]")[1].complete
    assert read(sse(chunk({"content": "x"})) + b"data:  [DONE] \r\n\r\n")[1].complete


def test_a_stream_cut_inside_a_call() -> None:
    _, made = read(sse(chunk(call(0, '{"path": "/', id="c", name="ls"))) + b'data: {"id"')

    assert not made.complete
    assert made.messages[0].parts[0]["arguments"] == '{"path": "/'
    assert made.problems == [
        "the stream ends inside an event",
        "the arguments of 'ls' are not JSON",
    ]
    assert made.unknown == ['{"id"']


def test_an_error_amid_the_stream() -> None:
    error = {"error": {"message": "overloaded", "type": "server_error", "code": 529}}
    for body in (sse(error), b"event: error\n" + sse(error)):
        _, made = read(sse(chunk({"content": "x"})) + body)

        assert made.error == ModelError("server_error", "overloaded")
        assert made.extra == {"error": {"code": 529}}
        assert made.finish_reasons == ["error"]
        assert not made.complete


def test_an_error_in_place_of_the_stream() -> None:
    error = {"error": {"message": "no", "type": "t"}}

    for body in (sse(error), json.dumps(error, indent=1).encode()):
        assert read(body)[1].error == ModelError("t", "no")


HOSTILE: list[Any] = [
    [1],
    {"choices": "x"},
    {"choices": [7]},
    {"choices": [{"index": "0", "delta": {}}]},
    {"choices": [{"index": 0, "delta": "x"}]},
    {"choices": [{"index": 0, "delta": {"tool_calls": "x"}}]},
    {"choices": [{"index": 0, "delta": {"tool_calls": [5]}}]},
    {"choices": [{"index": 0, "delta": {"content": {"a": 1}}}]},
    {"choices": [{"index": 0, "delta": {"content": [1]}}]},
]


@pytest.mark.parametrize("event", HOSTILE)
def test_what_makes_no_sense_is_noted_and_kept(event: Any) -> None:
    _, made = read(sse(chunk({"content": "Hi"}), event, chunk({}, "stop")) + DONE)

    assert made.complete
    assert len(made.unknown) == len(made.problems) == 1
    assert made.messages[0].parts == [{"type": "text", "content": "Hi"}]


def test_other_oddities_are_noted() -> None:
    error = {"error": "first"}
    _, made = read(
        sse(chunk({"audio": ["x"]}), chunk({"audio": "y"}), error, error)
        + DONE
        + sse(chunk({"content": "late"}))
        + b"data: what\n\n"
    )

    assert made.problems == [
        "'audio' changes its type",
        "a second error",
        "an event after the end marker",
        "an event is not JSON",
    ]
    assert made.error == ModelError("", "first")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
ids = st.text("abc123_", min_size=1, max_size=6)
calls = st.builds(
    lambda key, name, value: {
        "id": key,
        "type": "function",
        "function": {"name": name, "arguments": json.dumps(value)},
    },
    ids,
    ids,
    st.dictionaries(st.text(max_size=5), json_values, max_size=3),
)
messages = st.fixed_dictionaries(
    {"role": st.just("assistant")},
    optional={
        "content": st.text(max_size=30),
        "refusal": st.text(max_size=10),
        "reasoning_content": st.text(max_size=20),
        "tool_calls": st.lists(calls, min_size=1, max_size=3),
    },
)
completions = st.fixed_dictionaries(
    {
        "id": ids,
        "object": st.just("chat.completion"),
        "created": st.integers(0, 10**9),
        "model": ids,
        "choices": st.lists(
            st.tuples(messages, st.sampled_from(["stop", "tool_calls", "length"])),
            min_size=1,
            max_size=3,
        ).map(
            lambda pairs: [
                {"index": index, "message": message, "finish_reason": reason}
                for index, (message, reason) in enumerate(pairs)
            ]
        ),
        "usage": st.fixed_dictionaries(
            {"prompt_tokens": st.integers(0, 10**6), "completion_tokens": st.integers(0, 10**6)}
        ),
    }
)


def told(completion: dict[str, Any], step: int, seed: Random) -> bytes:
    """Tell a finished completion as a stream does, `step` characters a delta, choices mixed."""
    head = {key: completion[key] for key in ("id", "created", "model")}
    head["object"] = "chat.completion.chunk"
    queues = [
        [(choice["index"], delta) for delta in told_message(choice["message"], step)]
        for choice in completion["choices"]
    ]
    stream = b""
    while queue := seed.choice([queue for queue in queues if queue] or [[]]):
        index, delta = queue.pop(0)
        stream += sse({**head, "choices": [{"index": index, "delta": delta}], "usage": None})
    for choice in completion["choices"]:
        last = {"index": choice["index"], "delta": {}, "finish_reason": choice["finish_reason"]}
        stream += sse({**head, "choices": [last]})
    return stream + sse({**head, "choices": [], "usage": completion["usage"]}) + DONE


def told_message(message: dict[str, Any], step: int) -> list[dict[str, Any]]:
    deltas: list[dict[str, Any]] = [{"role": message["role"]}]
    for key in ("reasoning_content", "content", "refusal"):
        if key in message:
            deltas += [{key: piece} for piece in ["", *pieces(message[key], step)]]
    texts = []
    for index, one in enumerate(message.get("tool_calls", [])):
        function = {"name": one["function"]["name"], "arguments": ""}
        deltas.append({"tool_calls": [{**one, "index": index, "function": function}]})
        texts.append(pieces(one["function"]["arguments"], step))
    for at in range(max(map(len, texts), default=0)):  # the calls take turns
        for index, text in enumerate(texts):
            deltas += [call(index, text[at])] if at < len(text) else []
    return deltas


def pieces(text: str, step: int) -> list[str]:
    return [text[at : at + step] for at in range(0, len(text), step)]


@settings(deadline=None)
@given(completion=completions, step=st.integers(1, 9), seed=st.randoms(use_true_random=False))
def test_a_streamed_completion_reads_like_one_that_was_not(
    completion: dict[str, Any], step: int, seed: Random
) -> None:
    events, streamed = read(told(completion, step, seed))
    said: dict[str, str] = {}
    for event in events:
        for channel, text in ((event.channel, event.text), *event.more):
            if channel is not None:
                said[channel] = said.get(channel, "") + text

    assert streamed == DIALECT.response(json.dumps(completion).encode())
    assert streamed.problems == []
    for choice in completion["choices"]:
        for key in ("content", "refusal", "reasoning_content"):
            expected = choice["message"].get(key)
            assert said.get(f"{choice['index']}:{key}") == expected
        for at, one in enumerate(choice["message"].get("tool_calls", [])):
            channel = f"{choice['index']}:tool_call.{at}.function.arguments"
            assert said[channel] == one["function"]["arguments"]


@settings(deadline=None)
@given(
    stream=st.builds(told, completions, st.integers(1, 9), st.randoms(use_true_random=False)),
    places=st.lists(st.integers(0, 5000), max_size=30),
    lost=st.integers(0, 60),
    line_end=st.sampled_from([b"\n", b"\r\n", b"\r"]),
)
def test_any_chunking_gives_the_same(
    stream: bytes, places: list[int], lost: int, line_end: bytes
) -> None:
    stream = stream.replace(b"\n", line_end)
    stream = stream[: len(stream) - lost]
    events, made = read(stream)

    assert read(*cut(stream, places)) == (events, made)
    assert b"".join(stream[event.start : event.end] for event in events) == stream[: events[-1].end]


EXAMPLES = [
    chunk({"role": "tool", "content": "", "refusal": "", "reasoning": "", "audio": ""}, "stop"),
    chunk(call(0, "", id="c", type="function", name="ls", custom={"input": ""})),
    {"usage": {"prompt_tokens": 1, "prompt_tokens_details": {}}, "error": {"message": ""}},
    {"function_call": {}},
]
words = st.sampled_from(sorted(set(re.findall(r"[a-z_]+", json.dumps(EXAMPLES)))))
hostile = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 2) | st.integers() | st.floats() | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=5),
    max_leaves=12,
)
deltas = st.dictionaries(words, hostile, max_size=4) | st.builds(
    lambda calls: {"tool_calls": calls}, st.lists(st.dictionaries(words, hostile), max_size=3)
)
shaped = st.builds(
    lambda delta, index, more, top: {"choices": [{"index": index, "delta": delta, **more}], **top},
    deltas,
    st.integers(0, 1) | hostile,
    st.dictionaries(words, hostile, max_size=2),
    st.dictionaries(words.filter(lambda word: word != "choices"), hostile, max_size=2),
)


@settings(max_examples=100, deadline=None)
@given(events=st.lists(shaped | hostile, max_size=8))
def test_hostile_chunks_never_raise(events: list[Any]) -> None:
    _, made = read(sse(*events))

    msgspec.json.encode(made)
    assert all("\n" not in problem for problem in made.problems)


@settings(deadline=None)
@given(value=hostile, junk=st.binary(max_size=60))
def test_hostile_bodies_never_raise(value: Any, junk: bytes) -> None:
    wrapped = {"choices": [{"message": value}, value], "usage": value, "id": value, "error": value}
    bodies = [json.dumps(value).encode(), json.dumps(wrapped).encode(), junk, b"data: " + junk]
    for body in bodies:
        msgspec.json.encode(DIALECT.response(body))
        msgspec.json.encode(read(body)[1])


def both_ways(stream: bytes) -> list[tuple[dict[str, list[str]], bytes]]:
    """Read a stream by events and at once; return the texts and the response of each."""
    long, short = DIALECT.stream(), DIALECT.stream()
    by_event = texts_of([*long.feed(stream), *long.finish()])
    at_once = short.read(stream)
    return [
        (by_event, msgspec.json.encode(long.close())),
        (at_once, msgspec.json.encode(short.close())),
    ]


@settings(deadline=None)
@given(
    stream=st.builds(told, completions, st.integers(1, 9), st.randoms(use_true_random=False)),
    lost=st.integers(0, 60),
)
def test_the_short_way_makes_what_the_long_one_makes(stream: bytes, lost: int) -> None:
    by_event, at_once = both_ways(stream[: len(stream) - lost])

    assert by_event == at_once


FIRST = [chunk({"role": "assistant"}), chunk({"content": ""}, created=1, obfuscation="a")]
ODD: list[dict[str, Any]] = [
    chunk({"content": "x"}, obfuscation="b"),
    chunk({"content": "x"}, model="another"),
    chunk({"content": "x"}, object="error"),
    chunk({"content": "x"}, system_fingerprint="new"),
    chunk({"content": "x"}, more=1),
    chunk({"content": "x", "refusal": "no"}),
    chunk({"content": None, "role": "tool"}),
    chunk({"reasoning_content": "first of its kind"}),
    chunk({"content": "x"}, index=1),
    chunk({}, index=1),
    chunk({}),
    chunk({"content": "x"}, "stop"),
    {"choices": []},
]


@pytest.mark.parametrize("event", ODD)
def test_what_is_odd_is_taken_as_by_the_long_way(event: dict[str, Any]) -> None:
    plain = sse(*FIRST, event, chunk({"content": "y"}))
    for stream in (plain, DONE + plain, plain.replace(b"data", b"event: error\ndata")):
        by_event, at_once = both_ways(stream)

        assert by_event == at_once


def test_only_chunks_of_text_go_the_short_way() -> None:
    assembler = CompletionAssembler()
    texts: dict[str, list[str]] = {}
    for event in FIRST:
        assembler.take("", event)
    taken = [assembler.take_chunk(json.dumps(event).encode(), texts) for event in ODD]

    assert [event for event, short in zip(ODD, taken, strict=True) if short] == [
        ODD[0],
        ODD[1],
        ODD[6],
        ODD[10],
    ]
    assert texts == {"0:content": ["x", "x"]}
