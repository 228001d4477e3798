"""What a listener makes of what comes on the channel, byte by byte."""

from __future__ import annotations

import hmac
import json
from typing import Any

import pytest

from traceproof.replay.events import Listener
from traceproof.replay.inside.job import next_key
from traceproof.replay.runs import Case, SessionResult
from traceproof.sandbox.protocol import Result

KEY = b"k" * 32
OK = Result(exit_code=0, seconds=1.5)
HELLO = {"event": "hello", "runner": "pytest"}
END = {"event": "end", "cases": 0, "failed": 0, "counted": 0}


def line(sequence: int, part: bytes, flag: bytes = b".", key: bytes = KEY) -> bytes:
    body = b"%d %s " % (sequence, flag)
    seal = hmac.new(key, body + part, "sha256").hexdigest()[:32].encode()
    return b"tp1 " + body + seal + b" " + part + b"\n"


def lines(*events: dict[str, Any], key: bytes = KEY) -> bytes:
    return b"".join(
        line(place, json.dumps(event).encode(), key=key) for place, event in enumerate(events)
    )


def ran(name: str, **values: Any) -> list[dict[str, Any]]:
    return [
        {"event": "start", "test": name, "repeat": values.get("repeat", 0)},
        {"event": "case", "test": name, "outcome": "passed", **values},
    ]


def result(data: bytes, ended: Result = OK, *, step: int = 1 << 20) -> SessionResult:
    listener = Listener(KEY)
    for place in range(0, len(data), step):
        listener.feed(data[place : place + step])
    return listener.result(ended, "pytest -q", 60)


WHOLE = lines(
    HELLO,
    {"event": "aside", "options": ["maxfail"], "pytest": "8.3"},
    {"event": "collected", "tests": ["a.py::test_1", "a.py::test_2"]},
    *ran("a.py::test_1", seconds=0.5, threads=2, group="a.py"),
    *ran("a.py::test_2", outcome="failed", phase="call", message="no", failed=1),
    END | {"cases": 2, "failed": 1, "counted": 1, "exit": 1},
)


@pytest.mark.parametrize("step", [1, 7, 1 << 20])
def test_a_session_is_heard_however_it_is_cut(step: int) -> None:
    heard = result(WHOLE, Result(exit_code=1, seconds=1.5), step=step)

    assert heard.cases == (
        Case(test="a.py::test_1", outcome="passed", seconds=0.5, threads=2, group="a.py"),
        Case(test="a.py::test_2", outcome="failed", phase="call", message="no"),
    )
    assert heard.collected == ("a.py::test_1", "a.py::test_2")
    assert (heard.complete, heard.problem, heard.source) == (True, "", "plugin")
    assert (heard.exit_code, heard.seconds, heard.output) == (1, 1.5, "")


def test_an_event_may_come_in_parts() -> None:
    event = json.dumps({"event": "collected", "tests": ["a", "b"]}).encode()
    data = lines(HELLO) + line(1, event[:9], b"+") + line(2, event[9:])
    data += line(3, json.dumps(END).encode())

    assert result(data).collected == ("a", "b")


def test_a_second_session_has_the_next_key() -> None:
    one, two = ran("a"), ran("b")
    end = END | {"cases": 1}

    data = lines(HELLO, *one, end) + lines(HELLO, *two, end, key=next_key(KEY))

    assert [case.test for case in result(data).cases] == ["a", "b"]
    assert result(data).problem == ""


def test_a_file_that_cannot_be_collected_is_one_case_however_often_it_is_told() -> None:
    error = {"event": "case", "test": "a.py", "outcome": "error", "phase": "collect", "failed": 1}

    heard = result(lines(HELLO, error, error, END | {"cases": 2, "failed": 2, "counted": 2}))

    assert [(case.test, case.phase) for case in heard.cases] == [("a.py", "collect")]
    assert heard.complete


def test_without_a_word_there_is_the_exit_code_alone() -> None:
    passed = result(b"")
    failed = result(b"", Result(exit_code=2, stdout=b"out", stderr=b"err"))

    assert passed.cases == (Case(test="pytest -q", outcome="passed"),)
    assert failed.cases == (Case(test="pytest -q", outcome="failed"),)
    assert (failed.source, failed.output, failed.problem) == ("exit code", "out\nerr", "")


@pytest.mark.parametrize(
    ("ended", "problem"),
    [
        (Result(exit_code=None, timed_out=True), "timed out after 60 s"),
        (Result(exit_code=None, signal=9, out_of_memory=True), "out of memory"),
        (Result(exit_code=None, destroyed="the end"), "the box was destroyed: the end"),
        (Result(exit_code=None, signal=11), "killed by signal 11 during a"),
        (Result(exit_code=0), "ended early: exit code 0 during a"),
    ],
)
def test_why_a_session_has_no_end_is_told(ended: Result, problem: str) -> None:
    heard = result(lines(HELLO, ran("a")[0]), ended)

    assert (heard.problem, heard.complete) == (problem, False)


