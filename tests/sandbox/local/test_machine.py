from __future__ import annotations

import os

from traceproof.sandbox.local import machine


def test_what_is_best_is_not_refused() -> None:
    best = machine.best()

    assert best == "" or machine.refusal(best) == ""


def test_a_refusal_says_why() -> None:
    other = "user" if os.geteuid() == 0 else "mount"
    refused = machine.refusal(other)  # root may have both

    assert "\n" not in refused
    if os.geteuid() != 0:
        assert "ermitted" in refused


def test_root_gets_a_user_that_nobody_else_is() -> None:
    users = {machine.private_user() for _ in range(100)}

    if os.geteuid() == 0:
        assert len(users) > 90
        assert all(machine.is_private(user) for user in users)
    else:
        assert users == {-1}


def test_our_own_user_is_not_private() -> None:
    assert not machine.is_private(os.geteuid())
