from __future__ import annotations

import pytest

from support import verdicts
from traceproof.replay.html.matrix import columns, level, matrix
from traceproof.replay.verdict import Rate


@pytest.mark.parametrize(
    ("flips", "runs", "hot"),
    [(0, 8, 0), (0, 0, 0), (1, 59, 1), (1, 10, 2), (1, 4, 3), (1, 2, 4), (9, 10, 5), (1, 1, 5)],
)
def test_the_more_it_flips_the_hotter(flips: int, runs: int, hot: int) -> None:
    assert level(Rate(runs=runs, flips=flips)) == hot


def test_columns_are_what_was_tried_in_their_order() -> None:
    assert columns(verdicts.every_class()) == ["order", "twice", "clock"]


def test_tests_stand_under_their_file() -> None:
    made = str(matrix(verdicts.verdict()))

    assert made.count('<tr class="file">') == 3
    assert made.index("test_fixed") < made.index("test_random")


def test_with_many_tests_those_that_are_not_steady_are_shown_first() -> None:
    few = str(matrix(verdicts.verdict()))
    many = [verdicts.steady(f"t.py::test_{k}") for k in range(50)]
    more = str(matrix(verdicts.verdict(*many, verdicts.random_one("t.py::test_r"))))

    assert 'id="show-all" checked' in few
    assert 'id="show-unsteady" checked' in more


def test_there_is_no_matrix_without_tests() -> None:
    assert matrix(verdicts.verdict(tests=(), taken_out=())) is None
