"""Reads what Gradle's test task writes to the console: what failed, and how many there were."""

from __future__ import annotations

import re
from collections.abc import Sequence

from traceproof.recorder.testruns.cases import Case, Run, Status, Verdict, count, counted

_STATUS = {"PASSED": Status.PASSED, "FAILED": Status.FAILED, "SKIPPED": Status.SKIPPED}
_DONE = re.compile(r"(\d{1,9}) tests? completed(?:, (\d{1,9}) failed)?(?:, (\d{1,9}) skipped)?")
_TASK = re.compile(
    r"(?:> Task )?:([\w:-]*[tT]est\w*)(?: (UP-TO-DATE|FROM-CACHE|NO-SOURCE|SKIPPED|FAILED))?"
)
_BUILD = re.compile(r"BUILD (SUCCESSFUL|FAILED) in .*")
_BETWEEN = " > "


def parse(lines: Sequence[str]) -> list[Run]:
    """Return the run of Gradle in these lines."""
    cases: dict[str, Case] = {}
    counts: dict[Status, int] = {}
    failing: Case | None = None
    tasks: dict[str, str] = {}
    build = ""
    for line in lines:
        name, _, word = line.rpartition(" ")
        if word in _STATUS and _BETWEEN in name and not name.startswith((" ", ">")):
            case = cases[name] = Case(name, _STATUS[word])
            failing = case if case.status is Status.FAILED else None
        elif failing and line.startswith("    "):
            failing.message, failing = line.strip(), None
        elif done := _DONE.fullmatch(line):
            counts = _counts(counts, *(int(number or 0) for number in done.groups()))
        elif task := _TASK.match(line):
            tasks[task[1]] = task[2] or ""
        elif built := _BUILD.fullmatch(line):
            build = built[1]
    return _runs(list(cases.values()), counts, tasks, build)


def _counts(before: dict[Status, int], total: int, failed: int, skipped: int) -> dict[Status, int]:
    new = {
        Status.PASSED: max(0, total - failed - skipped),
        Status.FAILED: failed,
        Status.SKIPPED: skipped,
    }
    return {status: before.get(status, 0) + number for status, number in new.items()}


def _runs(
    cases: list[Case], counts: dict[Status, int], tasks: dict[str, str], build: str
) -> list[Run]:
    ran = {name: how for name, how in tasks.items() if _runs_tests(name)}
    if not cases and not counts and not (ran and build):
        return []
    run = Run("gradle", cases=cases, counts=counted(counts) or count(cases), summary=bool(counts))
    if run.counts.get(Status.FAILED):
        run.verdict = Verdict.FAILURE
    elif build == "SUCCESSFUL" and ran:
        fresh = any(how in ("", "FAILED") for how in ran.values())
        run.verdict = Verdict.SUCCESS if fresh else Verdict.SKIPPED
    elif build == "FAILED" and not cases and "FAILED" not in ran.values():
        return []  # it failed before any test
    return [run]


def _runs_tests(task: str) -> bool:
    """Tell a task that runs tests from those that only compile or prepare them."""
    name = task.rpartition(":")[2]
    return not name.startswith(("compile", "process")) and not name.endswith("Classes")
