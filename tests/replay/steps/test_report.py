from __future__ import annotations

from support.steps import step
from traceproof.replay.steps.compare import Use
from traceproof.replay.steps.report import THRESHOLD, report
from traceproof.replay.steps.rules import RULES


def used(size: int, rule: str = "time") -> list[Use]:
    return [Use(rule=rule, count=1, bytes=size)]


def test_all_the_same() -> None:
    found = report([step(1, bytes=5), step(2, kind="edit")])

    assert (found.answer, found.reason, found.first, found.is_yes) == ("same", "2 same", None, True)


def test_the_first_that_differs_is_named() -> None:
    steps = [step(1), step(2, status="differs", why="a"), step(3, status="differs", why="b")]

    found = report(steps)

    assert (found.answer, found.first, found.reason) == ("differs", 2, "step 2 differs: a")
    assert not found.is_yes


def test_the_threshold_is_on_the_whole() -> None:
    half = [step(1, status="normalised", bytes=10, rules=used(10)), step(2, bytes=10)]
    more = [step(1, status="normalised", bytes=11, rules=used(11)), step(2, bytes=10)]

    assert (report(half).answer, report(half).share) == ("normalised", THRESHOLD)
    assert (report(more).answer, report(more).first) == ("differs", None)
    assert "52% of the output was normalised away" in report(more).reason


def test_every_rule_is_listed_with_how_often_it_was_needed() -> None:
    found = report([step(1, status="normalised", bytes=100, rules=used(30))])

    assert [rule.rule for rule in found.rules] == list(RULES)
    (time,) = [rule for rule in found.rules if rule.count]
    assert (time.rule, time.bytes, time.share) == ("time", 30, 0.3)


def test_skipped_steps_are_no_answer() -> None:
    assert report([step(1, status="skipped")]).answer == "nothing"
    assert report([step(1, status="skipped"), step(2)]).reason == "1 same, 1 skipped"
    assert report([step(1, status="skipped")]).counts["skipped"] == 1


def test_a_steps_share() -> None:
    assert step(bytes=10, rules=used(5)).share == 0.5
    assert step().share == 0


def test_lines_that_were_left_out_are_no_part_of_what_was_compared() -> None:
    left_out = [*used(1000, "recorder"), *used(2)]

    assert step(bytes=10, rules=left_out).share == 0.2
    assert step(bytes=0, rules=used(1000, ".git")).share == 1
