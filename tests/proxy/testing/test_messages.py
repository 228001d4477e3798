from __future__ import annotations

import json
from typing import Any

from traceproof.proxy.testing import (
    Cut,
    Delay,
    Drop,
    Encode,
    ErrorEvent,
    Hold,
    Huge,
    Insert,
    Ping,
    Say,
    Split,
    Status,
    Turn,
)
from traceproof.proxy.testing.faults import Fault
from traceproof.proxy.testing.messages import Messages, perform_messages, plain
from traceproof.proxy.testing.openai_socket import OpenAISocket
from traceproof.proxy.testing.wire import Reply

WIRE = OpenAISocket()


def made(*faults: Fault) -> Messages:
    return perform_messages(WIRE, Reply(Turn([Say("naïve ✓")]), 1, 0, "talk", "gpt-x"), faults)


def payloads(answer: Messages) -> list[Any]:
    """Return the messages, put together from their fragments."""
    starts = [0, *answer.ends]
    joined = [b"".join(answer.plan[a:b]) for a, b in zip(starts, answer.ends, strict=False)]
    return [json.loads(payload) for payload in joined]


def test_every_event_is_a_message() -> None:
    answer = made()

    assert list(answer.ends) == list(range(1, len(answer.chunks) + 1))
    events = payloads(answer)
    assert events[0]["type"] == "response.created"
    assert events[-1]["type"] == "response.completed"
    assert answer.body == b"".join(answer.chunks)
    assert answer.sent_headers == []


def test_a_split_cuts_messages_into_fragments() -> None:
    answer = made(Split("characters"))

    assert payloads(answer) == payloads(made())
    assert len(answer.chunks) > len(answer.ends)
    assert any(chunk.endswith(b"na\xc3") for chunk in answer.chunks)


def test_a_status_is_an_error_event() -> None:
    (event,) = payloads(made(Status(429, message="Wait.", retry_after=2)))

    assert event == {
        "type": "error",
        "status": 429,
        "error": {
            "message": "Wait.",
            "type": "requests",
            "param": None,
            "code": "rate_limit_exceeded",
        },
        "headers": {"retry-after": "2"},
    }


def test_an_error_in_the_stream_ends_it() -> None:
    *_, last = events = payloads(made(ErrorEvent(after=2, kind="server_error")))

    assert (len(events), last["type"], last["status"]) == (3, "error", 500)


def test_a_drop_and_a_cut_leave_out_what_comes_after() -> None:
    whole = made()
    dropped, cut = made(Drop(after=len(whole.chunks[0]) + 5)), made(Cut(events=1))

    assert dropped.chunks == [whole.chunks[0], whole.chunks[1][:5]]
    assert (dropped.plan, dropped.ending) == (whole.plan, "closed")
    assert (cut.chunks, cut.ending) == (whole.chunks[:1], "closed")
    assert made(Drop()).silent


def test_what_is_inserted_is_a_message_too() -> None:
    answer = made(Insert(after=1, event={"type": "codex.rate_limits"}), Insert(after=2, data="no"))

    assert list(answer.chunks[1:4:2]) == [b'{"type":"codex.rate_limits"}', b"no"]


def test_times_pings_compression_and_size() -> None:
    answer = made(Delay(first=1, each=2), Hold(after=3), Ping(after=1), Encode())

    assert (answer.first_delay, answer.each_delay, answer.hold) == (1, 2, 3)
    assert (answer.pings, answer.deflate) == (frozenset({1}), True)
    assert made(Huge(megabytes=1)).size > 1 << 20


def test_plain_messages() -> None:
    answer = plain([b"one", b"two"])

    assert (answer.chunks, answer.plan, answer.ends) == ([b"one", b"two"], answer.chunks, [1, 2])
    assert plain([]).body == b""
