from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from traceproof.proxy.exchange import Chunk, Exchange
from traceproof.proxy.journal import STOPPED
from traceproof.proxy.team.meter import Meter


@dataclass
class Sink:
    """Notes what it is told."""

    told: list[str] = field(default_factory=list)
    refusing: bool | str = False

    def request_started(self, _: Exchange) -> None:
        self.told.append("request_started")

    def request_ended(self, _: Exchange) -> None:
        self.told.append("request_ended")

    def response_started(self, _: Exchange) -> None:
        self.told.append("response_started")

    def ended(self, _: Exchange) -> None:
        self.told.append("ended")

    def refuses(self) -> bool | str:
        return self.refusing


def call(status: int = 200, error: str = "") -> Exchange:
    exchange = Exchange("POST", "https", "api.anthropic.com", 443, "/", "HTTP/1.1", [], 1)
    exchange.request_chunks.append(Chunk(1, b"12345"))
    exchange.status, exchange.response_started = status, int(bool(status))
    exchange.response_chunks += [Chunk(2, b"123"), Chunk(3, b"4567")]
    exchange.error = error
    return exchange


def test_everything_is_passed_on_and_counted() -> None:
    sink = Sink()
    meter = Meter().around(sink)
    exchange = call()

    meter.request_started(exchange)
    assert (meter.live, meter.waiting) == (1, 0)
    meter.request_ended(exchange)
    meter.response_started(exchange)
    meter.ended(exchange)

    assert sink.told == ["request_started", "request_ended", "response_started", "ended"]
    assert (meter.live, meter.bytes_in, meter.bytes_out, meter.waiting) == (0, 5, 7, 12)
    assert meter.requests == {("200", "complete"): 1}
    assert meter.lag > 0
    meter.recorded(exchange)
    assert (meter.waiting, meter.lag) == (0, 0.0)


def test_how_a_call_ended_is_told_apart() -> None:
    meter = Meter().around(Sink())
    for exchange in (call(), call(529), call(0, "no route"), call(200, "cut off"), call()):
        meter.request_started(exchange)
        meter.ended(exchange)

    assert meter.requests == {
        ("200", "complete"): 2,
        ("529", "refused"): 1,
        ("0", "failed"): 1,
        ("200", "cut"): 1,
    }


def test_what_never_ended_by_the_relay_does_not_upset_the_count() -> None:
    meter = Meter().around(Sink())
    waiting, other = call(), call()
    meter.request_started(waiting)
    meter.ended(waiting)
    meter.recorded(other)

    assert meter.waiting == 12
    meter.recorded(waiting)
    meter.recorded(waiting)
    assert meter.waiting == 0


def test_refusals_are_counted() -> None:
    sink = Sink()
    meter = Meter().around(sink)
    assert meter.refuses() is False
    sink.refusing = "the disk is full"
    assert meter.refuses() == "the disk is full"
    assert meter.refused == 1


def test_a_meter_around_nothing_says_so() -> None:
    with pytest.raises(RuntimeError, match="around nothing"):
        Meter().refuses()


def test_calls_that_the_end_cut_off_are_counted() -> None:
    meter = Meter().around(Sink())
    for exchange in (call(), call(200, STOPPED), call(0, STOPPED), call(0, "no route")):
        meter.request_started(exchange)
        meter.ended(exchange)

    assert (meter.stopped, meter.live) == (2, 0)
