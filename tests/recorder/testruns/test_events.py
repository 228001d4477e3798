from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traceproof.recorder.testruns.cases import Run, Status, Verdict
from traceproof.recorder.testruns.events import Sessions


def told(*events: object, connection: int = 1) -> list[Run]:
    sessions = Sessions()
    for when, event in enumerate(events, 1):
        sessions.take(connection, when, json.dumps(event).encode())
    return sessions.runs()


BEGIN = {"event": "session", "version": "9.1"}
PASSED = {"event": "case", "name": "a", "status": "passed", "seconds": 0.5}
FAILED = {"event": "case", "name": "b", "status": "failed", "message": "no"}


def end(code: object) -> dict[str, object]:
    return {"event": "end", "exit": code}


def test_a_session_becomes_a_run() -> None:
    (run,) = told(BEGIN, {"event": "collected", "collected": 2}, PASSED, FAILED, end(1))

    assert (run.framework, run.version, run.verdict) == ("pytest", "9.1", Verdict.FAILURE)
    assert [(case.name, case.status, case.ended) for case in run.cases] == [
        ("a", Status.PASSED, 3),
        ("b", Status.FAILED, 4),
    ]
    assert run.facts == {"collected": 2, "exit_code": 1}
    assert (run.started, run.ended) == (1, 5)


@pytest.mark.parametrize(
    ("events", "verdict"),
    [
        ([PASSED, end(0)], Verdict.SUCCESS),
        ([end(0)], Verdict.SKIPPED),
        ([end(5)], Verdict.SKIPPED),
        ([PASSED], Verdict.ABORTED),
        ([PASSED, end(None)], Verdict.ABORTED),
        ([PASSED, end(2)], Verdict.ABORTED),
        ([{"event": "interrupted", "reason": "KeyboardInterrupt"}, end(2)], Verdict.ABORTED),
        ([{**FAILED, "status": "error"}, {"event": "stopped"}, end(2)], Verdict.FAILURE),
        ([end(3)], Verdict.ABORTED),
    ],
)
def test_how_a_session_ended(events: list[object], verdict: Verdict) -> None:
    (run,) = told(BEGIN, *events)

    assert run.verdict is verdict


def test_a_case_that_did_not_end_is_unknown() -> None:
    (run,) = told(BEGIN, {"event": "start", "name": "a"}, PASSED, {"event": "start", "name": "c"})

    assert {case.name: case.status for case in run.cases} == {
        "a": Status.PASSED,
        "c": Status.UNKNOWN,
    }


def test_a_case_that_ran_again_counts_once() -> None:
    (run,) = told(BEGIN, {**PASSED, "status": "rerun"}, PASSED, end(0))

    assert [(case.status, case.attempts) for case in run.cases] == [(Status.PASSED, 2)]
    assert run.counts == {Status.PASSED: 1}


def test_help_is_no_session() -> None:
    assert told(end(0)) == []


def test_connections_are_sessions_of_their_own() -> None:
    sessions = Sessions()
    for connection in (2, 1):
        sessions.take(connection, 10 - connection, json.dumps(BEGIN).encode())

    assert [run.started for run in sessions.runs()] == [8, 9]


_json = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just([1, "a", {}])
_words = ("event", "name", "status", "exit", "collected", "seconds", "line", "reason", "version")
_kinds = ("session", "case", "start", "end", "collected", "interrupted")


@given(
    st.lists(
        st.dictionaries(st.sampled_from(_words), _json)
        | st.builds(
            lambda event, more: {**more, "event": event},
            st.sampled_from(_kinds),
            st.dictionaries(st.sampled_from(_words), _json),
        )
    )
)
def test_nonsense_is_left_out(events: list[object]) -> None:
    for run in told(*events):
        assert run.total == len(run.cases)


@given(st.binary())
def test_what_is_no_json_is_left_out(data: bytes) -> None:
    sessions = Sessions()
    sessions.take(1, 1, data)

    assert sessions.runs() == []


@pytest.mark.parametrize("number", [10**400, 2**64, -(2**70), 2**63])
def test_a_number_that_no_span_holds_is_left_out(number: int) -> None:
    odd = {**PASSED, "seconds": number, "line": number}
    (run,) = told({**BEGIN, "seed": number}, odd, end(number))

    (case,) = run.cases
    assert (case.seconds, case.line, run.facts) == (None, 0, {})


def test_what_is_nested_without_end_is_passed_over() -> None:
    sessions = Sessions()

    sessions.take(1, 1, b"[" * 60_000)

    assert sessions.runs() == []


def test_texts_are_masked_before_they_are_kept_and_cut() -> None:
    sessions = Sessions()
    sessions.clean = lambda text: text.replace("secret", "<SECRET:X>")
    for event in ({**BEGIN, "arguments": ["-k", "secret"]}, {**FAILED, "message": "secret" * 2000}):
        sessions.take(1, 1, json.dumps(event).encode())

    (run,) = sessions.runs()
    assert run.facts["arguments"] == ["-k", "<SECRET:X>"]
    assert run.cases[0].message == ("<SECRET:X>" * 2000)[:4000]
