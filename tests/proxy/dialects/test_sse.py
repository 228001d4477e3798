from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traceproof.proxy.dialects.sse import SseEvent, SseParser


def parse(*pieces: bytes) -> list[SseEvent]:
    parser = SseParser()
    found = [event for piece in pieces for event in parser.feed(piece)]
    return found + list(parser.close())


def cut(data: bytes, places: Sequence[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


def test_an_event_with_its_offsets() -> None:
    assert parse(b"event: ping\ndata: {}\n\ndata: x\n\n") == [
        SseEvent(0, 22, "ping", b"{}"),
        SseEvent(22, 31, "", b"x"),
    ]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_every_line_ending(end: bytes) -> None:
    data = end.join([b"event: a", b"data: 1", b"", b"data: 2", b"", b""])
    first, second = parse(data)

    assert (first.name, first.data, second.data) == ("a", b"1", b"2")
    assert data[first.start : first.end] + data[second.start : second.end] == data


def test_the_examples_of_the_standard() -> None:
    stream = b"data: YHOO\ndata: +2\ndata: 10\n\n"
    assert [event.data for event in parse(stream)] == [b"YHOO\n+2\n10"]

    stream = b": test stream\n\ndata: first event\nid: 1\n\n"
    stream += b"data:second event\nid\n\ndata:  third event\n\n"
    assert [event.data for event in parse(stream)] == [
        b"first event",
        b"second event",
        b" third event",
    ]

    stream = b"data\n\ndata\ndata\n\ndata:"
    assert [(event.data, event.whole) for event in parse(stream)] == [
        (b"", True),
        (b"\n", True),
        (b"", False),
    ]

    stream = b"data:test\n\ndata: test\n\n"
    assert [event.data for event in parse(stream)] == [b"test", b"test"]


def test_a_byte_order_mark_is_skipped_however_it_is_cut() -> None:
    for pieces in ([b"\xef\xbb\xbfdata: 1\n\n"], [b"\xef", b"\xbb", b"\xbfda", b"ta: 1\n\n"]):
        assert parse(*pieces) == [SseEvent(3, 12, "", b"1")]


def test_comments_and_events_without_data_are_no_events() -> None:
    stream = b": keep-alive\n\nevent: nothing\n\nretry: 10\n\n\n\ndata: 1\n\n"

    assert parse(stream) == [SseEvent(len(stream) - 9, len(stream), "", b"1")]


def test_a_name_does_not_outlive_its_event() -> None:
    assert [event.name for event in parse(b"event: a\n\ndata: 1\n\n")] == [""]


def test_a_name_in_broken_utf_8() -> None:
    assert [event.name for event in parse(b"event: \xff\ndata: 1\n\n")] == ["\ufffd"]


def test_a_last_event_without_its_blank_line_is_marked() -> None:
    assert parse(b"data: 1\n\ndata: 2") == [
        SseEvent(0, 9, "", b"1"),
        SseEvent(9, 16, "", b"2", whole=False),
    ]
    assert parse(b"data: 2\n") == [SseEvent(0, 8, "", b"2", whole=False)]
    assert parse(b"data: 2\r\r") == [SseEvent(0, 9, "", b"2")]
    assert parse(b"event: a\n") == []


def test_an_event_is_there_as_soon_as_its_blank_line_is() -> None:
    parser = SseParser()

    assert list(parser.feed(b"data: 1\r\n\r")) == []
    assert list(parser.feed(b"\n")) == [SseEvent(0, 11, "", b"1")]
    assert list(parser.feed(b"data: 2\n\n")) == [SseEvent(11, 20, "", b"2")]


def test_what_is_no_event_stream_is_kept_as_stray() -> None:
    parser = SseParser()
    list(parser.feed(b'{\n"error": {"type": "x"}\n}'))
    list(parser.close())

    assert parser.stray() == b'{\n"error": {"type": "x"}\n}'
    assert parser.events == 0


def test_stray_lines_are_kept_within_bounds() -> None:
    parser = SseParser()
    list(parser.feed(b"nonsense\n" * 500_000))

    assert 1 << 20 <= len(parser.stray()) < 2 << 20


lines = st.sampled_from(
    [
        b"data: {}",
        "data: grüße 🎈".encode(),
        b"data:x",
        b"data",
        b"event: e",
        b": comment",
        b"id: 7",
        b"stray",
        b"",
        b"",
        b"",
    ]
)
ends = st.sampled_from([b"\n", b"\r\n", b"\r"])
streams = st.lists(st.tuples(lines, ends).map(b"".join), max_size=20).map(b"".join)


@given(stream=streams | st.binary(max_size=80), places=st.lists(st.integers(0, 500), max_size=20))
def test_any_chunking_gives_the_same_events(stream: bytes, places: list[int]) -> None:
    assert parse(*cut(stream, places)) == parse(stream)
    assert parse(*(stream[i : i + 1] for i in range(len(stream)))) == parse(stream)


@given(stream=streams | st.binary(max_size=80))
def test_offsets_rise_and_name_the_event_s_own_bytes(stream: bytes) -> None:
    end = 0
    for event in parse(stream):
        assert end <= event.start < event.end <= len(stream)
        end = event.end
        [again] = parse(stream[event.start : event.end])
        assert (again.name, again.data) == (event.name, event.data)


def test_ten_megabytes_in_one_event_take_linear_time() -> None:
    stream = b"data: " + b"x" * 10_000_000 + b"\n\n"
    parser = SseParser()
    started = time.process_time()
    found = [
        event for at in range(0, len(stream), 4096) for event in parser.feed(stream[at : at + 4096])
    ]

    assert found == [SseEvent(0, len(stream), "", b"x" * 10_000_000)]
    assert time.process_time() - started < 2


@given(stream=streams | st.binary(max_size=80))
def test_a_stream_read_at_once_has_the_same_events(stream: bytes) -> None:
    expected = parse(stream)
    parser = SseParser()

    assert parser.read(stream) == [(event.name, event.data, event.whole) for event in expected]
    assert parser.events == len(expected)


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_what_begins_within_an_event_goes_on_after_it(end: bytes) -> None:
    event = end.join([b"event: e", b"data: x", b"", b""])
    stream = event * 4
    whole = [SseEvent(n * len(event), (n + 1) * len(event), "e", b"x") for n in range(4)]

    for place in range(len(event)):
        assert parse(stream[:place], stream[place:]) == whole
