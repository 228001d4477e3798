from __future__ import annotations

from typing import get_args

import pytest

from support import verdicts
from traceproof.replay.html import words
from traceproof.replay.runs import Axis
from traceproof.replay.verdict import CauseName, TraceClass, Verdict


@pytest.mark.parametrize(
    ("made", "tone", "says"),
    [
        (verdicts.verdict(), "good", "Verified: "),
        (verdicts.verdict(verified=False, class_="flaky"), "bad", "are flaky"),
        (verdicts.verdict(verified=False, class_="inconclusive"), "unsure", "too few runs"),
        (verdicts.verdict(verified=False, outcome="unresolved"), "bad", "not resolved"),
        (verdicts.verdict(verified=False, outcome="regressed"), "bad", "worked before"),
        (verdicts.verdict(verified=False, outcome=None), "bad", "Not all tests are steady"),
        (
            verdicts.verdict(verdicts.steady("a"), verified=False, outcome=None, taken_out=()),
            "good",
            "nothing to compare",
        ),
        (
            verdicts.verdict(verified=False, outcome=None, taken_out=()),
            "bad",
            "Steady, and 2 of 7 tests fail each time; there is nothing to compare",
        ),
        (verdicts.verdict(verified=False, class_="no_tests", outcome=None), "unsure", "no tests"),
    ],
)
def test_the_answer_in_a_line(made: Verdict, tone: str, says: str) -> None:
    assert words.headline(made).tone == tone
    assert says in words.headline(made).text


def test_every_word_of_a_verdict_can_be_said() -> None:
    assert set(get_args(CauseName)) == set(words.CAUSES)
    assert set(get_args(TraceClass)) == set(words.MEANINGS) == set(words.SIGNS)
    assert set(get_args(Axis)) - {"same"} == set(words.AXES)


def test_how_sure_it_is_depends_on_the_test_that_ran_least() -> None:
    one = verdicts.verdict(verdicts.steady("a"))
    none = verdicts.verdict(verdicts.random_one("a"))

    assert words.how_sure(one).startswith("The one steady test came out the same in 59 identical")
    assert words.how_sure(none) == "No test is known to be steady."


def test_shares_durations_and_counts_are_short() -> None:
    shares = [words.percent(share) for share in (0, 0.00001, 0.0495, 0.1, 0.4166, 0.95, 1)]
    times = [words.duration(seconds) for seconds in (0.0123, 3.44, 125, 3720)]

    assert shares == ["0 %", "< 0.01 %", "4.95 %", "10 %", "41.7 %", "95 %", "100 %"]
    assert times == ["12 ms", "3.4 s", "2 min 05 s", "1 h 02 min"]
    assert (words.counted(1, "test"), words.counted(1000, "test")) == ("1 test", "1,000 tests")
