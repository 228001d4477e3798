"""Exact binomial arithmetic: how large a rate can still be, and how many runs it takes to say so.

Numbers in, numbers out; what a flip is, is decided elsewhere. A rate that was never seen is not
zero: n runs without a flip bound it, they do not rule it out.
"""

from __future__ import annotations

import math

_HALVINGS = 60
"""Of the interval from 0 to 1: below what a float can tell apart there."""


def upper_bound(flips: int, runs: int, confidence: float) -> float:
    """Return the one-sided Clopper-Pearson upper bound of a rate.

    Args:
        flips: how often it was seen, from 0 to `runs`.
        runs: how often it could have been seen; with 0 nothing is known, and the bound is 1.
        confidence: above 0, below 1.

    Raises:
        ValueError: the numbers make no sense.
    """
    _check(flips, runs, confidence)
    if flips == runs:
        return 1.0
    if flips == 0:
        return -math.expm1(math.log1p(-confidence) / runs)
    low, high = flips / runs, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if at_most(flips, runs, middle) > 1 - confidence:
            low = middle
        else:
            high = middle
    return high


def runs_needed(rate: float, confidence: float, flips: int = 0) -> int:
    """Return the fewest runs with so many flips whose upper bound is at most a rate.

    Raises:
        ValueError: the rate or the confidence is not between 0 and 1.
    """
    if not 0 < rate < 1:
        raise ValueError(f"the rate is above 0 and below 1, not {rate:g}")
    _check(flips, flips, confidence)
    low = high = flips + 1
    while upper_bound(flips, high, confidence) > rate:
        low, high = high + 1, high * 2
    while low < high:
        middle = (low + high) // 2
        if upper_bound(flips, middle, confidence) > rate:
            low = middle + 1
        else:
            high = middle
    return high


def at_most(flips: int, runs: int, rate: float) -> float:
    """Return the probability of at most so many flips in so many runs, at a rate."""
    if rate <= 0:
        return 1.0
    if rate >= 1:
        return 1.0 if flips >= runs else 0.0
    log, log_not = math.log(rate), math.log1p(-rate)
    terms = (_log_choose(runs, k) + k * log + (runs - k) * log_not for k in range(flips + 1))
    return min(1.0, math.fsum(math.exp(term) for term in terms))


def more_often(flips: int, runs: int, other_flips: int, other_runs: int) -> float:
    """Return how likely so many flips or more would be if both had the same rate.

    Fisher's exact test, one-sided: the smaller, the surer that the first rate is the higher one.
    """
    everything, all_flips = runs + other_runs, flips + other_flips
    ways = sum(
        math.comb(runs, k) * math.comb(other_runs, all_flips - k)
        for k in range(flips, min(runs, all_flips) + 1)
    )
    return ways / math.comb(everything, all_flips)


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def _check(flips: int, runs: int, confidence: float) -> None:
    if not 0 <= flips <= runs:
        raise ValueError(f"{flips} flips in {runs} runs cannot be")
    if not 0 < confidence < 1:
        raise ValueError(f"the confidence is above 0 and below 1, not {confidence:g}")
