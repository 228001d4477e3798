"""A verdict in CTRF, the Common Test Report Format: https://ctrf.io.

Flips stand as attempts that were made again, in the order in which they were seen; the status is
the test's usual one, and the true figures are in `extra`. `flaky` is said alone of tests
that usually pass, as the format wants it; what is unsteady besides has its class among its tags.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from traceproof.replay import plainjson
from traceproof.replay.exports.tests import (
    bound,
    file_of,
    is_unsteady,
    parts,
    repository_name,
    status,
)
from traceproof.replay.verdict import Cause, TestVerdict, Verdict

SPECIFICATION = "0.0.0"
"""There is no release of it yet; its own examples say this or `0.1.0`."""

_NAMES = uuid.UUID("0a3ee5b4-4a0e-5f5e-9f3c-7d0c1d0c8f11")
_STATUSES = ("passed", "failed", "skipped", "pending", "other")


def report(verdict: Verdict) -> bytes:
    """Return a verdict as a report in JSON."""
    made = {
        "reportFormat": "CTRF",
        "specVersion": SPECIFICATION,
        "reportId": str(_id(verdict.subject.runs_sha256, str(verdict.started))),
        "timestamp": datetime.fromtimestamp(verdict.started + verdict.seconds, UTC).isoformat(),
        "generatedBy": "traceproof",
        "results": {
            "tool": {"name": "traceproof", "version": verdict.version},
            "summary": _summary(verdict),
            "tests": [_test(test) for test in verdict.tests],
            "environment": _environment(verdict),
        },
        "insights": _insights(verdict),
    }
    return plainjson.encode(made)


def _id(*names: str) -> uuid.UUID:
    return uuid.uuid5(_NAMES, "\0".join(names))


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def _summary(verdict: Verdict) -> dict[str, Any]:
    statuses: list[str] = [status(test.outcome) for test in verdict.tests]
    return {
        "tests": len(statuses),
        **{name: statuses.count(name) for name in _STATUSES},
        "flaky": sum(_is_flaky(test) for test in verdict.tests),
        "start": _milliseconds(verdict.started),
        "stop": _milliseconds(verdict.started + verdict.seconds),
        "duration": _milliseconds(verdict.seconds),
        "extra": {
            "class": verdict.class_,
            "outcome": verdict.outcome,
            "verified": verdict.verified,
            "reason": verdict.reason,
        },
    }


def _test(test: TestVerdict) -> dict[str, Any]:
    made: dict[str, Any] = {
        "id": str(_id(test.test)),
        "name": test.test or "(no name)",
        "status": status(test.outcome),
        "duration": _milliseconds(test.seconds),
        "suite": [part for part in parts(test.test)[0].split("::") if part] or [test.test],
        "rawStatus": test.outcome,
        "tags": [test.class_, *(cause.name for cause in test.causes)],
        "flaky": _is_flaky(test),
    }
    if file := file_of(test.test):
        made["filePath"] = file
    if status(test.outcome) == "failed":
        made |= {"message": test.message, "trace": test.detail}
    if test.seen:
        made |= {"retries": len(test.seen), "retryAttempts": _attempts(test)}
    rate = test.flips / test.runs if test.runs else 0.0
    made["insights"] = {"flakyRate": {"current": rate}, "executedInRuns": test.runs}
    made["extra"] = _extra(test)
    return made


def _is_flaky(test: TestVerdict) -> bool:
    """Tell whether a test is what the format calls so: it passes, and failed before."""
    failed = any(status(seen.outcome) == "failed" for seen in test.seen)
    return is_unsteady(test) and failed and status(test.outcome) == "passed"


def _attempts(test: TestVerdict) -> list[dict[str, Any]]:
    return [
        {
            "attempt": number,
            "status": status(seen.outcome),
            "message": seen.message,
            "extra": {"run": seen.run, "phase": seen.phase},
        }
        for number, seen in enumerate(test.seen, 1)
    ]


def _extra(test: TestVerdict) -> dict[str, Any]:
    return {
        "class": test.class_,
        "set": test.set,
        "before": test.before,
        "runs": test.runs,
        "flips": test.flips,
        "failures": test.failures,
        "bound": test.bound,
        "agentWritten": test.agent_written,
        "causes": [_cause(cause) for cause in test.causes],
    }


def _cause(cause: Cause) -> dict[str, Any]:
    shown = cause.shown
    return {
        "name": cause.name,
        "text": cause.text,
        "others": cause.others,
        "run": shown.run if shown else "",
        "command": shown.command if shown else "",
    }


def _environment(verdict: Verdict) -> dict[str, Any]:
    subject, place = verdict.subject, verdict.environment
    told = {
        "repositoryName": repository_name(subject),
        "commit": subject.commit,
        "testEnvironment": f"{place.sandbox} ({place.isolation})" if place else "",
    }
    extra = {
        "patchSha256": subject.patch_sha256,
        "finalTree": subject.final_tree,
        "lockSha256": place.lock_sha256 if place else "",
        "traceSha256": subject.trace_sha256,
    }
    known = {name: value for name, value in told.items() if value}
    healthy = verdict.class_ != "environment_failed"
    return known | {"healthy": healthy, "extra": {k: v for k, v in extra.items() if v}}


def _insights(verdict: Verdict) -> dict[str, Any]:
    tests = len(verdict.tests)
    flaky = sum(is_unsteady(test) for test in verdict.tests)
    return {
        "flakyRate": {"current": flaky / tests if tests else 0.0},
        "runsAnalyzed": sum(len(run.sessions) for run in verdict.runs),
        "extra": {"bound": bound(verdict), "confidence": verdict.budgets.confidence},
    }
