from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import pytest

from traceproof.imports.clock import Clock, from_iso, from_seconds

NOON = int(datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()) * 10**9


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-03-01T12:00:00Z", NOON),
        ("2026-03-01T12:00:00.000001Z", NOON + 1000),
        ("2026-03-01T14:00:00+02:00", NOON),
        ("2026-03-01T12:00:00", NOON),
        ("1969-12-31T23:59:59Z", 0),
        ("0001-01-01T00:00:00+14:00", 0),
        ("9999-12-31T23:59:59Z", 0),
        ("yesterday", 0),
        (None, 0),
        (5, 0),
    ],
)
def test_times_are_read_as_they_are_told(text: object, time: int) -> None:
    assert from_iso(text) == time


@pytest.mark.parametrize(
    ("value", "time"),
    [
        (1, 10**9),
        (1.5, 1_500_000_000),
        (1795196800.142651, 1795196800_142651000),
        (0, 0),
        (-1, 0),
        (math.nan, 0),
        (math.inf, 0),
        (1e300, 0),
        (10**400, 0),
        (True, 0),
        ("1", 0),
    ],
)
def test_seconds_are_read_where_they_are_some(value: Any, time: int) -> None:
    assert from_seconds(value) == time


def test_what_has_no_time_comes_right_after_what_was_before_it() -> None:
    clock = Clock(base=5)

    assert [clock.read(time) for time in (100, 0, 0, 50)] == [100, 1100, 2100, 50]
    assert (clock.first, clock.last, clock.worth) == (50, 2100, "told")


def test_without_any_time_there_is_an_order() -> None:
    clock = Clock(base=5)

    first = clock.read(0)
    clock.let_pass(10_000)
    second = clock.read(0)

    assert 5 < first < second - 10_000 <= clock.last
    assert clock.worth == "order"


def test_few_times_are_partial() -> None:
    clock = Clock(base=5)
    for time in (100, 0, 0):
        clock.read(time)

    assert clock.worth == "partial"
