from __future__ import annotations

import pytest

from support import simulated
from support.simulated import Here, Known, Suite, always, in_files, verify
from traceproof.replay.runs import Outcome
from traceproof.replay.verdict import TestVerdict

NAME = "tests/test_0.py::test_4"
START = Suite({}).started


def found(known: Known, seed: int = 0, *, network: bool = False) -> TestVerdict:
    tests = in_files(12, lambda _: always("passed")) | {NAME: known}
    verdict, _ = verify(Suite(tests, seed), network=network)
    others = {test.class_ for test in verdict.tests if test.test != NAME}
    assert others == {"steady"}
    return next(test for test in verdict.tests if test.test == NAME)


def fails(when: object) -> Known:
    return simulated.under("", lambda here: not when(here))  # type: ignore[operator]


@pytest.mark.parametrize(
    ("known", "name", "text"),
    [
        (
            fails(lambda h: h.conditions.hash_seed == 3),
            "hash_seed",
            "with PYTHONHASHSEED=3 it fails",
        ),
        (
            fails(lambda h: h.now > START + 800 * 86400),
            "time",
            "with the clock at +3 years it fails",
        ),
        (
            fails(lambda h: h.conditions.timezone == "Asia/Kolkata"),
            "timezone",
            "in the time zone Asia/Kolkata it fails",
        ),
        (fails(lambda h: h.conditions.locale == "C"), "locale", "in the locale C it fails"),
        (
            fails(lambda h: h.conditions.file_order == 2),
            "filesystem_order",
            "with its files created in another order it fails",
        ),
        (fails(lambda h: not h.conditions.network), "network", "with a network it passes"),
        (fails(lambda h: h.conditions.load), "load", "beside 4 busy processes it fails"),
        (fails(lambda h: h.conditions.cpus), "load", "with 0.25 of a CPU it fails"),
    ],
)
def test_a_condition_that_decides(known: Known, name: str, text: str) -> None:
    test = found(known, network=True)

    (cause,) = test.causes
    assert (test.class_, cause.name, cause.text) == ("fragile", name, text)
    assert cause.shown is not None
    assert cause.contrast is not None
    assert cause.shown.outcome != cause.contrast.outcome
    assert cause.shown.session.tests == (NAME,)
    assert cause.without is not None
    assert (cause.without.runs, cause.without.flips) == (59, 0)


def test_the_last_seconds_of_the_year_are_met_again() -> None:
    year = 366 * 86400

    test = found(fails(lambda h: h.now % (2 * year) > 1_830_297_500 % (2 * year)))

    assert {cause.name for cause in test.causes} == {"time"}


def test_a_time_bomb_that_went_off_is_seen_by_nobody() -> None:
    assert found(always("failed")).class_ == "steady"


def test_under_load_one_failure_in_two_is_enough() -> None:
    test = found(simulated.under_load(0.5), seed=2)

    assert (test.class_, test.causes[0].name) == ("fragile", "load")
    assert "times in" in test.causes[0].text


def test_one_failure_under_load_that_does_not_come_again_is_kept_as_unconfirmed() -> None:
    failed: list[str] = []

    def once(here: Here) -> Outcome:
        if here.conditions.load and not failed:
            failed.append(here.test)
            return "failed"
        return "passed"

    test = found(Known(once))

    assert test.class_ == "steady"
    assert [seen.outcome for seen in test.unconfirmed] == ["failed"]


def test_a_test_that_shows_it_only_with_the_others_before_it() -> None:
    test = found(fails(lambda h: h.conditions.hash_seed == 1 and len(h.before) > 2))

    (cause,) = test.causes
    assert cause.name == "hash_seed"
    assert cause.shown is not None
    assert cause.shown.session.tests is None
