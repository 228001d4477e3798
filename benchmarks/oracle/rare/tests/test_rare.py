"""A flip so rare that few reruns do not see it."""

from __future__ import annotations

import random


def test_no_great_prize() -> None:
    assert random.random() >= 0.02


def test_no_great_prize_with_a_seed() -> None:
    assert random.Random(4).random() >= 0.02
