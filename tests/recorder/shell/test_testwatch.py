"""Watching a command that runs tests; the test is the command, and the plugin in it."""

from __future__ import annotations

import threading
from pathlib import Path

import msgspec
import pytest

from traceproof.recorder import semconv
from traceproof.recorder.redaction import Redactor
from traceproof.recorder.shell.command import CommandEnd, CommandStart
from traceproof.recorder.shell.connection import Hello, Packet
from traceproof.recorder.shell.peers import RECORD, Fields, Peer
from traceproof.recorder.shell.testwatch import TestWatch, WatchedTests
from traceproof.recorder.shim import wire

TOKEN = "ghp_fakeFakeFAKEfakeFakeFAKEfake0Zx9Yw8"
START = 1_800_000_000_000_000_000
END = CommandEnd(ended=START + 2_000_000_000, exit_code=1)
SAID = b"FAILED test_x.py::test_b - assert 1 == 2\n1 failed, 1 passed in 0.33s\n"


@pytest.fixture
def watch() -> TestWatch:
    redactor = Redactor()
    redactor.add("GITHUB_TOKEN", TOKEN)
    return TestWatch(Path("/run/socket"), "token", redactor)


def started(watch: TestWatch, script: str) -> WatchedTests:
    start = CommandStart("path", "/bin/bash", ("bash", "-c", script), "/srv", 1, START)
    watched = watch.begin(start)
    assert watched is not None
    return watched


def command_of(watched: WatchedTests) -> str:
    """Return the name by which the plugin knows its command."""
    return dict(watched.fields)[b"set.TRACEPROOF_TESTS"].decode().split(":")[2]


def plugin(watch: TestWatch, watched: WatchedTests) -> Peer:
    answers: list[Fields] = []

    def answer(fields: Fields = RECORD) -> None:
        answers.append(fields)

    fields = [(b"kind", b"tests"), (b"command", command_of(watched).encode())]
    peer = watch.take(Hello(START, fields), answer)
    assert peer is not None
    assert len(answers) == 1
    return peer


def told(**event: object) -> Packet:
    return Packet(wire.TEST, START + 1_000_000_000, msgspec.json.encode(event))


def test_what_runs_no_tests_is_not_watched(watch: TestWatch) -> None:
    start = CommandStart("path", "/bin/bash", ("bash", "-c", "ls"), "/srv", 1, START)

    assert watch.begin(start) is None


def test_a_command_that_may_run_pytest_is_answered_with_the_way_to_the_plugin(
    watch: TestWatch,
) -> None:
    fields = dict(started(watch, "pytest -q").fields)

    assert fields[b"verdict"] == b"record"
    assert fields[b"set.PYTHONPATH"].endswith(b"inject")
    assert fields[b"set.TRACEPROOF_TESTS"].endswith(b":/run/socket")


def test_the_output_tells_where_no_plugin_does(watch: TestWatch) -> None:
    watched = started(watch, "pytest -q")
    watched.take("stdout", SAID[:20])
    watched.take("stdout", SAID[20:])

    (span,) = watched.results(END)

    assert span.attributes[semconv.TEST_SOURCE] == "output"
    assert span.attributes[semconv.TEST_RUN_STATUS] == "failure"


def test_results_wait_for_the_plugin_to_hang_up(watch: TestWatch) -> None:
    watched = started(watch, "pytest -q")
    peer = plugin(watch, watched)
    peer.packets([told(event="session", version="9.0")])
    spans = []
    reading = threading.Thread(target=lambda: spans.extend(watched.results(END)))
    reading.start()
    peer.look()
    peer.packets([told(event="end", exit=5)])
    peer.hung_up("it has gone")
    reading.join()

    assert [span.attributes[semconv.TEST_SOURCE] for span in spans] == ["plugin"]


def test_a_plugin_that_never_hangs_up_is_not_waited_for_long(watch: TestWatch) -> None:
    watched = started(watch, "pytest -q")
    peer = plugin(watch, watched)
    watched.take("stdout", SAID)

    assert len(watched.results(END)) == 1
    peer.close()


def test_nobody_waits_for_a_plugin_whose_command_has_ended(watch: TestWatch) -> None:
    watched = started(watch, "pytest -q")
    watched.close()
    fields = [(b"kind", b"tests"), (b"command", command_of(watched).encode())]

    assert watch.take(Hello(START, fields), lambda _=(): None) is None


@pytest.mark.parametrize("text", [1970, 1990, 1999, 2500])
def test_no_part_of_a_secret_is_left_where_what_the_plugin_says_is_cut(
    watch: TestWatch, text: int
) -> None:
    watched = started(watch, "pytest -q")
    peer = plugin(watch, watched)
    said = "x" * text + TOKEN
    peer.packets([told(event="session", version="9.0", arguments=[f"-k{TOKEN[:30]}…", TOKEN])])
    peer.packets([told(event="case", name=said, status="failed", message=said[: text + 20] + "…")])
    peer.packets([told(event="end", exit=1)])
    peer.hung_up("it has gone")

    (span,) = watched.results(END)

    (case,) = span.events
    assert str(case.attributes[semconv.TEST_CASE_NAME]).startswith("x" * 1970)
    assert TOKEN[:3] not in str(span)
