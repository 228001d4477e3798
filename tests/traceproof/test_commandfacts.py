from __future__ import annotations

import pytest

from traceproof import commandfacts
from traceproof.recorder import semconv
from traceproof.recorder.span import AttributeValue, Event, Span


def command(**more: AttributeValue) -> Span:
    named = {getattr(semconv, name): value for name, value in more.items()}
    return Span("1" * 32, "2" * 16, "sh", attributes=named)


@pytest.mark.parametrize(
    ("value", "args"),
    [
        (["sh", "-c"], ["sh", "-c"]),
        ('["sh","a"]', ["sh", "a"]),
        ('["sh","a', ['["sh","a']),
        (None, []),
    ],
)
def test_arguments_stand_in_the_span_or_as_json(
    value: AttributeValue | None, args: list[str]
) -> None:
    assert commandfacts.args_of(value) == args


def test_of_an_agents_wrapper_what_was_asked_is_shown() -> None:
    wrapped = "source snapshot && eval 'ls -la' < /dev/null"
    span = command(COMMAND_SCRIPT=wrapped)
    tool = command(TOOL_CALL_ARGUMENTS='{"command":"ls -la"}')
    other = command(TOOL_CALL_ARGUMENTS='{"command":"pwd"}')

    assert commandfacts.script_of(span, tool) == "ls -la"
    assert commandfacts.script_of(span, other) == wrapped
    assert commandfacts.script_of(span) == wrapped
    assert commandfacts.script_of(command(PROCESS_COMMAND_ARGS=["sh", "a.sh", "1"])) == "a.sh 1"


def test_a_test_run_is_told_by_its_cases_or_by_its_status() -> None:
    run = command(TEST_RUN_STATUS="failure")
    assert commandfacts.outcome(run) == "failure"

    run.events = [
        Event(
            semconv.TEST_CASE, 0, {semconv.TEST_CASE_OUTCOME: s, semconv.TEST_CASE_NAME: f"a {s}"}
        )
        for s in ("passed", "failed")
    ]
    assert commandfacts.outcome(run) == "1 failed, 1 passed"
    assert commandfacts.unhappy(run) == ["a failed"]

    run.attributes[semconv.TEST_COUNT + "passed"] = 7
    assert commandfacts.outcome(run) == "7 passed"


def test_what_became_of_the_workspace_is_told_in_a_line() -> None:
    paths: dict[str, AttributeValue] = {semconv.SNAPSHOT_PATHS: ["M a.py", "A b.py"]}
    by = {**paths, semconv.EXTERNAL_CHANGE_ACTOR: "human"}

    assert commandfacts.changed(Event(semconv.SNAPSHOT_EVENT, 0, paths)) == "M a.py, A b.py"
    outside = commandfacts.changed(Event(semconv.EXTERNAL_CHANGE_EVENT, 0, by))
    assert outside == "M a.py, A b.py (from outside: human)"
    assert commandfacts.changed(Event(semconv.SNAPSHOT_EVENT, 0, {})) == ""
    start = commandfacts.changed(
        Event(semconv.SNAPSHOT_EVENT, 0, {**paths, semconv.SNAPSHOT_BY: commandfacts.START})
    )
    assert start == "M a.py, A b.py (as it was at the start)"


def test_a_command_under_no_call_has_no_call_to_outlive() -> None:
    assert not commandfacts.ran(command(), None).background
