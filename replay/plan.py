"""The plan that is printed before it starts: how many runs, and about how long.

From what the controls showed. Finding causes comes on top, and cannot be known before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from traceproof.replay import judgement
from traceproof.replay.asks import Ask, Seeds
from traceproof.replay.axes import perturbed
from traceproof.replay.ledger import Ledger
from traceproof.replay.options import Options, Plan, Row
from traceproof.replay.scheduler import MOST_IN_A_BOX

BASE_RUNS = 5
"""Identical runs of the base tree: that a test fails there is not left to chance."""


def estimate(options: Options, ledger: Ledger, seeds: Seeds, overhead: float) -> Plan:
    """Return what will be run.

    Args:
        options: what is asked for.
        ledger: what is known; before the controls, orders cannot be counted.
        seeds: where seeds come from.
        overhead: seconds that a box takes besides its sessions.
    """
    rows = [*_identical(options, ledger, overhead), *_perturbed(options, ledger, seeds, overhead)]
    alone = sum(row.seconds for row in rows if row.what in ("slow_cpu", "load"))
    shared = sum(row.seconds for row in rows) - alone
    return Plan(
        rows=tuple(rows),
        boxes=sum(row.boxes for row in rows),
        sessions=sum(row.sessions for row in rows),
        seconds=alone + shared / max(1, options.cores),
    )


def _identical(options: Options, ledger: Ledger, overhead: float) -> Iterable[Row]:
    runs = options.runs or judgement.needed(options)
    each = ledger.suite_seconds + overhead
    yield Row(what="identical reruns", boxes=runs, sessions=runs, seconds=runs * each)
    if options.base:
        base = min(BASE_RUNS, runs)
        yield Row(what="base", boxes=base, sessions=base, seconds=base * each)


def _perturbed(options: Options, ledger: Ledger, seeds: Seeds, overhead: float) -> Iterable[Row]:
    asks = perturbed(ledger, options, seeds)
    for axis in options.axes:
        if mine := [ask for ask in asks if ask.axis == axis]:
            boxes = _boxes(mine)
            seconds = sum(map(ledger.weigh, mine)) + boxes * overhead
            yield Row(what=axis, boxes=boxes, sessions=len(mine), seconds=seconds)


def _boxes(asks: Sequence[Ask]) -> int:
    own = sum(bool(ask.box) for ask in asks)
    return own + -(-(len(asks) - own) // MOST_IN_A_BOX)
