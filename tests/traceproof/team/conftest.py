"""A shared proxy without its relay: exchanges go in as the relay hands them over."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from traceproof.proxy.capture import Capture
from traceproof.proxy.exchange import Chunk, Exchange
from traceproof.proxy.team.meter import Meter
from traceproof.proxy.team.room import Room
from traceproof.proxy.testing import Say, Script, Turn
from traceproof.proxy.testing.http1 import Head
from traceproof.proxy.testing.model import Model
from traceproof.recorder import semconv
from traceproof.recorder.reader import TraceReader
from traceproof.recorder.secrets import Secret
from traceproof.recorder.span import Span
from traceproof.recorder.store import Store
from traceproof.team.sessions import MOST_OPEN, TeamSessions
from traceproof.team.settings import Address, TeamSettings

CLAUDE = {"user-agent": "claude-cli/2.1.197 (external, cli)"}
OPENAI = {"user-agent": "OpenAI/Python 1.99.1"}
NANOSECONDS = 10**9


def exchange(
    *texts: str,
    user: str = "",
    session: str = "",
    answer: str = "Hello",
    headers: dict[str, str] | None = None,
) -> Exchange:
    """Return an ended call that asks with these texts, the model's in between."""
    fields = {**(headers or (CLAUDE if session else OPENAI)), "content-type": "application/json"}
    if session:
        fields["x-claude-code-session-id"] = session
    said = [
        {"role": "assistant" if n % 2 else "user", "content": text} for n, text in enumerate(texts)
    ]
    body = json.dumps({"model": "m", "max_tokens": 9, "messages": said, "stream": True}).encode()
    path, now = "/v1/messages", time.time_ns()
    head = Head("POST", path, "HTTP/1.1", [])
    answered = Model(Script.of([Turn([Say(answer)])])).exchange(head, body).answer
    made = Exchange(
        "POST", "https", "api.anthropic.com", 443, path, "HTTP/1.1", list(fields.items()), now
    )
    made.user = user
    made.request_chunks.append(Chunk(now, body))
    made.request_ended = made.response_started = now + 1
    made.status, made.response_headers = 200, answered.headers
    made.response_chunks += [Chunk(now + 2 + n, data) for n, data in enumerate(answered.chunks)]
    made.ended = now + 1000
    return made


class Traces:
    """What is in a store."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def all(self) -> list[list[Span]]:
        """Return the spans of each trace, content and all, the root first."""
        return [self.spans(path) for path in self.store.paths()]

    def spans(self, path: Path) -> list[Span]:
        with TraceReader.open(path) as reader:
            spans = [record.span for record in reader.records(inline=True)]
        return sorted(spans, key=lambda span: (bool(span.parent_id), span.start))

    def roots(self) -> list[Span]:
        return [spans[0] for spans in self.all()]

    def by(self, name: str) -> dict[Any, list[Span]]:
        """Return the traces by an attribute of their root."""
        return {spans[0].attributes.get(name): spans for spans in self.all()}


def chats(spans: Sequence[Span]) -> list[Span]:
    return [span for span in spans if span.attributes.get(semconv.OPERATION_NAME) == "chat"]


class Recorder:
    """The sessions of a proxy with the recorder's thread, a clock of their own, and no relay."""

    def __init__(
        self, settings: TeamSettings, secrets_of: Callable[[str], list[Secret]], most: int
    ) -> None:
        settings.store.create()
        self.store = settings.store
        self.said: list[str] = []
        self.now = 1000.0
        self.room = Room(settings.quota, say=self.said.append)
        self.meter = Meter()
        self.sessions = TeamSessions(
            settings,
            meter=self.meter,
            room=self.room,
            secrets_of=secrets_of,
            most=most,
            clock=lambda: self.now,
        )
        self.capture = Capture(self.sessions)
        self.meter.around(self.capture)

    def take(self, *exchanges: Exchange) -> None:
        """Do what the relay does with calls, one after the other, and wait until they are kept."""
        for each in exchanges:
            self.begin(each)
            self.meter.ended(each)
        self.settle()

    def begin(self, each: Exchange) -> None:
        self.meter.request_started(each)
        self.meter.request_ended(each)

    def settle(self) -> None:
        done = threading.Event()
        self.capture.run(done.set)
        assert done.wait(10)

    def look(self) -> None:
        """Have the recorder do what is due."""
        self.capture.run(self.sessions.look)
        self.settle()

    def close(self) -> Traces:
        self.capture.close()
        self.sessions.close()
        return Traces(self.store)


@pytest.fixture(name="exchange")
def give_exchange() -> Callable[..., Exchange]:
    """Give the function: a test cannot import what stands here."""
    return exchange


@pytest.fixture(name="chats")
def give_chats() -> Callable[[Sequence[Span]], list[Span]]:
    """Give the function."""
    return chats


@pytest.fixture
def new_recorder(tmp_path: Path) -> Iterator[Callable[..., Recorder]]:
    """Make recorders on one store; after the test nothing of them runs."""
    made: list[Recorder] = []

    def new_recorder(
        secrets_of: Callable[[str], list[Secret]] = lambda _: [],
        most: int = MOST_OPEN,
        **settings: Any,
    ) -> Recorder:
        fields = {"environment": {}, "store": Store(tmp_path / "store"), **settings}
        made.append(Recorder(TeamSettings(Address("127.0.0.1", 0), **fields), secrets_of, most))
        return made[-1]

    yield new_recorder
    for each in made:
        if each.capture._thread.is_alive():
            each.close()


@pytest.fixture
def recorder(new_recorder: Callable[..., Recorder]) -> Recorder:
    return new_recorder()
