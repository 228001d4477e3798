from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traceproof.proxy.dialects import find_socket
from traceproof.proxy.dialects.openai_responses_socket import Asked, Event, ResponsesSocket

SOCKET = ResponsesSocket()


@pytest.mark.parametrize(
    "path", ["/v1/responses", "/backend-api/codex/responses/?a=b", "/responses"]
)
def test_it_is_opened_where_responses_are_posted(path: str) -> None:
    assert find_socket(path) is not None


@pytest.mark.parametrize("path", ["/v1/realtime", "/v1/responses/resp_1", "/"])
def test_other_sockets_are_unknown(path: str) -> None:
    assert find_socket(path) is None


@pytest.mark.parametrize(
    ("message", "asked"),
    [
        ({"type": "response.create"}, Asked("", "")),
        ({"type": "response.create", "generate": True}, Asked("", "")),
        ({"type": "response.create", "generate": False}, Asked("", "warm_up")),
        ({"type": "response.create", "previous_response_id": "r"}, Asked("r", "")),
        ({"type": "response.create", "previous_response_id": 7}, Asked("", "")),
        ({"type": "response.processed"}, None),
        ({"type": ["response.create"]}, None),
        ([], None),
        (7, None),
    ],
)
def test_one_kind_of_message_asks(message: Any, asked: Asked | None) -> None:
    assert SOCKET.asked(json.dumps(message).encode()) == asked


@pytest.mark.parametrize(
    ("message", "event"),
    [
        ({"type": "response.created"}, Event(of_response=True)),
        ({"type": "response.completed"}, Event(of_response=True, last=True)),
        ({"type": "response.incomplete"}, Event(of_response=True, last=True)),
        ({"type": "response.failed"}, Event(of_response=True, last=True)),
        ({"type": "error"}, Event(last=True)),
        ({"type": "error", "status": 429}, Event(last=True, status=429)),
        ({"type": "error", "status": 200}, Event(last=True)),
        ({"type": "error", "status": "429"}, Event(last=True)),
        ({"type": "error", "headers": {"a": "b", "c": 1}}, Event(last=True, headers={"a": "b"})),
        ({"type": "response.metadata", "headers": ["a"]}, Event(of_response=True)),
        ({"type": "codex.rate_limits"}, Event()),
        ({"type": None}, Event()),
        ({}, Event()),
        ("response.completed", Event()),
    ],
)
def test_an_event_may_be_the_last(message: Any, event: Event) -> None:
    assert SOCKET.event(json.dumps(message).encode()) == event


def test_metadata_may_stand_for_headers() -> None:
    metadata = {"ws_request_header_traceparent": "00-…", "ws_request_header_x_a": "b", "turn": "1"}

    assert told(metadata) == {"traceparent": "00-…", "x-a": "b"}
    assert told(["ws_request_header_a"]) == told({"ws_request_header_a": 1}) == {}


def told(metadata: Any) -> dict[str, str]:
    message = {"type": "response.create", "client_metadata": metadata}
    asked = SOCKET.asked(json.dumps(message).encode())
    assert asked is not None
    return asked.headers


@given(st.binary() | st.text().map(str.encode) | st.just(b"[" * 5000))
def test_no_message_raises(data: bytes) -> None:
    assert SOCKET.asked(data) is None
    assert SOCKET.event(data) == Event()
