from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traceproof.replay.ddmin import Part, smallest

Does = Callable[[Part], bool]


def search(items: Part, does: Does, budget: int = 1000) -> tuple[Part, bool, int, int]:
    """Answer every question; return what is found, whether it is minimal, probes and rounds."""
    asking, probes, rounds = smallest(items, budget), 0, 0
    try:
        parts = next(asking)
        while True:
            probes, rounds = probes + len(parts), rounds + 1
            parts = asking.send([does(part) for part in parts])
    except StopIteration as end:
        return *end.value, probes, rounds


def items(count: int) -> Part:
    return tuple(f"t{k}" for k in range(count))


def needs(*culprits: str) -> Does:
    return lambda part: set(culprits) <= set(part)


@pytest.mark.parametrize("culprit", ["t0", "t77", "t199"])
def test_one_culprit_among_two_hundred(culprit: str) -> None:
    found, minimal, probes, rounds = search(items(200), needs(culprit))

    assert (found, minimal) == ((culprit,), True)
    assert probes <= 16
    assert rounds <= 6


def test_fourteen_that_must_all_be_there() -> None:
    culprits = items(196)[::14]

    found, minimal, probes, _ = search(items(196), needs(*culprits))

    assert (found, minimal) == (culprits, True)
    assert probes <= 200


def test_nothing_is_asked_about_a_single_item_but_whether_it_does_it() -> None:
    assert search(("a",), needs("a")) == (("a",), True, 1, 1)


def test_a_cleaner_in_between_that_hides_the_culprit() -> None:
    def does(part: Part) -> bool:
        return "t50" in part and ("t60" not in part or "t70" in part)

    assert search(items(200), does)[:2] == (("t50",), True)


def test_what_the_budget_leaves_is_said_not_to_be_minimal() -> None:
    found, minimal, probes, _ = search(items(100), needs("t3", "t50", "t90"), budget=20)

    assert not minimal
    assert {"t3", "t50", "t90"} <= set(found)
    assert probes <= 20


@given(st.sets(st.integers(0, 39), min_size=1, max_size=6))
def test_any_set_is_found(culprits: set[int]) -> None:
    wanted = tuple(f"t{k}" for k in sorted(culprits))

    assert search(items(40), needs(*wanted))[:2] == (wanted, True)


@given(st.lists(st.sets(st.integers(0, 19), min_size=1, max_size=3), min_size=1, max_size=3),
       st.sets(st.integers(0, 19), max_size=2))  # fmt: skip
def test_what_is_found_does_it_and_nothing_in_it_can_be_left_out(
    sets: list[set[int]], cleaners: set[int]
) -> None:
    def does(part: Part) -> bool:
        enough = any(all(f"t{k}" in part for k in one) for one in sets)
        return enough and (len(part) == 20 or not any(f"t{k}" in part for k in cleaners))

    found, minimal, _, _ = search(items(20), does)

    assert does(found)
    assert minimal
    if 1 < len(found) < 20:
        assert not any(does(found[:k] + found[k + 1 :]) for k in range(len(found)))
