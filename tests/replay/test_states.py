from __future__ import annotations

from traceproof.replay.runs import Case, Outcome, SessionResult
from traceproof.replay.states import (
    differ,
    executions,
    file_of,
    kind_state,
    state,
    uncollected,
)

TORN = Case(test="t", outcome="error", phase="teardown", group="tests/test_a.py")


def test_an_expected_failure_fails_as_well() -> None:
    outcomes: tuple[Outcome, ...] = ("passed", "xpassed", "failed", "error", "xfailed", "skipped")
    states = [state(Case(test="t", outcome=outcome)) for outcome in outcomes]

    assert states == ["ok", "ok", "bad", "bad", "bad", "skipped"]


def test_in_another_order_the_last_of_a_group_is_not_to_blame_for_its_tear_down() -> None:
    assert kind_state(TORN, as_usual=True) == "bad"
    assert kind_state(TORN, as_usual=False) == "ok"


def test_a_tear_down_of_its_own_is_its_own_fault() -> None:
    own = Case(test="t", outcome="error", phase="teardown")

    assert kind_state(own, as_usual=False) == "bad"


def test_of_two_executions_the_worse_one_counts() -> None:
    cases = tuple(Case(test="t", outcome=outcome) for outcome in ("passed", "failed", "passed"))
    second = Case(test="t", outcome="skipped", repeat=1)
    session = SessionResult(cases=(*cases, second))

    assert executions(session)["t"].outcome == "failed"
    assert executions(session, 1) == {"t": second}


def test_files_that_cannot_be_collected() -> None:
    lost = Case(test="tests/test_a.py", outcome="error", phase="collect")
    skipped = Case(test="tests/test_b.py", outcome="skipped", phase="collect")

    assert uncollected([lost, skipped, TORN]) == {"tests/test_a.py": lost}
    assert file_of("tests/test_a.py::TestB::test_c[x::y]") == "tests/test_a.py"


def test_a_skip_is_no_contradiction_of_anything() -> None:
    assert differ("ok", "bad")
    assert not differ("ok", "skipped")
    assert not differ("bad", "bad")
