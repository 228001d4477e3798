from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traceproof.replay.orders import design, design_size, reverse, shuffle, williams

TESTS = ("a", "b1", "b2", "b3", "c", "d1", "d2")
GROUPS = {"b1": "b", "b2": "b", "b3": "b > inner", "d1": "d", "d2": "d"}


@given(st.integers(0, 40))
def test_each_thing_comes_right_before_each_other_one(n: int) -> None:
    orders = williams(n)

    assert all(sorted(order) == list(range(n)) for order in orders)
    assert len({pair for order in orders for pair in pairwise(order)}) == n * (n - 1)
    assert len(orders) <= max(1, n + n % 2)


@pytest.mark.parametrize("n", [4, 10, 42])
def test_of_an_even_number_each_pair_comes_once_and_each_thing_once_at_each_place(n: int) -> None:
    orders = williams(n)

    assert len([pair for order in orders for pair in pairwise(order)]) == n * (n - 1)
    assert all(len(set(column)) == n for column in zip(*orders, strict=True))


def test_reversed_within_groups() -> None:
    assert reverse(TESTS, GROUPS) == ("d2", "d1", "c", "b3", "b2", "b1", "a")


@given(st.integers())
def test_shuffles_keep_groups_together(seed: int) -> None:
    order = shuffle(TESTS, GROUPS, seed)

    assert sorted(order) == sorted(TESTS)
    for members in (("b1", "b2", "b3"), ("d1", "d2"), ("b1", "b2")):
        places = sorted(order.index(member) for member in members)
        assert places[-1] - places[0] <= 2 if "b1" in members else places[1] - places[0] == 1


def test_a_shuffle_is_the_same_for_the_same_seed() -> None:
    assert shuffle(TESTS, {}, 7) == shuffle(TESTS, {}, 7)
    assert len({shuffle(TESTS, {}, seed) for seed in range(20)}) > 15


def test_a_design_of_tests_without_groups_has_every_adjacent_pair() -> None:
    tests = [f"t{k}" for k in range(41)]

    orders = design(tests, {})

    assert len(orders) == design_size(tests, {}) == 42
    pairs = {pair for order in orders for pair in pairwise(order)}
    assert len(pairs) == 41 * 40


def test_a_design_of_groups_keeps_them_together_and_turns_within_them() -> None:
    orders = design(TESTS, GROUPS)

    assert len(orders) == design_size(TESTS, GROUPS) == 4
    assert {order.index("d2") - order.index("d1") for order in orders} == {1, -1}
    assert all(abs(order.index("b1") - order.index("b2")) <= 2 for order in orders)


def test_one_test_has_one_order() -> None:
    assert design(["t"], {}) == [("t",)]
    assert design([], {}) == [()]