def test_a_command_that_fails_though_no_runner_in_it_does_is_told() -> None:
    passing = lines(HELLO, *ran("a"), END | {"cases": 1, "exit": 0})

    assert result(passing, Result(exit_code=2)).beyond
    assert not result(passing).beyond
    assert not result(WHOLE, Result(exit_code=1)).beyond
    assert not result(b"", Result(exit_code=1)).beyond


def test_a_process_that_stays_after_its_tests_is_told_from_tests_that_hang() -> None:
    heard = result(WHOLE, Result(exit_code=None, timed_out=True))

    assert heard.problem == "timed out after 60 s: the tests had ended, and their process had not"


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"hello\n", "forged: a line on the channel that is not of the plugin"),
        (b"\xff\x00\n", "forged: a line on the channel that is not of the plugin"),
        (b"x" * 5000, "forged: a line that is too long"),
        (lines(HELLO, key=b"another"), "forged: a line on the channel without the plugin's seal"),
        (lines(HELLO)[:-1], "forged: the last line on the channel has no end"),
        (lines(HELLO) * 2, "contradiction: line 1 is missing or came twice"),
        (
            lines(HELLO, HELLO),
            "contradiction: an event outside of a session, or a second hello",
        ),
        (lines(END), "contradiction: an event outside of a session, or a second hello"),
        (lines(HELLO, *ran("a")[1:]), "contradiction: a ended, and had not begun"),
        (lines(HELLO, *ran("a"), ran("a")[1]), "contradiction: a ended, and had not begun"),
        (lines(HELLO, ran("a")[0], ran("b")[0]), "contradiction: b began within a"),
        (lines(HELLO, ran("a")[0], END), "contradiction: the end came during a"),
        (
            lines(HELLO, *ran("a"), END),
            "contradiction: 1 executions came, the end says 0",
        ),
        (lines(HELLO, *ran("a", failed=1)), "contradiction: a failed, and did not"),
        (
            lines(HELLO, END | {"counted": 1}),
            "contradiction: the runner counted 1 failures, reported were 0",
        ),
        (lines(HELLO | {"clock": "OSError: no"}), "clock: OSError: no"),
        (lines(HELLO, {"event": "problem", "text": "internal error: x"}), "internal error: x"),
        (lines(HELLO, END | {"interrupted": "Exit: no"}), "interrupted: Exit: no"),
    ],
)
def test_what_does_not_fit_is_a_problem(data: bytes, problem: str) -> None:
    heard = result(data)

    assert (heard.problem, heard.complete) == (problem, False)


@pytest.mark.parametrize("event", [b"[]", b'{"event":"no"}', b'{"event":"case","test":1}', b"{"])
def test_an_event_of_another_shape_is_forged(event: bytes) -> None:
    problem = result(lines(HELLO) + line(1, event)).problem

    assert problem.startswith("forged: an event that is none of the plugin's: ")


def test_nothing_is_read_after_a_problem() -> None:
    assert result(b"forged\n" + WHOLE).cases == ()


ASIDE = {"event": "aside", "options": [], "pytest": "8.3"}


def test_a_runner_that_could_not_begin_is_its_exit_code() -> None:
    heard = result(lines(HELLO), Result(exit_code=4, stderr=b"conftest: no"))

    assert heard.cases == (Case(test="pytest -q", outcome="failed"),)
    assert (heard.source, heard.problem, heard.output) == ("exit code", "", "conftest: no")


@pytest.mark.parametrize(
    ("events", "code"), [([HELLO], 0), ([HELLO, ASIDE], 0), ([HELLO, ASIDE], 4)]
)
def test_a_runner_that_has_begun_or_says_all_is_well_must_come_to_its_end(
    events: list[dict[str, Any]], code: int
) -> None:
    heard = result(lines(*events), Result(exit_code=code))

    assert (heard.cases, heard.problem) == ((), f"ended early: exit code {code}")


def test_a_runner_that_only_shows_its_help_is_not_heard_and_the_next_one_is() -> None:
    data = lines(HELLO, {"event": "none"})
    data += lines(HELLO, ASIDE, *ran("a"), END | {"cases": 1}, key=next_key(KEY))

    assert result(lines(HELLO, {"event": "none"})).source == "exit code"
    assert [case.test for case in result(data).cases] == ["a"]
