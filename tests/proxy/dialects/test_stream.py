from __future__ import annotations

from collections.abc import Callable
from typing import Any

from traceproof.proxy.dialects import wire
from traceproof.proxy.dialects.base import ChatResponse, StreamEvent, Texts
from traceproof.proxy.dialects.stream import Added, EventStream, texts_of


class Recording:
    """An assembler that writes down what it is given."""

    def __init__(self) -> None:
        self.notes = wire.Notes()
        self.unknown: list[Any] = []
        self.taken: list[tuple[str, Any]] = []

    def take(self, name: str, data: Any) -> Added:
        self.taken.append((name, data))
        return [("a", str(data)), ("b", "more")] if data else []

    def take_text(self, name: str, text: str) -> bool:
        self.taken.append((name, text))
        return text == "END"

    def finish(self) -> ChatResponse:
        return ChatResponse(id="assembled", unknown=self.unknown, problems=self.notes.lines())


def start(
    unstreamed: Callable[[bytes], ChatResponse] = lambda body: ChatResponse(id=body.decode()),
) -> tuple[Recording, EventStream]:
    assembler = Recording()
    return assembler, EventStream(assembler, unstreamed)


def test_events_are_taken_at_once_and_say_what_they_add() -> None:
    assembler, stream = start()
    events = stream.feed(b"event: e\ndata: 1\n\ndata: 0\n\n")

    assert assembler.taken == [("e", 1), ("", 0)]
    assert list(events) == [
        StreamEvent(0, 18, "e", 1, "a", "1", (("b", "more"),)),
        StreamEvent(18, 27, "", 0),
    ]


def test_text_that_means_nothing_is_unknown() -> None:
    _, stream = start()
    events = list(stream.feed(b"data: END\n\ndata: what\n\n"))
    made = stream.close()

    assert [event.data for event in events] == ["END", "what"]
    assert made.unknown == ["what"]
    assert made.problems == ["an event is not JSON"]


def test_a_stream_that_ends_inside_an_event_says_so() -> None:
    assembler, stream = start()
    list(stream.feed(b'data: 1\n\ndata: {"cut'))
    last = list(stream.finish())
    made = stream.close()

    assert last == [StreamEvent(9, 20, "", '{"cut')]
    assert assembler.taken == [("", 1), ("", '{"cut')]
    assert made.problems == ["the stream ends inside an event"]


def test_a_last_event_that_is_whole_but_for_its_blank_line_counts() -> None:
    assembler, stream = start()
    stream.feed(b"data: 1")
    made = stream.close()

    assert assembler.taken == [("", 1)]
    assert made.problems == []


def test_a_body_that_is_no_event_stream_is_read_as_a_whole() -> None:
    _, stream = start()
    stream.feed(b'{"error": 1}')

    assert stream.close().id == '{"error": 1}'


def test_stray_lines_between_events_are_noted() -> None:
    _, stream = start()
    stream.feed(b"garbage\ndata: 1\n\n")

    assert stream.close().problems == ["7 bytes are no part of the event stream"]


def test_no_bytes_at_all() -> None:
    assert start()[1].close().id == "assembled"


def test_a_response_read_at_once_gives_its_texts_by_channel() -> None:
    assembler, stream = start()

    assert stream.read(b"event: e\ndata: 1\n\ndata: 2\n\ndata: wh") == {
        "a": ["1", "2"],
        "b": ["more", "more"],
    }
    assert assembler.taken == [("e", 1), ("", 2), ("", "wh")]
    assert stream.close().problems == ["the stream ends inside an event"]


def test_what_the_short_way_takes_is_not_taken_again() -> None:
    def quick(data: bytes, texts: Texts) -> bool:
        texts.setdefault("quick", []).append(data.decode())
        return data == b"1"

    assembler = Recording()
    stream = EventStream(assembler, lambda _: ChatResponse(), quick)

    assert stream.read(b"data: 1\n\ndata: 0\n\n") == {"quick": ["1", "0"]}
    assert assembler.taken == [("", 0)]


def test_texts_of_events() -> None:
    events = [
        StreamEvent(0, 1, "", None),
        StreamEvent(1, 2, "", 1, "a", "1", (("b", "2"),)),
        StreamEvent(2, 3, "", 1, "b", "3"),
    ]

    assert texts_of(events) == {"a": ["1"], "b": ["2", "3"]}
