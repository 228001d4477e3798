from __future__ import annotations

from traceproof.replay.asks import Answer, Ask, seeds_from
from traceproof.replay.ledger import Ledger
from traceproof.replay.options import Options
from traceproof.replay.plan import estimate
from traceproof.replay.runs import Case, Session, SessionResult


def ledger(count: int, seconds: float) -> Ledger:
    known = Ledger()
    cases = tuple(Case(test=f"t{k}", outcome="passed", seconds=0.01) for k in range(count))
    session = SessionResult(cases=cases, seconds=seconds)
    known.take(
        Answer(Ask(Session(seed=1), "as is", axis="same"), "final/same/1#0", session), session
    )
    return known


def test_boxes_sessions_and_wall_time() -> None:
    plan = estimate(Options(axes=("order", "load")), ledger(200, 4.0), seeds_from(0), 1.0)

    rows = {row.what: row for row in plan.rows}
    assert [(row.what, row.boxes, row.sessions) for row in plan.rows] == [
        ("identical reruns", 59, 59),
        ("base", 5, 5),
        ("order", 2, 21),
        ("load", 3, 3),
    ]
    assert rows["identical reruns"].seconds == 59 * 5
    assert round(rows["order"].seconds) == 21 * 4 + 2
    assert round(plan.seconds) == round((59 * 5 + 5 * 5 + 86) / 2 + 15)


def test_more_or_fewer_runs() -> None:
    known = ledger(3, 1.0)

    few = estimate(Options(runs=3, base=False, axes=()), known, seeds_from(0), 0.0)
    sure = estimate(Options(confidence=0.99, base=False, axes=()), known, seeds_from(0), 0.0)

    assert [(row.boxes, row.seconds) for row in few.rows] == [(3, 3.0)]
    assert sure.boxes == 90


def test_before_the_controls_orders_cannot_be_counted() -> None:
    plan = estimate(Options(), Ledger(), seeds_from(0), 0.0)

    assert "order" not in {row.what for row in plan.rows}
    assert {"identical reruns", "clock", "load"} <= {row.what for row in plan.rows}
