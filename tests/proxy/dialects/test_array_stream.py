from __future__ import annotations

from typing import Any

import pytest

from traceproof.proxy.dialects import wire
from traceproof.proxy.dialects.array_stream import ArrayStream, SniffingStream, WholeBody
from traceproof.proxy.dialects.base import ChatResponse, ModelError, StreamEvent, StreamParser
from traceproof.proxy.dialects.stream import Added, texts_of


class Recording:
    """An assembler that writes down what it is given."""

    def __init__(self) -> None:
        self.notes = wire.Notes()
        self.unknown: list[Any] = []
        self.taken: list[Any] = []
        self.error: ModelError | None = None

    def take(self, name: str, data: Any) -> Added:
        self.taken.append((name, data))
        return [("a", str(data)), ("b", "more")] if data else []

    def take_text(self, name: str, text: str) -> bool:
        raise AssertionError((name, text))

    def finish(self) -> ChatResponse:
        return ChatResponse(
            id="assembled",
            complete=False,
            error=self.error,
            unknown=self.unknown,
            problems=self.notes.lines(),
        )


def whole(body: bytes) -> ChatResponse:
    return ChatResponse(id=body.decode())


def sniffing() -> SniffingStream:
    return SniffingStream(Recording(), whole)


def test_events_are_taken_at_once_and_say_what_they_add() -> None:
    assembler = Recording()
    events = ArrayStream(assembler).feed(b"[1,\n0")

    assert assembler.taken == [("", 1)]
    assert list(events) == [StreamEvent(1, 2, "", 1, "a", "1", (("b", "more"),))]


def test_the_array_s_end_is_the_stream_s() -> None:
    for body, complete in ((b"[1]", True), (b"[]", True), (b"[1,", False), (b"", False)):
        stream = ArrayStream(Recording())
        stream.feed(body)
        assert stream.close().complete is complete
    failed = Recording()
    failed.error = ModelError("t", "m")
    stream = ArrayStream(failed)
    stream.feed(b"[1]")
    assert not stream.close().complete


def test_what_is_not_json_is_unknown() -> None:
    stream = ArrayStream(Recording())
    events = [*stream.feed(b'[what, {"cut'), *stream.finish()]
    made = stream.close()

    assert [(event.start, event.end, event.data) for event in events] == [
        (1, 5, "what"),
        (7, 12, '{"cut'),
    ]
    assert made.unknown == ["what", '{"cut']
    assert made.problems == ["an event is not JSON", "the stream ends inside an event"]


def test_bytes_beside_the_array_are_noted() -> None:
    stream = ArrayStream(Recording())
    stream.feed(b"[1] x")

    assert stream.close().problems == ["1 bytes are no part of the array"]


def test_a_whole_body_has_no_events() -> None:
    stream = WholeBody(whole)

    assert list(stream.feed(b"{")) == list(stream.feed(b"}")) == list(stream.finish()) == []
    assert stream.close().id == "{}"


@pytest.mark.parametrize(
    ("body", "made"),
    [
        (b" \n[1]", "assembled"),
        (b"\n data: 1\n\n".strip(), "assembled"),
        (b"\n\ndata: 1\n\n", "assembled"),
        (b' {"a": 1}', ' {"a": 1}'),
        (b"<html>", "<html>"),
        (b"  ", "assembled"),
        (b"", "assembled"),
    ],
)
@pytest.mark.parametrize("step", [1, 100])
def test_the_first_byte_tells_the_form(body: bytes, made: str, step: int) -> None:
    stream: StreamParser = sniffing()
    for at in range(0, len(body), step):
        stream.feed(body[at : at + step])
    list(stream.finish())

    assert stream.close().id == made


def test_white_space_before_the_first_byte_counts_for_offsets() -> None:
    for body in (b"\n [1]", b"\n\ndata: 1\n\n"):
        stream = sniffing()
        events = [*stream.feed(body[:1]), *stream.feed(body[1:])]
        assert body[events[0].start : events[0].end].strip() in {b"1", b"data: 1"}


@pytest.mark.parametrize(
    "body", [b"[1, 0, 2]", b" [1", b"data: 1\n\ndata: 2\n\n", b'{"a": 1}', b" "]
)
def test_a_response_read_at_once_is_what_it_is_in_pieces(body: bytes) -> None:
    assembler, in_pieces = Recording(), Recording()
    stream, other = SniffingStream(assembler, whole), SniffingStream(in_pieces, whole)
    events = [event for at in range(len(body)) for event in other.feed(body[at : at + 1])]

    assert stream.read(body) == texts_of([*events, *other.finish()])
    assert assembler.taken == in_pieces.taken
    assert stream.close() == other.close()
