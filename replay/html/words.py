"""What a verdict comes to, in words and signs for somebody who never saw one. Pure."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from traceproof.replay.exports.tests import bound
from traceproof.replay.verdict import Verdict

Tone = Literal["good", "bad", "unsure"]

CLASSES: Final = ("flaky", "fragile", "inconclusive", "steady")
SIGNS: Final = {
    "steady": "✓",
    "flaky": "✗",
    "fragile": "!",
    "inconclusive": "?",
    "environment_failed": "?",
    "no_tests": "?",
}
MEANINGS: Final = {
    "steady": "always came out the same",
    "flaky": "came out both ways in identical runs",
    "fragile": "came out otherwise when something about the run was changed",
    "inconclusive": "too few runs to tell",
    "environment_failed": "the environment could not be built or kept",
    "no_tests": "no test was found",
}
AXES: Final = {
    "order": "order",
    "alone": "alone",
    "twice": "twice",
    "hash_seed": "hash seed",
    "clock": "clock",
    "timezone": "time zone",
    "locale": "locale",
    "file_order": "file order",
    "network": "network",
    "threads": "threads",
    "slow_cpu": "slow CPU",
    "load": "load",
    "random": "random seed",
    "probe": "probes",
}
"""How the columns are called, in their order."""
CAUSES: Final = {
    "order": "order of the tests",
    "repetition": "repetition in one process",
    "hash_seed": "hash seed",
    "time": "date or time",
    "timezone": "time zone",
    "locale": "locale",
    "network": "network",
    "filesystem_order": "order of files",
    "load": "load",
    "concurrency": "threads racing",
    "randomness": "random numbers",
    "infrastructure": "the box itself",
    "unknown": "not found out",
}

_UNTRUSTED: Final = {
    "flaky": "the tests that matter are flaky",
    "fragile": "the tests that matter are fragile",
    "inconclusive": "there were too few runs to tell",
    "environment_failed": "the environment failed",
    "no_tests": "no tests were found",
}
_MINUTE, _HOUR = 60, 3600


class Headline(NamedTuple):
    """The answer, in one line."""

    tone: Tone
    text: str


def headline(verdict: Verdict) -> Headline:
    """Return the answer."""
    if verdict.verified:
        return Headline("good", "Verified: the tests are steady, and the task is resolved")
    if verdict.class_ != "steady":
        tone: Tone = "bad" if verdict.class_ in ("flaky", "fragile") else "unsure"
        return Headline(tone, f"Not verified: {_UNTRUSTED[verdict.class_]}")
    if verdict.outcome == "unresolved":
        return Headline("bad", "Not verified: the task is not resolved")
    if verdict.outcome == "regressed":
        return Headline("bad", "Not verified: something that worked before fails now")
    if verdict.taken_out:
        return Headline("bad", "Not all tests are steady; there is nothing to compare with")
    failing = sum(test.outcome in ("failed", "error") for test in verdict.tests)
    if failing:
        told = f"{failing} of {counted(len(verdict.tests), 'test')} fail each time"
        return Headline("bad", f"Steady, and {told}; there is nothing to compare with")
    return Headline("good", "The tests are steady; there is nothing to compare with")


def how_sure(verdict: Verdict) -> str:
    """Say what is known of the steady tests, with n and the confidence."""
    steady = [test for test in verdict.tests if test.class_ == "steady"]
    most = bound(verdict)
    if most is None:
        return "No test is known to be steady."
    least = min(test.runs for test in steady)
    each = f"Each of the {len(steady)} steady tests" if len(steady) > 1 else "The one steady test"
    runs = f"{least} or more" if any(test.runs > least for test in steady) else str(least)
    return (
        f"{each} came out the same in {runs} identical runs, every run in a fresh box. So, with "
        f"{percent(verdict.budgets.confidence)} confidence for each, at most {percent(most)} of "
        "its runs come out otherwise."
    )


def where(verdict: Verdict) -> str:
    """Say how the tests were isolated."""
    place = verdict.environment
    if place is None:
        return "Nothing is known of where it ran."
    if place.isolation == "container":
        return "Isolation: container. Every box was a container of its own, made for it."
    return (
        "Isolation: process. Every box was a process with a copy of the tree of its own; that is "
        "less than a container."
    )


def percent(share: float) -> str:
    """Write a share: `95 %`, `41.7 %`, `4.95 %`, `0.1 %`."""
    hundredths = share * 100
    text = f"{hundredths:.{1 if hundredths >= 10 else 2}f}".rstrip("0").rstrip(".")  # noqa: PLR2004
    return f"{text} %" if text != "0" or not share else "< 0.01 %"


def duration(seconds: float) -> str:
    """Write a duration: `12 ms`, `3.4 s`, `2 min 05 s`, `1 h 02 min`."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < _MINUTE:
        return f"{seconds:.1f} s"
    if seconds < _HOUR:
        return f"{int(seconds) // 60} min {int(seconds) % 60:02d} s"
    return f"{int(seconds) // 3600} h {int(seconds) // 60 % 60:02d} min"


def counted(number: int, one: str, many: str = "") -> str:
    """Write a number with its noun: `1 test`, `1,000 tests`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
