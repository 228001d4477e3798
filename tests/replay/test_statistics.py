from __future__ import annotations

from itertools import pairwise
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traceproof.replay.statistics import at_most, more_often, runs_needed, upper_bound


@pytest.mark.parametrize(
    ("flips", "runs", "bound"),
    [  # one-sided 95 %, as printed in tables of Clopper-Pearson limits
        (0, 1, 0.95),
        (0, 3, 0.6315968501),
        (0, 10, 0.2588655509),
        (0, 59, 0.0495076099),
        (1, 10, 0.3941633024),
        (5, 10, 0.7775588989),
        (9, 10, 0.9948838031),
        (10, 10, 1.0),
    ],
)
def test_known_bounds(flips: int, runs: int, bound: float) -> None:
    assert upper_bound(flips, runs, 0.95) == pytest.approx(bound, rel=1e-6)


def test_with_no_runs_nothing_is_known() -> None:
    assert upper_bound(0, 0, 0.95) == 1.0


@pytest.mark.parametrize(
    ("rate", "confidence", "runs"),
    [(0.05, 0.95, 59), (0.01, 0.95, 299), (0.1, 0.95, 29), (0.5, 0.95, 5), (0.05, 0.99, 90)],
)
def test_known_numbers_of_clean_runs(rate: float, confidence: float, runs: int) -> None:
    assert runs_needed(rate, confidence) == runs


def test_a_flip_takes_more_runs() -> None:
    assert runs_needed(0.05, 0.95, 1) == 93


@given(st.floats(0.001, 0.9), st.floats(0.5, 0.999), st.integers(0, 5))
def test_the_number_of_runs_is_the_smallest(rate: float, confidence: float, flips: int) -> None:
    runs = runs_needed(rate, confidence, flips)

    assert upper_bound(flips, runs, confidence) <= rate
    assert runs == flips + 1 or upper_bound(flips, runs - 1, confidence) > rate


@given(st.integers(0, 60), st.integers(1, 200), st.floats(0.5, 0.99))
def test_at_the_bound_so_few_flips_are_as_unlikely_as_was_asked(
    flips: int, more: int, confidence: float
) -> None:
    runs = flips + more
    bound = upper_bound(flips, runs, confidence)

    assert at_most(flips, runs, bound) == pytest.approx(1 - confidence, rel=1e-6)


@given(st.integers(1, 100), st.floats(0.5, 0.99))
def test_more_flips_never_bound_it_lower(runs: int, confidence: float) -> None:
    bounds = [upper_bound(flips, runs, confidence) for flips in range(runs + 1)]

    assert all(one < other for one, other in pairwise(bounds))


def test_probabilities_at_the_ends() -> None:
    assert (at_most(0, 5, 0.0), at_most(4, 5, 1.0), at_most(5, 5, 1.0)) == (1.0, 0.0, 1.0)


def test_six_of_six_loaded_and_none_of_eight_quiet_is_no_chance() -> None:
    assert more_often(6, 6, 0, 8) == pytest.approx(1 / comb(14, 6))


def test_the_same_rate_is_no_difference() -> None:
    assert more_often(5, 10, 5, 10) > 0.5
    assert more_often(0, 10, 5, 10) == 1.0


@pytest.mark.parametrize(
    ("flips", "runs", "confidence"), [(-1, 3, 0.95), (4, 3, 0.95), (0, 3, 0.0), (0, 3, 1.0)]
)
def test_numbers_that_make_no_sense(flips: int, runs: int, confidence: float) -> None:
    with pytest.raises(ValueError, match=r"cannot be|above 0"):
        upper_bound(flips, runs, confidence)


def test_a_rate_of_nothing_cannot_be_shown() -> None:
    with pytest.raises(ValueError, match="above 0"):
        runs_needed(0.0, 0.95)
