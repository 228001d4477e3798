from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from traceproof.proxy.capture import Capture, OneSession, Place
from traceproof.proxy.dialects.anthropic import AnthropicMessages
from traceproof.proxy.testing import Say
from traceproof.recorder import semconv

if TYPE_CHECKING:
    from pathlib import Path

    from tests.proxy.conftest import Desk, Kept
    from traceproof.proxy.exchange import Exchange


class Recorder:
    """A capture with the switches of a recording: consent, and refusal."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.paused: list[tuple[int, int]] = []
        self.refusing = False
        self.capture = Capture(desk.context, consents=self._consents, refuses=lambda: self.refusing)

    def relay(self, exchange: Exchange) -> None:
        """Do what the relay does with a call, all at once."""
        self.capture.request_started(exchange)
        self.capture.request_ended(exchange)
        self.capture.response_started(exchange)
        self.capture.ended(exchange)

    def settle(self) -> None:
        """Wait until all that is queued has been done."""
        done = threading.Event()
        self.capture.run(done.set)
        assert done.wait(10)

    def kept(self) -> Kept:
        self.capture.close()
        return self.desk.kept()

    def _consents(self, start: int, end: int) -> bool:
        return not any(begin <= end and start <= until for begin, until in self.paused)


@pytest.fixture
def recorder(desk: Desk) -> Iterator[Recorder]:
    made = Recorder(desk)
    yield made
    made.capture.close()


def states(kept: Kept) -> list[object]:
    return [span.attributes.get(semconv.CALL_STATE) for span in kept.spans]


def breaking(monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    """Put a fault into a dialect, as a bug of ours would."""

    def fail(*_: Any, **__: Any) -> Any:
        raise RuntimeError("a bug")

    monkeypatch.setattr(AnthropicMessages, method, fail)


def test_calls_become_spans_in_the_order_in_which_they_end(recorder: Recorder) -> None:
    first, second = (recorder.desk.answered(Say(text)) for text in ("one", "two"))
    recorder.capture.request_started(first)
    recorder.capture.request_ended(first)
    recorder.relay(second)
    recorder.capture.ended(first)

    kept = recorder.kept()

    said = [str(span.attributes[semconv.OUTPUT_MESSAGES]) for span in kept.spans]
    assert ["two" in said[0], "one" in said[1]] == [True, True]
    assert recorder.capture.faults == []


def test_a_call_that_ends_before_its_request_did_is_recorded_too(recorder: Recorder) -> None:
    call = recorder.desk.answered(Say("no need to hear it all"))
    recorder.capture.request_started(call)
    recorder.capture.response_started(call)
    recorder.capture.ended(call)

    assert states(recorder.kept()) == ["complete"]


def test_a_call_in_flight_is_on_record_before_it_ends(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = recorder.desk.answered(Say("Hello there"), piece=4)
    looked = threading.Event()
    pending = recorder.desk.session.pending_call

    def note(*arguments: Any) -> None:
        pending(*arguments)
        looked.set()

    monkeypatch.setattr(recorder.desk.session, "pending_call", note)
    recorder.capture.request_started(call)
    recorder.capture.request_ended(call)
    assert looked.wait(10)
    recorder.capture.ended(call)

    kept = recorder.kept()
    assert states(kept) == ["complete"]
    assert not any(record.pending for record in kept.records)


def test_what_is_in_flight_at_the_end_is_cut(recorder: Recorder) -> None:
    call = recorder.desk.answered(Say("Hello there"), piece=4)
    del call.response_chunks[4:]
    recorder.capture.request_started(call)
    recorder.capture.request_ended(call)

    kept = recorder.kept()

    assert states(kept) == ["cut"]
    assert kept.one().status_message == "the recording ended first"


def test_a_call_during_a_pause_leaves_no_span(recorder: Recorder) -> None:
    recorder.paused = [(0, 10**18)]
    recorder.relay(recorder.desk.answered(Say("private")))

    assert recorder.kept().spans == []


def test_a_call_that_a_pause_came_into_leaves_no_content(recorder: Recorder) -> None:
    call = recorder.desk.answered(Say("private"))
    recorder.capture.request_started(call)
    recorder.capture.request_ended(call)
    recorder.settle()
    recorder.paused = [(call.started + 5, call.started + 9)]
    recorder.capture.response_started(call)
    recorder.capture.ended(call)

    kept = recorder.kept()

    assert states(kept) == ["unrecorded"]
    assert "private" not in str(kept.one())


@pytest.mark.parametrize(
    ("method", "name"),
    [("attributes", "POST /v1/messages"), ("message", "POST /v1/messages"), ("stream", "chat m-1")],
)
def test_a_fault_of_ours_costs_the_meaning_and_not_the_bytes(
    recorder: Recorder,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    method: str,
    name: str,
) -> None:
    call = recorder.desk.answered(Say("Hello"))
    breaking(monkeypatch, method)

    with caplog.at_level(logging.ERROR):
        recorder.relay(call)
        recorder.settle()
    monkeypatch.undo()
    recorder.relay(recorder.desk.answered(Say("the next")))
    kept = recorder.kept()

    broken, sound = kept.spans
    assert broken.name == name
    assert kept.body(broken, "request")[0] == call.request_chunks[0].data
    sent = b"".join(chunk.data for chunk in call.response_chunks)
    assert kept.body(broken, "response")[0] == sent
    assert "the recorder failed on this call" in str(broken.attributes[semconv.CALL_PROBLEM])
    assert sound.attributes[semconv.CALL_STATE] == "complete"
    assert recorder.capture.faults == ["RuntimeError while recording: see the log"]
    assert "a bug" in caplog.text


def test_refusal_is_the_recordings_word(recorder: Recorder) -> None:
    assert recorder.capture.refuses() is False
    recorder.refusing = True
    assert recorder.capture.refuses() is True


def test_actions_run_in_order_on_one_thread(recorder: Recorder) -> None:
    seen: list[tuple[int, str]] = []
    action: Callable[[int], Callable[[], None]] = lambda n: (  # noqa: E731
        lambda: seen.append((n, threading.current_thread().name))
    )
    for number in range(3):
        recorder.capture.run(action(number))
    recorder.settle()

    assert seen == [(number, "traceproof-capture") for number in range(3)]


def test_an_action_that_somebody_waits_for_cuts_the_courtesy_short(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("traceproof.proxy.capture._COURTESY", 3600)
    done: list[str] = []
    last = threading.Event()

    recorder.capture.run(lambda: done.append("can wait"))
    recorder.capture.run(last.set, at_once=True)

    assert last.wait(30)
    assert done == ["can wait"]
    monkeypatch.undo()


def test_a_fault_in_what_decides_on_consent_does_not_end_the_recording(desk: Desk) -> None:
    broken = threading.Event()

    def consents(_start: int, _end: int) -> bool:
        if broken.is_set():
            raise OSError("a fault")
        return True

    capture = Capture(desk.context, consents=consents)
    first, second = desk.answered(Say("one")), desk.answered(Say("two"))
    capture.request_started(first)
    broken.set()
    capture.request_ended(first)
    capture.ended(first)
    done = threading.Event()
    capture.run(done.set)
    assert done.wait(10)
    broken.clear()
    for tell in (capture.request_started, capture.request_ended, capture.ended):
        tell(second)
    capture.close()

    assert capture.faults
    assert "complete" in states(desk.kept())


# --- many sessions --------------------------------------------------------------------------------


class Two:
    """Two sessions by the path of a call; `/none` is in neither."""

    busy = False

    def __init__(self, desks: dict[str, Desk]) -> None:
        self.desks = desks
        self.refused: set[str] = set()
        self.ended: list[str] = []
        self.looked = threading.Event()

    def admits(self, exchange: Exchange) -> bool:
        return exchange.path not in self.refused

    def choose(self, exchange: Exchange) -> Place | None:
        desk = self.desks.get(exchange.path)
        return Place(desk.context, lambda _start, _end: True) if desk else None

    def done(self, exchange: Exchange) -> None:
        self.ended.append(exchange.path)

    def look(self) -> None:
        self.looked.set()


@pytest.fixture
def two(desk: Desk, tmp_path: Path) -> Iterator[Two]:
    new = type(desk)
    made = Two({path: new(tmp_path / f"{n}.otlp.jsonl.zst") for n, path in enumerate(PATHS)})
    yield made
    for each in made.desks.values():
        each.writer.close()


PATHS = ("/a/v1/messages", "/b/v1/messages")


def test_each_call_goes_to_the_session_that_was_chosen(two: Two) -> None:
    capture = Capture(two)
    two.refused = {"/refused/v1/messages"}
    desk = next(iter(two.desks.values()))
    for path in (*PATHS, "/none", "/refused/v1/messages"):
        call = desk.answered(Say(f"for {path}"), path=path)
        for tell in (capture.request_started, capture.request_ended, capture.ended):
            tell(call)
    capture.close()

    for path, each in two.desks.items():
        assert f"for {path}" in str(each.kept().one().attributes)
    assert two.ended == [*PATHS, "/none", "/refused/v1/messages"]
    assert capture.faults == []


def test_sessions_are_looked_at_while_no_call_is_in_flight_too(two: Two) -> None:
    two.busy = True
    capture = Capture(two)
    capture.run(lambda: None)

    assert two.looked.wait(10)
    capture.close()


def test_faults_are_counted_all_and_listed_to_a_bound(desk: Desk) -> None:
    def fail() -> None:
        raise RuntimeError("a bug")

    capture = Capture(desk.context)
    logging.getLogger("traceproof.proxy.capture").disabled = True
    try:
        for _ in range(150):
            capture.run(fail)
        capture.close()
    finally:
        logging.getLogger("traceproof.proxy.capture").disabled = False

    assert (len(capture.faults), capture.fault_count) == (100, 150)


def test_a_fault_at_the_end_of_one_call_leaves_the_others_their_end(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    capture = Capture(desk.context)
    calls = [desk.answered(Say(text)) for text in ("one", "two")]
    for call in calls:
        capture.request_started(call)
        capture.request_ended(call)
    done = OneSession.done

    def fail(self: OneSession, exchange: Exchange) -> None:
        if exchange is calls[0]:
            raise RuntimeError("a bug")
        done(self, exchange)

    monkeypatch.setattr(OneSession, "done", fail)
    capture.close()

    assert states(desk.kept()) == ["complete"] * 2
    assert capture.fault_count == 1
