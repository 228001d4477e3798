"""`kill -9` of the recorder at random moments of a streaming session.

Twenty sessions, some at a time, are killed once each; every test looks at what one of them left. A
failure names the moment and the seed that repeats it.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from traceproof.__main__ import run
from traceproof.proxy.testing import Call, Delay, Say, ScriptedModel, Turn, Use
from traceproof.recorder import semconv
from traceproof.recorder.reader import Record, TraceReader

KILLS = 20
AT_ONCE = 5
SESSION = 5.0
"""Seconds after the agent's start within which the recorder is killed."""

PROMPTS = 60
SECOND = 1_000_000_000
"""The promise, in nanoseconds: what happened so long before the kill is there."""

RAW = {"request": semconv.REQUEST_BODY, "response": semconv.RESPONSE_BODY}


class Aftermath(NamedTuple):
    """What a killed recorder left.

    `killed` is when, in Unix nanoseconds, and `sent` how many chunks of each call's answer the
    model had sent a second and a quarter before. `heard` is all that the agent told.
    """

    about: str
    trace: Path
    killed: int
    calls: list[Call]
    sent: list[int]
    heard: list[dict[str, Any]]

    @property
    def ended(self) -> list[Call]:
        """The calls whose spans must be there."""
        return [call for call in self.calls if 0 < call.ended <= self.killed - SECOND]

    def records(self) -> list[Record]:
        """Read the whole trace, content and all."""
        with TraceReader.open(self.trace) as reader:
            return list(reader.records(inline=True))

    def chats(self, *, pending: bool) -> list[Record]:
        """Return the model calls that ended, or those that did not."""
        return [
            record
            for record in self.records()
            if record.span.attributes[semconv.OPERATION_NAME] == "chat"
            and record.pending is pending
        ]


@pytest.fixture(scope="module")
def killed(
    seed: int,
    new_recorder: Callable[..., Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> list[Aftermath]:
    """Kill recorders, some at a time."""
    place = tmp_path_factory.mktemp("killed")

    def kill(number: int) -> Aftermath:
        chance = random.Random(seed * KILLS + number)
        moment = SESSION * (number + chance.random()) / KILLS
        about = f"kill {number} of seed {seed}, {moment:.3f} s after the agent's start"
        folder = place / str(number)
        with ScriptedModel(answers(chance)) as model, new_recorder(model, folder) as recorder:
            recorder.started()
            recorder.say(*["Go on."] * PROMPTS)
            time.sleep(max(moment - 1.25, 0.0))
            sent = [call.sent for call in model.calls]
            time.sleep(min(moment, 1.25))
            now = time.time_ns()
            recorder.kill()
            heard = recorder.rest()
            return Aftermath(about, recorder.trace, now, model.calls, sent, heard)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(kill, range(KILLS)))


def answers(chance: random.Random) -> list[Turn]:
    """Make answers that take no time or up to three seconds, and ask for a tool each."""
    return [
        Turn(
            [Say(f"{number} " + "word " * chance.randrange(2, 60)), Use("bash", {})],
            faults=[Delay(each=chance.choice([0.0, 0.01, 0.03, 0.1]))],
        )
        for number in range(PROMPTS)
    ]


@pytest.fixture(params=range(KILLS))
def left(request: pytest.FixtureRequest, killed: list[Aftermath]) -> Aftermath:
    return killed[request.param]


def test_the_agent_lives_on(left: Aftermath) -> None:
    assert len(left.heard) == PROMPTS, left.about  # it went through them all, and ended by itself


def test_every_call_that_ended_a_second_before_is_there_whole(left: Aftermath) -> None:
    there = {
        str(chat.span.attributes[semconv.REQUEST_BODY]): chat.span.attributes
        for chat in left.chats(pending=False)
    }
    for number, call in enumerate(left.ended):
        attributes = there.get(str(call.request_body))
        assert attributes is not None, f"call {number} is not there: {left.about}"
        assert attributes[semconv.RESPONSE_BODY] == call.response_body, left.about
        assert attributes[semconv.CALL_STATE] == "complete", left.about


def test_every_tool_call_answered_a_second_before_is_there(left: Aftermath) -> None:
    asked = [call for call in left.calls if call.request_ended <= left.killed - SECOND]
    tools = [
        record.span
        for record in left.records()
        if record.span.attributes.get(semconv.TOOL_STATE) == "answered"
    ]
    assert len(tools) >= len(asked) - 1, left.about  # the first call answers none


def test_the_call_in_flight_is_pending_with_what_had_arrived(
    left: Aftermath, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    pending = left.chats(pending=True)
    assert len(pending) <= 1, left.about
    sent = {call.request_body: number for call, number in zip(left.calls, left.sent, strict=False)}
    for call in left.calls:
        if call.ended >= left.killed and sent.get(call.request_body):
            (record,) = pending
            assert record.span.attributes[semconv.REQUEST_BODY] == call.request_body, left.about
            body = record.span.attributes[semconv.RESPONSE_BODY]
            assert isinstance(body, bytes)
            assert call.answer.body.startswith(body), left.about
            at_least = b"".join(call.answer.chunks[: sent[call.request_body]])
            assert len(body) >= len(at_least), left.about
    if pending:
        assert run(["show", str(left.trace)]) == 0
        shown = capsysbinary.readouterr().out.decode()
        assert [line for line in shown.splitlines() if " turn " in line and "pending" in line]


def test_no_reader_minds_and_repair_ends_the_file(
    left: Aftermath, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    before = left.records()
    _read_all(left, before, capsysbinary)

    assert run(["repair", str(left.trace)]) == 0, left.about
    assert b": repaired; " in capsysbinary.readouterr().out

    assert left.records() == before, left.about
    with TraceReader.open(left.trace) as reader:
        assert reader.closed_properly
        assert (list(reader.records()), reader.problems)[1] == [], left.about
    _read_all(left, before, capsysbinary)
    assert run(["repair", str(left.trace)]) == 0
    assert b"nothing to repair" in capsysbinary.readouterr().out


def _read_all(
    left: Aftermath, records: list[Record], capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    """Read a trace with every command that reads."""
    store = ["--store", str(left.trace.parent.parent)]
    for arguments in (["ls"], ["ls", "--json"], ["show"], ["show", "--full"], ["show", "--json"]):
        assert run([*arguments, *store]) == 0, (left.about, arguments)
    assert capsysbinary.readouterr().err == b"", left.about
    for record in records:
        for side, name in RAW.items():
            if name not in record.span.attributes:
                continue
            assert run(["raw", str(left.trace), record.span.span_id, side]) == 0, left.about
            assert capsysbinary.readouterr().out == record.span.attributes[name], left.about


def test_a_listing_says_that_the_end_is_missing(
    killed: list[Aftermath], capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    """On a copy: whether the others were repaired before depends on the order of the tests."""
    trace = killed[-1].trace
    with TraceReader.open(trace) as reader:
        closed = reader.closed_properly
    assert run(["ls", "--json", "--store", str(trace.parent.parent)]) == 0
    (row,) = json.loads(capsysbinary.readouterr().out)
    assert (row["pending"], row["closed"]) == (True, closed)
