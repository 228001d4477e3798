"""Groups of tests, and orders that keep them together."""

from __future__ import annotations

import random
import unittest

from hypothesis import given
from hypothesis import strategies as st

from traceproof.replay.inside.groups import arrange, class_fixture

ENTRIES = [
    (("m",), "m1"), ((), "a"), (("m", "c"), "c1"), (("m",), "m2"), (("m", "c"), "c2"), ((), "b"),
]  # fmt: skip


def test_a_reversed_order_keeps_groups_together() -> None:
    assert arrange(ENTRIES, "reverse", 0) == ["b", "a", "m2", "c2", "c1", "m1"]


def test_without_a_shuffle_nothing_moves() -> None:
    assert arrange(ENTRIES, "", 0) == ["m1", "a", "c1", "m2", "c2", "b"]


@given(st.integers())
def test_a_shuffle_keeps_groups_together_at_each_level(seed: int) -> None:
    order = arrange(ENTRIES, "random", seed)

    assert sorted(order) == sorted(thing for _, thing in ENTRIES)
    for group in ({"m1", "m2", "c1", "c2"}, {"c1", "c2"}):
        places = [place for place, thing in enumerate(order) if thing in group]
        assert places[-1] - places[0] == len(group) - 1


def test_a_shuffle_is_the_seeds_alone() -> None:
    state = random.getstate()

    assert arrange(ENTRIES, "random", 3) == arrange(ENTRIES, "random", 3)
    assert random.getstate() == state


def test_a_testcase_shares_a_class_fixture_where_it_has_one_of_its_own() -> None:
    class Plain(unittest.TestCase):
        pass

    class Own(unittest.TestCase):
        @classmethod
        def tearDownClass(cls) -> None:
            pass

    class Inherits(Own):
        pass

    assert [class_fixture(one) for one in (Plain, Own, Inherits)] == [False, True, True]
