from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from traceproof.outcome import Outcome
from traceproof.proxy.testing import Say, ScriptedModel, Turn
from traceproof.recorder import semconv
from traceproof.recorder.reader import TraceReader
from traceproof.recorder.span import Span
from traceproof.recorder.store import Store
from traceproof.recorder.task import Task
from traceproof.recording import Recording, record
from traceproof.settings import Settings

ASK = """
import os, urllib.request
url = os.environ["ANTHROPIC_BASE_URL"] + "/v1/messages"
request = urllib.request.Request(url, b'{"model": "m", "messages": []}')
print(urllib.request.urlopen(request).read())
"""

Recorded = Callable[..., Outcome]


@pytest.fixture
def make(
    tmp_path: Path, env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Settings]:
    """Make settings for a command; agents run where we are."""
    monkeypatch.chdir(tmp_path)

    def make(*command: str, environment: dict[str, str] | None = None, **more: Any) -> Settings:
        place = more.pop("store", tmp_path / "store")
        return Settings(
            command, tmp_path, {**env, **(environment or {})}, Store(place), Task(), **more
        )

    return make


@pytest.fixture
def recorded(make: Callable[..., Settings]) -> Recorded:
    return lambda *command, **more: record(make(*command, **more))


def spans(outcome: Outcome) -> list[Span]:
    with TraceReader.open(outcome.trace) as reader:
        assert reader.closed_properly
        return list(reader.spans())


def test_the_agents_exit_code_is_in_the_outcome_and_on_the_root(recorded: Recorded) -> None:
    outcome = recorded("sh", "-c", "exit 5")

    assert (outcome.code, outcome.lost, outcome.agent) == (5, [], "sh")
    (root,) = spans(outcome)
    assert root.attributes[semconv.PROCESS_EXIT_CODE] == 5
    assert root.end > root.start


def test_a_call_of_the_agent_is_in_the_trace(recorded: Recorded) -> None:
    with ScriptedModel([Turn([Say("hello")])]) as model:
        environment = {"ANTHROPIC_BASE_URL": model.url}
        outcome = recorded(sys.executable, "-c", ASK, environment=environment)

    assert (outcome.code, outcome.lost) == (0, [])
    assert [span.attributes[semconv.OPERATION_NAME] for span in spans(outcome)] == [
        "chat",
        "invoke_agent",
    ]


def test_what_the_agent_leaves_running_is_not_waited_for(recorded: Recorded) -> None:
    assert recorded("sh", "-c", "sleep 30 >/dev/null 2>&1 & exit 0").seconds < 10


def test_nothing_is_left_of_an_agent_that_could_not_be_started(
    make: Callable[..., Settings], tmp_path: Path
) -> None:
    with pytest.raises(FileNotFoundError):
        record(make("./nosuch"))

    assert list((tmp_path / "store" / "traces").iterdir()) == []
    assert list((tmp_path / "store" / "control").iterdir()) == []


def test_signals_are_as_before_afterwards(recorded: Recorded) -> None:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGTSTP)
    before = [signal.getsignal(number) for number in numbers]

    recorded("true")

    assert [signal.getsignal(number) for number in numbers] == before


def test_a_signal_while_the_recording_ends_does_not_break_it_off(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    close = Recording.close

    def interrupted(recording: Recording, code: int) -> Outcome:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)
        return close(recording, code)

    monkeypatch.setattr(Recording, "close", interrupted)

    assert recorded("true").lost == []


def test_a_fault_while_the_recording_ends_does_not_cost_the_agents_code(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_recording: Recording, _code: int) -> Outcome:
        raise RuntimeError("oh no")

    monkeypatch.setattr(Recording, "close", fail)

    outcome = recorded("sh", "-c", "exit 5")
    assert (outcome.code, outcome.lost) == (
        5,
        ["the recording did not end well: RuntimeError: oh no"],
    )


def test_the_trace_is_not_empty_even_before_the_agent_starts(
    make: Callable[..., Settings],
) -> None:
    recording = Recording(make("true"), 1)
    recording.open()
    try:
        (path,) = recording._settings.store.paths()
        with TraceReader.open(path) as reader:
            assert reader.root().pending
    finally:
        recording.discard()
    assert not path.exists()
