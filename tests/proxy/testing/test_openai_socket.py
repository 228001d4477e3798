from __future__ import annotations

import json

from traceproof.proxy.testing import Say, Turn
from traceproof.proxy.testing.openai_socket import OpenAISocket
from traceproof.proxy.testing.wire import Reply

WIRE = OpenAISocket()


def test_it_is_no_format_of_requests_over_http() -> None:
    assert not WIRE.matches("POST", "/v1/responses")
    assert not WIRE.matches("GET", "/v1/responses")


def test_events_are_bare_json() -> None:
    events = WIRE.events(Reply(Turn([Say("hi")]), 1, 0, "talk", "gpt-x"))

    read = [json.loads(event) for event in events]
    assert read[0]["type"] == "response.created"
    assert [event["sequence_number"] for event in read] == list(range(len(read)))


def test_an_error_has_the_status_it_would_have_over_http() -> None:
    assert WIRE.error(529, None, None)["status"] == 529
    assert WIRE.error(0, "server_error", "Oh.")["status"] == 500
    told = json.loads(WIRE.not_found("resp_x"))
    assert (told["status"], told["error"]["code"]) == (400, "previous_response_not_found")
    assert "resp_x" in told["error"]["message"]


def test_a_warm_up_generates_nothing() -> None:
    created, completed = map(json.loads, WIRE.warm("resp_w", "gpt-x"))

    assert created["response"]["id"] == completed["response"]["id"] == "resp_w"
    assert completed["response"]["output"] == []
    assert completed["response"]["usage"]["total_tokens"] == 0
