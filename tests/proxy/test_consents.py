from __future__ import annotations

import time

from traceproof.proxy.consents import GOING_ON, always


def test_what_goes_on_ends_after_everything_that_has_ended() -> None:
    assert time.time_ns() < GOING_ON
    assert always(0, GOING_ON)
