from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from support.frames import deltas, said
from traceproof.proxy.dialects.openai_responses_stream import ResponseAssembler
from traceproof.proxy.exchange import Chunk, Exchange
from traceproof.proxy.websocket.answer import Beside, MessageAnswer
from traceproof.recorder import semconv
from traceproof.recorder.reader import TraceReader
from traceproof.recorder.span import Attributes

if TYPE_CHECKING:
    from tests.proxy.conftest import Desk

KEY = "fake-key-0123456789"
EVENTS = [
    {"type": "response.created", "response": {"id": "resp_1"}},
    {"type": "response.output_item.done", "output_index": 0, "item": said("Hello")},
    {"type": "response.completed", "response": {"id": "resp_1", "status": "completed"}},
]


def stored(desk: Desk, attributes: Attributes) -> bytes:
    desk.writer.flush()
    ref = str(attributes[semconv.REF + semconv.RESPONSE_BODY])
    with TraceReader.open(desk.writer.path) as reader:
        return b"".join(reader.iter_body(ref))


def new_answer(desk: Desk, exchange: Exchange, *, cut_short: bool = False) -> MessageAnswer:
    return MessageAnswer(
        exchange, ResponseAssembler(), desk.redactor, desk.writer, cut_short=lambda: cut_short
    )


def messages(*events: object) -> list[Chunk]:
    return [Chunk(number, json.dumps(event).encode()) for number, event in enumerate(events)]


def test_messages_are_read_and_kept_as_they_come(desk: Desk) -> None:
    exchange = desk.exchange(b"", [])
    answer = new_answer(desk, exchange)
    assert answer.look() == {}
    for chunk in messages(*EVENTS):
        exchange.response_chunks.append(chunk)
        last = answer.look()

    done = answer.finish()

    sent = b"".join(chunk.data for chunk in exchange.response_chunks)
    assert stored(desk, last) == stored(desk, done) == sent
    assert answer.response().messages[0].parts[0]["content"] == "Hello"
    assert (answer.response_id, answer.output()) == ("resp_1", [said("Hello")])


def test_what_has_not_ended_cannot_be_gone_on_from(desk: Desk) -> None:
    exchange = desk.exchange(b"", [], response_chunks=messages(*EVENTS[:2]))
    answer = new_answer(desk, exchange)
    answer.finish()

    assert answer.response().id == "resp_1"
    assert (answer.response_id, answer.output()) == ("", [])


@pytest.mark.parametrize(
    ("cut_short", "note"),
    [(False, "a message is not JSON"), (True, "the stream ends inside a message")],
)
def test_a_message_that_is_not_json_is_kept_and_noted(
    desk: Desk, note: str, *, cut_short: bool
) -> None:
    exchange = desk.exchange(b"", [b'{"type":'])
    answer = new_answer(desk, exchange, cut_short=cut_short)

    assert stored(desk, answer.finish()) == b'{"type":'
    assert answer.response().problems == [note]


def test_a_secret_that_is_spelt_out_is_masked(desk: Desk) -> None:
    desk.redactor.add("KEY", KEY)
    exchange = desk.exchange(b"", [], response_chunks=messages(*deltas(f"It is {KEY}!", 2)))

    body = stored(desk, new_answer(desk, exchange).finish())

    assert b"<SECRET:KEY>" in body
    assert b"fa" not in body


def test_messages_beside_any_call_are_kept_with_their_times(desk: Desk) -> None:
    desk.redactor.add("KEY", KEY)
    beside = Beside(desk.redactor, desk.writer)
    for chunk in messages({"a": "one"}, *({"b": {"c": KEY[at : at + 5]}} for at in (0, 5, 10, 15))):
        beside.take(chunk)

    body = stored(desk, {semconv.REF + semconv.RESPONSE_BODY: beside.finish()})

    assert body.startswith(b'{"a": "one"}{"b": {"c": "<SECRET:KEY>"}}{"b": {"c": ""}}')
    assert [arrival.time for arrival in beside.arrivals] == [0, 1, 2, 3, 4]
