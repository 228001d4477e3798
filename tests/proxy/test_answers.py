from __future__ import annotations

import gzip
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from traceproof.proxy import dialects
from traceproof.proxy.answers import Answer, fragments, header, joined
from traceproof.proxy.dialects.base import StreamEvent
from traceproof.proxy.exchange import Chunk, Exchange
from traceproof.proxy.testing import Encode, Say
from traceproof.recorder import semconv
from traceproof.recorder.reader import TraceReader
from traceproof.recorder.redaction import Mask, Masked

if TYPE_CHECKING:
    from tests.proxy.conftest import Desk

KEY = "fake-key-0123456789"
BODY = semconv.REF + semconv.RESPONSE_BODY


def answer_of(desk: Desk, exchange: Exchange) -> Answer:
    dialect = dialects.find(exchange.method, exchange.host, exchange.path)
    assert dialect is not None
    return Answer(exchange, dialect, desk.redactor, desk.writer)


def stored(desk: Desk, ref: object) -> tuple[bytes, list[Mask]]:
    desk.writer.flush()
    with TraceReader.open(desk.writer.path) as reader:
        return b"".join(reader.iter_body(str(ref))), reader.masks(str(ref))


@pytest.fixture
def started(desk: Desk) -> Desk:
    """A trace file that has its first line, so that it can be read."""
    desk.redactor.add("KEY", KEY)
    return desk


def cut(data: bytes, places: list[int]) -> list[Chunk]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [Chunk(10**9, data[start:end]) for start, end in pairwise(edges)]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    places=st.lists(st.integers(0, 5000), max_size=12),
    looks=st.integers(0, 3),
    faults=st.sampled_from([[], [Encode("gzip")], [Encode("zstd")]]),
    said=st.sampled_from(["Hello ✓ there", f"It is {KEY}, is it not?", f"{KEY}{KEY}"]),
    path=st.sampled_from(
        [
            "/v1/messages",
            "/v1/responses",
            "/v1beta/models/m:streamGenerateContent?alt=sse",
            "/v1beta/models/m:streamGenerateContent",
        ]
    ),
)
def test_any_chunking_and_any_looks_give_the_same(
    started: Desk, places: list[int], looks: int, faults: list[Encode], *, said: str, path: str
) -> None:
    call = started.answered(Say(said), faults=faults, piece=3, path=path)
    whole = b"".join(chunk.data for chunk in call.response_chunks)

    at_once = answer_of(started, call)
    expected = stored(started, at_once.finish()[BODY])
    call.response_chunks = []
    answer = answer_of(started, call)
    for number, chunk in enumerate(cut(whole, places)):
        call.response_chunks.append(chunk)
        if number % 4 < looks:
            answer.look()
    found = stored(started, answer.finish()[BODY])

    assert found == expected
    assert KEY.encode() not in found[0]
    assert answer.response() == at_once.response()
    if KEY not in said:
        assert found == (whole, [])


def test_a_body_that_is_encoded_and_cut_short_says_so(started: Desk) -> None:
    call = started.answered(Say("Hello"), faults=[Encode("gzip")])
    del call.response_chunks[-1]
    answer = answer_of(started, call)

    answer.finish()

    assert answer.problem == "the encoded body is cut short"
    assert answer.response().complete is False


def test_an_unknown_encoding_is_kept_as_it_is(started: Desk) -> None:
    headers = [("Content-Encoding", "snappy"), ("Content-Type", "text/event-stream")]
    call = started.exchange(b"", [b"\x00\x01odd"], response_headers=headers)
    answer = answer_of(started, call)

    attributes = answer.finish()

    assert stored(started, attributes[BODY])[0] == b"\x00\x01odd"
    assert "snappy" in answer.problem


def test_what_may_be_a_secret_waits_for_what_follows(started: Desk) -> None:
    call = started.answered(Say(f"It is {KEY}!"), piece=5)
    sent, call.response_chunks = call.response_chunks, []
    answer = answer_of(started, call)

    for chunk in sent:
        call.response_chunks.append(chunk)
        attributes = answer.look()
        body = stored(started, attributes[BODY])[0] if attributes else b""
        assert b"-012" not in body
        assert b'"fake-' not in body

    assert b"<SECRET:KEY>" in stored(started, answer.finish()[BODY])[0]


def test_a_header_that_is_repeated_is_a_list() -> None:
    headers = [("Content-Encoding", "gzip"), ("x", "y"), ("content-encoding", "br")]

    assert header(headers, "content-encoding") == "gzip, br"
    assert header(headers, "accept") == ""


def test_an_event_may_add_to_several_things() -> None:
    assert fragments(StreamEvent(0, 1, "", None)) == []
    event = StreamEvent(0, 1, "", None, "a", "one", (("b", "two"),))
    assert fragments(event) == [("a", "one"), ("b", "two")]


def test_joined_masks_move_along() -> None:
    pieces = [Masked(b"ab", [Mask(1, "X")]), Masked(b"cd", [Mask(0, "Y")])]

    assert joined(pieces) == Masked(b"abcd", [Mask(1, "X"), Mask(2, "Y")])


def test_a_great_answer_is_taken_in_piece_by_piece(started: Desk) -> None:
    call = started.answered(Say("word " * 1_000_000 + KEY), piece=4096)
    sent = b"".join(chunk.data for chunk in call.response_chunks)
    assert len(sent) > 4 << 20
    answer = answer_of(started, call)

    body, masks = stored(started, answer.finish()[BODY])

    assert body.replace(b"<SECRET:KEY>", b"") != sent
    assert KEY.encode() not in body
    assert [mask.name for mask in masks] == ["KEY"]
    assert answer.response().complete


def test_a_bomb_is_kept_as_far_as_it_was_decoded(started: Desk) -> None:
    bomb = gzip.compress(bytes(100 << 20))
    headers = [("Content-Encoding", "gzip"), ("Content-Type", "application/json")]
    call = started.exchange(b"", [bomb], response_headers=headers)
    answer = answer_of(started, call)

    attributes = answer.finish()

    assert len(stored(started, attributes[BODY])[0]) <= 64 << 20
    assert attributes[semconv.BODY_KEPT_DECODED] == "response"
    assert answer.problem == "stopped: the body decodes to more than 67108864 bytes"
