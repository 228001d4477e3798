from __future__ import annotations

import pytest

from traceproof.proxy.exchange import Exchange
from traceproof.proxy.journal import REFUSED, Journal, readable, text


class Sink:
    def __init__(self) -> None:
        self.told: list[str] = []
        self.refusing: bool | str = False

    def request_started(self, _: Exchange) -> None:
        self.told.append("request_started")

    def request_ended(self, _: Exchange) -> None:
        self.told.append("request_ended")
        raise RuntimeError("disk full")

    def response_started(self, _: Exchange) -> None:
        self.told.append("response_started")

    def ended(self, _: Exchange) -> None:
        self.told.append("ended")

    def refuses(self) -> bool | str:
        if self.refusing == "raise":
            raise RuntimeError("no answer")
        return self.refusing


def exchange() -> Exchange:
    return Exchange("GET", "https", "a.example", 443, "/", "HTTP/1.1", [], 1)


def test_an_exchange_is_told_as_it_goes_whatever_the_sink_raises() -> None:
    sink = Sink()
    journal = Journal(sink)
    call = exchange()
    idle: list[int] = []
    journal.on_idle = lambda: idle.append(journal.live)

    journal.begin(call)
    assert journal.live == 1
    journal.request_ended(call, b"body")
    journal.response_started(call, 200, [("a", "b")])
    journal.end(call)
    journal.end(call, "told already")

    assert sink.told == ["request_started", "request_ended", "response_started", "ended"]
    assert (call.status, call.error, call.response_headers) == (200, "", [("a", "b")])
    assert [chunk.data for chunk in call.request_chunks] == [b"body"]
    assert 0 < call.request_ended <= call.response_started <= call.ended
    assert journal.faults == {"RuntimeError: disk full": 1}
    assert idle == [0]


def test_what_is_under_way_when_the_proxy_stops_says_so() -> None:
    journal = Journal(Sink())
    calls = [exchange(), exchange()]
    for call in calls:
        journal.begin(call)

    journal.abandon()

    assert [call.error for call in calls] == ["the proxy was stopped"] * 2
    assert journal.live == 0


@pytest.mark.parametrize(
    ("refusing", "why"), [(False, ""), (True, REFUSED), ("the disk is full", "the disk is full")]
)
def test_why_calls_must_not_be_made(refusing: bool | str, why: str) -> None:
    sink = Sink()
    sink.refusing = refusing

    assert Journal(sink).refusal() == why


def test_a_sink_that_cannot_tell_refuses_nothing() -> None:
    sink = Sink()
    sink.refusing = "raise"
    journal = Journal(sink)

    assert journal.refusal() == ""
    assert journal.faults == {"RuntimeError: no answer": 1}


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "a.localhost", "proxy.example"])
def test_our_own_address_is_not_dialled(host: str) -> None:
    journal = Journal(Sink())
    journal.own |= {("127.0.0.1", 8080), ("proxy.example", 8080)}

    with pytest.raises(OSError, match="that is traceproof itself"):
        journal.check_address(host, 8080)
    journal.check_address(host, 8081)


def test_what_is_no_name_is_not_dialled() -> None:
    with pytest.raises(OSError, match="that is not a host name"):
        Journal(Sink()).check_address("a" * 70 + ".example", 443)


def test_headers_are_read_as_they_were_meant() -> None:
    assert readable([(b"A", "ä".encode()), (b"B", b"\xe4")]) == [("A", "ä"), ("B", "ä")]
    assert text(b"/a%20b") == "/a%20b"
