from __future__ import annotations

from traceproof.recorder.shim.plan import Plan


def test_a_plan_changes_nothing_until_told() -> None:
    plan = Plan(b"/bin/sh", 50_001)

    assert (plan.path, plan.marker, plan.descriptors) == (b"/bin/sh", 50_001, [])
    given = (plan.arguments, plan.environment, plan.terminal, plan.namespace)
    assert given == (None, None, None, None)
