from __future__ import annotations

from typing import Any

import msgspec

from support import ctrf as published
from support import verdicts
from traceproof.replay.exports import ctrf


def read(made: Any) -> published.Report:
    return msgspec.json.decode(ctrf.report(made), type=published.Report)


def by_name(made: Any) -> dict[str, published.Test]:
    return {test.name: test for test in read(made).results.tests}


def test_it_is_as_the_schema_has_it() -> None:
    made = read(verdicts.verdict(verdicts.steady(verdicts.EVIL), verdicts.steady("")))

    assert made.results.environment.commit == verdicts.COMMIT  # type: ignore[union-attr]
    assert made.results.tests[0].name == verdicts.EVIL


def test_the_summary_adds_up() -> None:
    summary = read(verdicts.verdict()).results.summary

    assert (summary.tests, summary.passed, summary.failed, summary.skipped) == (7, 4, 2, 1)
    assert summary.flaky == 2
    assert summary.stop - summary.start == summary.duration == 209_100


def test_flips_are_attempts_that_were_made_again() -> None:
    test = by_name(verdicts.verdict())["tests/test_b.py::test_random"]

    assert (test.status, test.flaky, test.retries) == ("passed", True, 2)
    assert [(one.attempt, one.status) for one in test.retryAttempts] == [
        (1, "failed"),
        (2, "failed"),
    ]
    assert (test.extra["runs"], test.extra["flips"]) == (59, 13)
    assert test.tags == ["flaky", "randomness"]


def test_flaky_is_said_only_of_what_passes_in_the_end() -> None:
    test = by_name(verdicts.verdict(verdicts.random_one("a", usual="failed")))["a"]

    assert (test.status, test.flaky, test.tags[0]) == ("failed", False, "flaky")


def test_a_steady_test_has_no_attempts() -> None:
    test = by_name(verdicts.verdict())["tests/test_b.py::test_wrong"]

    assert (test.status, test.flaky, test.retryAttempts) == ("failed", False, [])
    assert (test.message, test.filePath, test.suite) == (
        "ValueError: no",
        "tests/test_b.py",
        ["tests/test_b.py"],
    )


def test_a_cause_has_the_command_that_shows_it() -> None:
    (cause,) = by_name(verdicts.verdict())["tests/test_a.py::TestB::test_victim[1-a.b]"].extra[
        "causes"
    ]

    assert cause["others"] == [[verdicts.POLLUTER]]
    assert cause["command"].startswith("python -m pytest")


def test_the_same_test_has_the_same_id_in_every_report() -> None:
    first, second = read(verdicts.verdict()), read(verdicts.verdict(started=1.0))

    assert first.results.tests[0].id == second.results.tests[0].id
    assert first.reportId != second.reportId
