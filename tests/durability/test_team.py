"""`kill -9` of a team's proxy while many streams run: only the last second is gone."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from support.team import CLAUDE, HOST, OPENCODE, TeamProxy
from traceproof.__main__ import run
from traceproof.proxy.testing import Call, Delay, Say, ScriptedModel, Turn
from traceproof.recorder import semconv
from traceproof.recorder.reader import Record, TraceReader

STREAMS = 24
SECONDS = 4.0
SECOND = 1_000_000_000


class Aftermath(NamedTuple):
    """What a killed proxy left; `sent` is as of a second and a quarter before."""

    store: Path
    killed: int
    calls: list[Call]
    sent: dict[bytes, int]

    def chats(self) -> list[tuple[Path, Record]]:
        found = []
        for path in sorted((self.store / "traces").iterdir()):
            with TraceReader.open(path) as reader:
                found += [
                    (path, record)
                    for record in reader.records(inline=True)
                    if record.span.attributes[semconv.OPERATION_NAME] == "chat"
                ]
        return found


@pytest.fixture(scope="module")
def left(
    seed: int,
    agent_env: Callable[[Path], dict[str, str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Aftermath:
    """Kill a proxy in the middle of its work."""
    folder = tmp_path_factory.mktemp("team")
    numbers = itertools.count()

    def answer(_: Any) -> Turn:
        chance = random.Random(seed * 1000 + next(numbers))
        delay = Delay(each=chance.choice([0.02, 0.05, 0.1]))
        return Turn([Say("word " * chance.randrange(20, 100))], faults=[delay])

    with ScriptedModel(answer) as model:
        route = ("--route", f"{HOST}={model.url}")
        with TeamProxy(agent_env(folder), folder, *route) as proxy:
            agents = [
                threading.Thread(target=talk, args=(proxy, number)) for number in range(STREAMS)
            ]
            for agent in agents:
                agent.start()
            time.sleep(SECONDS - 1.25)
            sent = {call.request_body: call.sent for call in model.calls}
            time.sleep(1.25)
            killed = time.time_ns()
            proxy.kill()
            for agent in agents:
                agent.join()
        return Aftermath(proxy.store, killed, model.calls, sent)


def talk(proxy: TeamProxy, number: int) -> None:
    """Hold a conversation until nobody answers."""
    style: dict[str, Any] = {"headers": (CLAUDE, OPENCODE)[number % 2], "session": f"s{number}"}
    said: list[str] = []
    with (
        contextlib.suppress(OSError, http.client.HTTPException),
        proxy.agent(f"user{number % 3}") as agent,
    ):
        for turn in range(1000):
            said += [f"agent {number}, turn {turn}"]
            agent.ask(*said, **style)
            said += ["the answer"]


def test_every_call_that_ended_a_second_before_is_there_whole(left: Aftermath) -> None:
    there = {
        record.span.attributes[semconv.REQUEST_BODY]: record.span.attributes
        for _, record in left.chats()
        if not record.pending
    }
    ended = [call for call in left.calls if 0 < call.ended <= left.killed - SECOND]
    assert len(ended) > STREAMS
    for call in ended:
        attributes = there[call.request_body]
        assert attributes[semconv.RESPONSE_BODY] == call.response_body
        assert attributes[semconv.CALL_STATE] == "complete"


def test_what_was_in_flight_is_pending_with_what_had_arrived(left: Aftermath) -> None:
    pending = {
        record.span.attributes[semconv.REQUEST_BODY]: record.span.attributes
        for _, record in left.chats()
        if record.pending
    }
    in_flight = [
        call
        for call in left.calls
        if call.ended >= left.killed and left.sent.get(call.request_body)
    ]
    assert in_flight
    for call in in_flight:
        body = pending[call.request_body][semconv.RESPONSE_BODY]
        assert isinstance(body, bytes)
        assert call.answer.body.startswith(body)
        at_least = b"".join(call.answer.chunks[: left.sent[call.request_body]])
        assert len(body) >= len(at_least)


def test_each_session_is_alone_in_its_file(left: Aftermath) -> None:
    sessions: dict[Path, set[object]] = {}
    for path, record in left.chats():
        of = sessions.setdefault(path, set())
        of.add(record.span.attributes[semconv.CONVERSATION_ID])
    assert sorted(str(next(iter(each))) for each in sessions.values()) == sorted(
        f"s{number}" for number in range(STREAMS)
    )
    assert all(len(each) == 1 for each in sessions.values())


def test_every_file_can_be_listed_and_mended(
    left: Aftermath, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    before = left.chats()
    assert run(["ls", "--store", str(left.store)]) == 0
    for path in sorted((left.store / "traces").iterdir()):
        assert run(["repair", str(path)]) == 0
    assert left.chats() == before
    assert run(["doctor", "--store", str(left.store)]) == 0
    assert capsysbinary.readouterr().err == b""
    assert list((left.store / "control").iterdir()) == []
