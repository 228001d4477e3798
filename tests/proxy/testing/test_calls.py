from __future__ import annotations

import threading

import pytest

from traceproof.proxy.testing import Call, Request
from traceproof.proxy.testing.answer import Answer
from traceproof.proxy.testing.calls import CallLog
from traceproof.proxy.testing.model import Exchanged


def call(*chunks: bytes, silent: bool = False) -> Call:
    request = Request("POST", "/v1/messages?beta=true", [("a", "b")], b"asked")
    return Call(0, Exchanged(request, Answer(200, [], chunks, silent=silent)), 1, 2)


def test_the_body_is_what_has_been_sent_so_far() -> None:
    running = call(b"one", b"two")
    bodies = []
    for running.sent in range(3):
        bodies.append(running.response_body)

    assert bodies == [b"", b"one", b"onetwo"]


def test_a_silent_answer_has_no_status() -> None:
    dropped = call(b"one", silent=True)

    assert (dropped.status, dropped.response_headers) == (0, ())


def test_a_call_that_is_no_model_call_stands_nowhere_in_the_script() -> None:
    assert (call().wire, call().scene, call().matched) == ("", "", False)


def test_a_wait_ends_when_the_call_does() -> None:
    log, running = CallLog(), call()
    log.add(running)
    ending = threading.Thread(target=log.end, args=(running, "complete", 9))
    ending.start()
    log.wait(lambda: running.outcome == "complete", 10, "the call to end")
    ending.join()

    assert (log.snapshot(), log.ended(), running.ended) == ([running], 1, 9)


def test_a_wait_in_vain_raises() -> None:
    with pytest.raises(TimeoutError, match="waited 0 s for rain"):
        CallLog().wait(lambda: False, 0, "rain")
