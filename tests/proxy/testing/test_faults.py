from __future__ import annotations

import msgspec

from traceproof.proxy.testing import Cut, Fault, Status
from traceproof.proxy.testing.faults import AnyFault


def holds(fault: Fault) -> list[bool]:
    return [fault.holds(attempt) for attempt in range(4)]


def test_a_fault_holds_for_every_request() -> None:
    assert holds(Status(500)) == [True] * 4


def test_times_says_for_how_many() -> None:
    assert holds(Status(529, times=2)) == [True, True, False, False]


def test_skip_lets_some_pass_first() -> None:
    assert holds(Cut(skip=1, times=2)) == [False, True, True, False]


def test_faults_have_a_file_form() -> None:
    data = {"type": "status", "status": 529, "times": 2}

    assert msgspec.convert(data, AnyFault) == Status(529, times=2)
