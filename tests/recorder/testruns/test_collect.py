from __future__ import annotations

import json

import pytest

from traceproof.recorder.shell.command import CommandEnd, CommandStart
from traceproof.recorder.span import Span
from traceproof.recorder.testruns.collect import collect
from traceproof.recorder.testruns.output import Output
from traceproof.recorder.testruns.plan import plan

SOURCE = "traceproof.test.source"
STATUS = "test.suite.run.status"
PASSED = b"3 passed in 0.01s\n"
FAILED = b"FAILED test_a.py::test_a - no\n1 failed, 2 passed in 0.01s\n"


def collected(
    script: str,
    output: bytes = b"",
    code: int | None = 0,
    signal: str = "",
    sessions: tuple[int, ...] = (),
) -> list[Span]:
    start = CommandStart("SHELL", "/bin/bash", ("bash", "-c", script), "/", 1, started=1000)
    found = plan(start)
    assert found is not None
    for connection, exit_code in enumerate(sessions):
        for event in (
            {"event": "session", "version": "9"},
            {"event": "case", "name": "a", "status": "failed" if exit_code else "passed"},
            {"event": "end", "exit": exit_code},
        ):
            found.told.take(connection, 1500, json.dumps(event).encode())
    end = CommandEnd(ended=2000, exit_code=code, signal=signal)
    return collect(found, end, Output(output), trace_id="t" * 32, parent_id="p" * 16)


def facts(spans: list[Span]) -> list[tuple[object, ...]]:
    names = ("test.suite.name", SOURCE, STATUS)
    return [tuple(span.attributes.get(name) for name in names) for span in spans]


def test_the_plugins_word_comes_first() -> None:
    spans = collected("pytest", PASSED, 0, sessions=(0,))

    assert facts(spans) == [("pytest", "plugin", "success")]
    assert (spans[0].start, spans[0].end) == (1500, 1500)


def test_then_the_output() -> None:
    spans = collected("pytest -q", FAILED, 1)

    assert facts(spans) == [("pytest", "output", "failure")]
    assert [event.attributes["test.case.name"] for event in spans[0].events] == [
        "test_a.py::test_a"
    ]
    assert (spans[0].start, spans[0].end) == (1000, 2000)


def test_then_the_exit_code() -> None:
    assert facts(collected("npm test", b"whatever", 0)) == [("npm test", "exit_code", "success")]
    assert facts(collected("npm test", b"whatever", 1)) == [("npm test", "exit_code", "failure")]


def test_behind_a_pipe_nothing_has_passed() -> None:
    (span,) = collected("pytest -q | grep nothing", b"", 0)

    assert facts([span]) == [("pytest", "exit_code", None)]
    assert "exit code" in str(span.attributes["traceproof.test.unknown"])


def test_behind_a_pipe_the_output_still_tells() -> None:
    assert facts(collected("pytest -q | tail -1", FAILED, 0)) == [("pytest", "output", "failure")]


@pytest.mark.parametrize(("code", "status"), [(2, "aborted"), (4, "aborted"), (5, "skipped")])
def test_pytests_own_codes_are_known(code: int, status: str) -> None:
    assert facts(collected("pytest", b"", code)) == [("pytest", "exit_code", status)]


def test_a_signal_aborts() -> None:
    assert facts(collected("go test ./...", b"", None, "SIGKILL")) == [
        ("go", "exit_code", "aborted")
    ]


def test_timeout_is_told_apart() -> None:
    assert facts(collected("timeout 5 go test", b"", 124)) == [("go", "exit_code", "timed_out")]


def test_a_maybe_without_results_is_no_run() -> None:
    assert collected("make test", b"nothing to be done\n", 0) == []
    assert collected("make test", b"", 2) == []


def test_a_maybe_with_results_is_one() -> None:
    assert facts(collected("make test", PASSED, 0)) == [("pytest", "output", "success")]
    assert facts(collected("make test", PASSED, 0, sessions=(0,))) == [
        ("pytest", "plugin", "success")
    ]


def test_several_sessions_of_one_command() -> None:
    assert facts(collected("nox", b"", 1, sessions=(0, 1))) == [
        ("pytest", "plugin", "success"),
        ("pytest", "plugin", "failure"),
    ]


def test_a_run_that_the_plugin_missed_is_read() -> None:
    spans = collected("pytest a; PYTHONPATH=. pytest b", PASSED + FAILED, 1, sessions=(0,))

    assert facts(spans) == [("pytest", "plugin", "success"), ("pytest", "output", "failure")]


def test_tools_side_by_side() -> None:
    output = PASSED + b"ok  \texample.org/a\t0.1s\n"

    assert facts(collected("pytest && go test ./...", output, 0)) == [
        ("pytest", "output", "success"),
        ("go", "output", "success"),
    ]


def test_how_an_unended_command_went_is_not_known() -> None:
    (span,) = collected("npm test", b"", None)

    assert span.attributes["traceproof.test.unknown"] == "how the command ended is not known"
