"""What the formats of others ask of a test and of its verdict. Pure."""

from __future__ import annotations

from typing import Final, Literal

from traceproof.replay.verdict import Subject, TestVerdict, Verdict

Status = Literal["passed", "failed", "skipped"]
UNSTEADY: Final = ("flaky", "fragile")

_STATUS: dict[str, Status] = {
    "passed": "passed",
    "failed": "failed",
    "error": "failed",
    "skipped": "skipped",
    "xfailed": "skipped",
    "xpassed": "passed",
}


def status(outcome: str) -> Status:
    """Return an outcome in the three words that all the formats have."""
    return _STATUS[outcome]


def is_unsteady(test: TestVerdict) -> bool:
    """Tell whether a test comes out both ways."""
    return test.class_ in UNSTEADY


def parts(test: str) -> tuple[str, str]:
    """Split a runner's id into what holds the test and its name.

    `tests/test_a.py::TestB::test_c[1]` becomes `tests/test_a.py::TestB` and `test_c[1]`; an id with
    no `::` is split at its last dot.
    """
    head, bracket, arguments = test.partition("[")
    mark = "::" if "::" in head else "."
    holder, found, name = head.rpartition(mark)
    if not found or head.endswith(".py"):  # a file that cannot be collected
        return test, test
    return holder, name + bracket + arguments


def file_of(test: str) -> str:
    """Return the file that a test is in, or nothing where its id does not tell."""
    file, mark, _ = test.partition("::")
    return file if mark or test.endswith(".py") else ""


def repository_name(subject: Subject) -> str:
    """Return the last part of a repository's path or address, or the trace's name."""
    path = subject.repository.rstrip("/").rpartition("/")[2]
    return path.removesuffix(".git") or subject.trace


def bound(verdict: Verdict) -> float | None:
    """Return the highest bound of a steady test; None where there is none."""
    return max((test.bound for test in verdict.tests if test.class_ == "steady"), default=None)
