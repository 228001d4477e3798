"""What an execution comes to when it is compared with another: `ok`, `bad` or `skipped`.

An expected failure is `bad`: what is asked here is whether it comes out the same, not whether it is
welcome. Which executions are compared is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from traceproof.replay.runs import Case, Outcome, SessionResult

State = Literal["ok", "bad", "skipped"]

_STATES: dict[Outcome, State] = {
    "passed": "ok",
    "xpassed": "ok",
    "failed": "bad",
    "error": "bad",
    "xfailed": "bad",
    "skipped": "skipped",
}


def state(case: Case) -> State:
    """Return what an execution comes to."""
    return _STATES[case.outcome]


def kind_state(case: Case, *, as_usual: bool) -> State:
    """Return what it comes to, as far as the test itself is to blame.

    Where tests do not run as usual (`as_usual` is false), another test may be the last of its class
    or module, and gets the blame for the fixture's tear-down.
    """
    if not as_usual and case.phase == "teardown" and case.group:
        return "ok"
    return state(case)


def executions(session: SessionResult, repeat: int = 0) -> dict[str, Case]:
    """Return the cases of a session by test; of two for one test, the one that is worse."""
    found: dict[str, Case] = {}
    for case in session.cases:
        if case.repeat != repeat:
            continue
        if case.test not in found or state(found[case.test]) != "bad":
            found[case.test] = case
    return found


def uncollected(cases: Iterable[Case]) -> dict[str, Case]:
    """Return the files (or folders) that could not be collected."""
    return {
        case.test: case for case in cases if case.phase == "collect" and case.outcome == "error"
    }


def file_of(test: str) -> str:
    """Return the file of a test's id."""
    return test.partition("::")[0]


def differ(one: State, other: State) -> bool:
    """Return whether one is a pass and the other a failure; a skip says nothing."""
    return {one, other} == {"ok", "bad"}
