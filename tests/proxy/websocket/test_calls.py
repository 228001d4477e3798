from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from support.frames import DEFLATE, Tape, said, user
from traceproof.proxy.conversations import Past
from traceproof.proxy.dialects.openai_responses_socket import Asked, ResponsesSocket
from traceproof.proxy.websocket.calls import SocketCall
from traceproof.proxy.websocket.messages import Message
from traceproof.recorder import semconv
from traceproof.recorder.chunks import decode_chunks

if TYPE_CHECKING:
    from tests.proxy.conftest import Desk

SOCKET = ResponsesSocket()


def message(number: int, **told: object) -> Message:
    return Message(10**9 + number, 10**9 + number, json.dumps(told).encode())


def new_call(
    desk: Desk, *, previous: str = "", purpose: str = "", deflate: str = "", **more: int
) -> SocketCall:
    asks = message(1, type="response.create", model="m-1", input=[user("Hello?")])
    asked = Asked(previous, purpose)
    upgrade = Tape(upstream="http://127.0.0.1:1", deflate=deflate).exchange
    told: dict[str, Any] = {"asked": asked, "message": asks, "opened_by": "b" * 16, **more}
    return SocketCall(upgrade, desk.context, SOCKET, **told)


def answer(call: SocketCall) -> None:
    response = {"id": "resp_1", "status": "completed"}
    assert not call.take(message(2, type="response.created", response={"id": "resp_1"}))
    assert not call.take(message(3, type="response.output_item.done", item=said("Hello.")))
    assert call.take(message(4, type="response.completed", response=response))
    call.stop(10**9 + 4)


def test_a_call_tells_where_it_went_and_not_how_the_socket_was_opened(desk: Desk) -> None:
    call = new_call(desk)
    call.begin()
    answer(call)
    call.end()

    span = desk.kept().one()
    assert span.attributes[semconv.SERVER_ADDRESS] == "api.openai.com"
    assert span.attributes[semconv.URL_PATH] == "/v1/responses"
    assert span.attributes[semconv.UPSTREAM] == "http://127.0.0.1:1"
    assert span.attributes[semconv.DIALECT] == "openai.responses"
    assert semconv.HTTP_METHOD not in span.attributes
    assert semconv.HTTP_STATUS not in span.attributes
    assert semconv.REQUEST_HEADERS not in span.attributes
    assert semconv.RESPONSE_HEADERS not in span.attributes


def test_a_call_can_be_gone_on_from(desk: Desk) -> None:
    call = new_call(desk)
    call.begin()
    answer(call)
    call.end()

    past = desk.context.conversations.past("resp_1")

    assert [json.loads(content.data)["role"] for content in past.contents] == ["user", "assistant"]
    assert past.whole


@pytest.mark.parametrize("deflate", ["", DEFLATE])
def test_an_answer_that_would_fill_the_memory_is_kept_in_part(desk: Desk, deflate: str) -> None:
    call = new_call(desk, deflate=deflate, limit=400)
    call.begin()
    for number in range(20):
        call.take(message(2 + number, type="response.output_text.delta", delta="x" * 100))
    answer(call)
    call.end()

    span = desk.kept().one()
    assert span.attributes[semconv.CALL_STATE] == "complete"
    told = str(span.attributes.get(semconv.CALL_PROBLEM, ""))
    assert told.count("over 400 bytes: not all") == bool(deflate)
    arrivals = decode_chunks(span.start, str(span.attributes[semconv.RESPONSE_CHUNKS]))
    assert len(arrivals) == (3 if deflate else 23)


def test_one_that_was_cut_cannot(desk: Desk) -> None:
    call = new_call(desk)
    call.begin()
    call.take(message(2, type="response.created", response={"id": "resp_1"}))
    call.stop(10**9 + 3, "gone")
    call.end()

    assert desk.kept().one().attributes[semconv.CALL_STATE] == "cut"
    assert desk.context.conversations.past("resp_1") == Past([], whole=False)


def test_a_call_that_broke_the_recorder_keeps_its_messages(desk: Desk) -> None:
    desk.redactor.add("KEY", "fake-key-0123456789")
    call = new_call(desk)
    call.begin()
    call.distrust()
    parts = ("fake-key-0", "123456789")
    for number, delta in enumerate(parts):
        call.take(message(2 + number, type="response.output_text.delta", delta=delta))
    call.stop(10**9 + 5)
    call.end()

    kept = desk.kept()
    body, masks = kept.body(kept.one(), "response")
    assert b'"delta": "<SECRET:KEY>"' in body
    assert [mask.encoding for mask in masks] == ["fragments"]
    assert "the recorder failed on this call" in str(kept.one().attributes[semconv.CALL_PROBLEM])
    assert desk.context.conversations.past("resp_1").contents == []
