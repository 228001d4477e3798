from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from traceproof.proxy.team.joining import Joined, Key
from traceproof.recorder import semconv
from traceproof.recorder.agents import by_name
from traceproof.recorder.flushtimer import TimerThread
from traceproof.recorder.reader import TraceReader
from traceproof.recorder.secrets import Secret
from traceproof.recorder.store import Store
from traceproof.recorder.switch import live
from traceproof.team.opened import Opened, Opening
from traceproof.team.settings import Address, TeamSettings

JOINED = Joined(Key("ada", "exact", "codex", "s1"), by_name("codex"), [])


@pytest.fixture
def opening(tmp_path: Path) -> Opening:
    settings = TeamSettings(Address("127.0.0.1", 0), Store(tmp_path / "store"), {})
    settings.store.create()
    problems: list[Any] = []
    return Opening(settings, {semconv.SOURCE: "recorder"}, TimerThread(), problems.append)


def test_a_session_is_on_disk_and_under_control_from_its_start(opening: Opening) -> None:
    session = Opened(opening, JOINED, 10**18, [], None)
    place = opening.settings.store
    assert session.writer.path.parent == place.traces_path
    (recording,) = live(place.path)
    assert recording.header.agent == "codex"
    with TraceReader.open(session.writer.path) as reader:
        (root,) = reader.records()
    assert root.span.attributes[semconv.CONVERSATION_ID] == "s1"

    session.end()
    assert session.close()
    assert live(place.path) == []


def test_a_store_that_cannot_be_written_leaves_nothing_behind(opening: Opening) -> None:
    place = opening.settings.store
    place.traces_path.rmdir()

    with pytest.raises(FileNotFoundError):
        Opened(opening, JOINED, 10**18, [], None)
    assert live(place.path) == []


def test_the_environments_secrets_are_masked_from_the_first_line(opening: Opening) -> None:
    key = Key("ada", "exact", "codex", "a-secret-of-the-machine-1")
    session = Opened(
        opening,
        JOINED._replace(key=key),
        10**18,
        [Secret("SECRET", "a-secret-of-the-machine-1")],
        None,
    )
    session.end()
    session.close()

    with TraceReader.open(session.writer.path) as reader:
        (record,) = reader.records()
    assert record.span.attributes[semconv.CONVERSATION_ID] == "<SECRET:SECRET>"
