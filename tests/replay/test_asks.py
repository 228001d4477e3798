from __future__ import annotations

from traceproof.replay.asks import Ask, seeds_from, usable
from traceproof.replay.runs import Conditions, Session, SessionResult

ASK = Ask(Session(seed=1), "as is")


def test_seeds_follow_from_names() -> None:
    seeds, other = seeds_from(1), seeds_from(2)

    assert seeds("same", 1) == seeds("same", 1)
    assert len({seeds("same", 1), seeds("same", 2), seeds("shuffle", 1), other("same", 1)}) == 4
    assert all(0 <= seeds("same", k) < 2**31 for k in range(100))


def test_a_name_may_hold_any_text() -> None:
    assert seeds_from(0)("tests/test_\udce9.py::t") >= 0


def test_what_needs_the_machine_for_itself() -> None:
    assert not ASK.exclusive
    assert ASK._replace(conditions=Conditions(load=2)).exclusive
    assert ASK._replace(conditions=Conditions(cpus=0.5)).exclusive


def test_a_session_counts_when_it_came_to_its_end_and_can_be_believed() -> None:
    assert usable(SessionResult(cases=()))
    assert not usable(SessionResult(cases=(), complete=False))
    assert not usable(SessionResult(cases=(), problem="forged: a second end"))
