from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from typing import Any

import pytest

from traceproof.proxy.testing import (
    Burst,
    CrLf,
    Cut,
    Delay,
    Drop,
    Encode,
    ErrorEvent,
    Fault,
    Frame,
    Header,
    Hold,
    Huge,
    Insert,
    Say,
    Split,
    Status,
    Turn,
)
from traceproof.proxy.testing.answer import Answer
from traceproof.proxy.testing.anthropic import Anthropic
from traceproof.proxy.testing.perform import for_version, perform, split_body
from traceproof.proxy.testing.wire import Reply

WIRE = Anthropic()
REPLY = Reply(Turn([Say("naïve ✓ text")]), 0, 0, "talk", "claude-x")


def played(*faults: Fault, stream: bool = True, accepted: str = "") -> Answer:
    return perform(WIRE, REPLY, faults, stream=stream, accepted=accepted)


def names(chunks: Sequence[bytes]) -> list[str]:
    return [chunk.split(b"\n")[0].decode().strip() for chunk in chunks]


def test_a_stream_is_chunked_one_event_a_chunk() -> None:
    answer = played()

    assert answer.framing == "chunked"
    assert ("content-type", "text/event-stream; charset=utf-8") in answer.headers
    assert list(answer.chunks) == WIRE.events(REPLY)


def test_a_whole_answer_tells_its_length() -> None:
    answer = played(stream=False)

    assert ("content-length", str(len(WIRE.whole(REPLY)))) in answer.sent_headers
    assert answer.body == WIRE.whole(REPLY)


def test_status_answers_in_the_shape_of_the_api() -> None:
    answer = played(Status(429, retry_after=3))

    assert answer.status == 429
    assert ("retry-after", "3") in answer.headers
    assert json.loads(answer.body)["error"]["type"] == "rate_limit_error"


def test_an_error_event_is_the_last() -> None:
    answer = played(ErrorEvent(after=2))

    assert names(answer.chunks) == [
        "event: message_start",
        "event: content_block_start",
        "event: error",
    ]
    assert answer.ending == "complete"


@pytest.mark.parametrize(
    ("insert", "expected"),
    [
        (
            Insert(after=1, event={"type": "novelty"}),
            b'event: novelty\ndata: {"type":"novelty"}\n\n',
        ),
        (Insert(after=1, data="{oops"), b"data: {oops\n\n"),
        (Insert(after=1, raw=": a comment\n\n"), b": a comment\n\n"),
    ],
)
def test_something_more_comes_after_an_event(insert: Insert, expected: bytes) -> None:
    first, *rest = WIRE.events(REPLY)

    assert list(played(insert).chunks) == [first, expected, *rest]


def test_lines_may_end_in_crlf() -> None:
    assert played(CrLf()).body == b"".join(WIRE.events(REPLY)).replace(b"\n", b"\r\n")


def test_cut_ends_after_an_event_with_no_end_mark() -> None:
    answer = played(Cut(events=2))

    assert len(answer.chunks) == 2
    assert answer.ending == "closed"
    assert not b"".join(answer.writes).endswith(b"0\r\n\r\n")


def test_cut_without_a_count_sends_everything_but_the_end_mark() -> None:
    assert played(Cut()).body == played().body
    assert not b"".join(played(Cut()).writes).endswith(b"0\r\n\r\n")


@pytest.mark.parametrize("events", [None, 5])
def test_cut_of_a_whole_answer_leaves_it_short_of_its_length(events: int | None) -> None:
    answer = played(Cut(events=events), stream=False)

    assert ("content-length", str(len(answer.body) + 1)) in answer.sent_headers


def test_drop_counts_bytes() -> None:
    answer = played(Drop(after=100, reset=True))

    assert answer.body == played().body[:100]
    assert answer.ending == "reset"
    assert not answer.silent
    assert not answer.at_once


def test_drop_without_a_count_sends_nothing() -> None:
    assert played(Drop()).silent


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_an_encoded_stream_can_be_read_event_by_event(coding: Any) -> None:
    answer = played(Encode(coding), accepted="br, gzip, deflate")
    reader = zlib.decompressobj(wbits=47)

    assert ("content-encoding", coding) in answer.headers
    assert [reader.decompress(chunk) for chunk in answer.chunks] == WIRE.events(REPLY)
    assert reader.eof


def test_encoding_asks_leave_unless_forced() -> None:
    assert played(Encode("gzip"), accepted="br").body == played().body
    assert played(Encode("gzip", force=True)).body[:2] == b"\x1f\x8b"


def test_bytes_split_anywhere() -> None:
    assert list(split_body(b"abcde", "bytes", 2)) == [b"ab", b"cd", b"e"]


def test_characters_split_in_their_middle() -> None:
    assert list(split_body("aé✓b".encode(), "characters")) == [b"a\xc3", b"\xa9\xe2", b"\x9c\x93b"]


def test_lines_split_in_their_middle() -> None:
    assert list(split_body(b"event: x\ndata: y\n\n", "lines", 2)) == [
        b"ev",
        b"ent: x\nda",
        b"ta: y\n\n",
    ]


@pytest.mark.parametrize("where", ["bytes", "characters", "lines"])
def test_splitting_changes_no_byte(where: Any) -> None:
    assert played(Split(where)).body == played().body
    assert len(played(Split(where)).chunks) != len(played().chunks)


def test_a_body_may_be_framed_by_the_closing_connection() -> None:
    answer = played(Frame(by="close"))

    assert ("connection", "close") in answer.sent_headers
    assert list(answer.writes) == list(answer.chunks)
    assert for_version(played(), "HTTP/1.0").framing == "close"


def test_a_stream_may_tell_its_length() -> None:
    answer = played(Frame(by="length"))

    assert ("content-length", str(len(answer.body))) in answer.sent_headers


def test_headers_may_repeat() -> None:
    answer = played(Header(name="set-cookie", value="a=1"), Header(name="set-cookie", value="b=2"))

    assert [value for name, value in answer.headers if name == "set-cookie"] == ["a=1", "b=2"]


def test_huge_says_megabytes() -> None:
    assert 2 << 20 < played(Huge(megabytes=2)).size < 3 << 20


def test_delays_and_holds_keep_it_from_being_sent_at_once() -> None:
    assert played().at_once
    assert not played(Delay(first=0.5)).at_once
    assert not played(Delay(each=0.5)).at_once
    assert not played(Hold(after=2)).at_once


def test_burst_joins_writes() -> None:
    assert len(played(Burst()).script) == 1
    assert len(played(Burst(chunks=3)).script) == 1 + -(-len(played().chunks) // 3)
    assert b"".join(played(Burst(chunks=3)).script) == b"".join(played().script)


def test_a_refusal_is_one_write_as_clients_may_leave_after_its_status() -> None:
    assert len(played(Status(429)).script) == 1
    assert len(played(Status(429), Burst(chunks=1)).script) == 2


def test_faults_combine() -> None:
    answer = played(
        Split("bytes", 5),
        Encode("gzip"),
        Insert(after=2, event={"type": "novelty"}),
        CrLf(),
        accepted="gzip",
    )
    text = zlib.decompress(answer.body, wbits=47)

    assert {len(chunk) for chunk in answer.chunks[:-1]} == {5}
    assert b'event: novelty\r\ndata: {"type":"novelty"}\r\n\r\n' in text
